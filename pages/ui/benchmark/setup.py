"""Setting up a benchmark: which grid, which models, and where each cell stops."""

from __future__ import annotations

from typing import Any

import streamlit as st

from autoflow.benchmark import BenchmarkSpec, cells
from autoflow.errors import AutoFlowError
from autoflow.optimize.benchmarking import start_benchmark
from autoflow.optimize.presets import PRESETS
from pages.ui import services
from pages.ui.format import plural

_BIND: dict[str, Any] = {"bind": "query-params"}
NAME_CHARACTERS = 200


def draw() -> None:
    """The form, what it comes to, and the button."""
    with st.container(border=True, key="benchmark-setup"):
        preset = st.selectbox("Grid", list(PRESETS), key="benchmark-preset", format_func=str.capitalize, **_BIND)
        words, make = PRESETS[preset or "quick"]
        st.caption(words)
        columns = st.columns(2)
        with columns[0]:
            generators = _models("Generators", "generators", "They write workflows.")
        with columns[1]:
            interpreters = _models("Interpreters", "interpreters", "They carry them out.")
        if not generators or not interpreters:
            st.text("Choose at least one of each.")
            return
        spec = _limits(make(generators, interpreters))
        st.caption(_comes_to(spec))
        name = st.text_input(
            "Name", key="benchmark-name", max_chars=NAME_CHARACTERS, placeholder="named after the grid", **_BIND
        )
        _start(spec, " ".join((name or "").split()) or (preset or "quick").capitalize())


def _models(label: str, name: str, words: str) -> list[str]:
    return st.multiselect(
        label, services.model_names(), [services.default_model()], key=f"benchmark-{name}", help=words, **_BIND
    )


def _limits(spec: BenchmarkSpec) -> BenchmarkSpec:
    """Rounds and calls of each cell, from what the grid says by itself."""
    with st.container(horizontal=True):
        rounds = st.number_input(
            "Rounds a cell", 0, None, None, key="benchmark-rounds", help="Empty: as the grid says.", width=146,
            placeholder=str(spec.budget.max_rounds), **_BIND,
        )  # fmt: skip
        calls = st.number_input(
            "Model calls a cell", 1, None, None, key="benchmark-calls", help="Empty: as the grid says.", width=146,
            placeholder="no limit" if spec.budget.max_calls is None else str(spec.budget.max_calls), **_BIND,
        )  # fmt: skip
        seed = st.number_input(
            "Seed", 0, None, 0, key="benchmark-seed", help="Of splits and searches.", width=146, **_BIND
        )
    limits = {"max_rounds": rounds, "max_calls": calls}
    budget = spec.budget.model_copy(update={key: int(value) for key, value in limits.items() if value is not None})
    suites = tuple(suite.model_copy(update={"seed": int(seed or 0)}) for suite in spec.suites)
    return spec.model_copy(update={"budget": budget, "suites": suites, "seed": int(seed or 0)})


def _comes_to(spec: BenchmarkSpec) -> str:
    """`4 cells; each up to 150 calls before its test of 6 tasks.`"""
    count = len(list(cells(spec)))
    limit = "" if spec.budget.max_calls is None else f" up to {plural(spec.budget.max_calls, 'call')},"
    tests = " and ".join(plural(suite.test, "task") for suite in spec.suites)
    return f"{plural(count, 'cell')}; each{limit} {plural(spec.budget.max_rounds, 'round')} at most, and a sealed test of {tests}."


def _start(spec: BenchmarkSpec, name: str) -> None:
    if not st.button("Measure", type="primary", icon=":material/grid_on:", key="benchmark-start"):
        return
    from autoflow.jobs.supervisor import ensure_worker

    try:
        with st.spinner("Making the cells …"):
            made = start_benchmark(services.store(), name, spec)
            ensure_worker()
    except AutoFlowError as error:
        services.show_error(error)
        return
    services.go("benchmark", benchmark=made.id)
