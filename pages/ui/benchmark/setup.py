"""Setting up a benchmark: which grid, which models, which tasks, and where each cell stops."""

from __future__ import annotations

from typing import Any

import streamlit as st

from autoflow.benchmark import BenchmarkSpec
from autoflow.errors import AutoFlowError
from autoflow.optimize.benchmarking import start_benchmark
from autoflow.optimize.presets import PRESETS, adjusted
from autoflow.study import SPLITS, Split
from autoflow.suites.registry import NEEDS_OPTIONS
from pages.ui import services
from pages.ui.benchmark import total
from pages.ui.optimize.fields import METHODS as SEARCHES
from pages.ui.suites import known
from pages.ui.suites.choosing import LABELS

_BIND: dict[str, Any] = {"bind": "query-params"}
NAME_CHARACTERS = 200
SEARCHED, MANUAL = "Manual, and what each generator finds", "Manual and plain prompt alone"
PROVIDERS = {"": "The hub's, if it answers", "hub": "The hub's", "offline": "Offline parts"}
METHODS: dict[str, str] = {"": "As the grid says", **{name: words for name, (words, _) in SEARCHES.items()}}
_NO_MODEL = ""


def draw() -> None:
    """The form, what it comes to, and the button."""
    with st.container(border=True, key="benchmark-setup"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            preset = st.selectbox(
                "Grid", list(PRESETS), key="benchmark-preset", format_func=str.capitalize, width=220, **_BIND
            )
            method = st.selectbox(
                "Method",
                list(METHODS),
                key="benchmark-method",
                format_func=lambda key: METHODS[key],
                width=220,
                **_BIND,
            )
            name = st.text_input(
                "Name", key="benchmark-name", max_chars=NAME_CHARACTERS, placeholder="named after the grid", **_BIND
            )
        words, make = PRESETS[preset or "quick"]
        st.caption(words)
        columns = st.columns(2)
        with columns[0]:
            generators = _models("Generators", "generators", "They write workflows.")
        with columns[1]:
            interpreters = _models("Interpreters", "interpreters", "They carry them out.")
        if not generators or not interpreters:
            st.text("Choose at least one generator and one interpreter.")
            return
        try:
            spec = _adjusted(make(generators, interpreters), method)
            told = total.draw(spec)
        except AutoFlowError as error:
            services.show_error(error)
            return
        if told:
            _start(spec, " ".join((name or "").split()) or (preset or "quick").capitalize())


def _models(label: str, name: str, words: str) -> list[str]:
    return st.multiselect(
        label, services.model_names(), [services.default_model()], key=f"benchmark-{name}", help=words, **_BIND
    )


def _adjusted(spec: BenchmarkSpec, method: str) -> BenchmarkSpec:
    """The preset with what the fields say. Raises SettingsError, NotFound: a suite cannot be used."""
    suites = _suites(spec)
    workflows = st.segmented_control(
        "Workflows", [SEARCHED, MANUAL], key="benchmark-workflows", default=SEARCHED, required=True, **_BIND
    )
    openagi = any(name == "openagi" for name in suites or [suite.name for suite in spec.suites])
    judge = ""
    with st.container(horizontal=True, vertical_alignment="bottom", key="benchmark-limits"):
        sizes = {split: _size(spec, split) for split in SPLITS}
        repeats = _number("Runs a task", "repeats", 1, 1, "Each with another seed; more of them even out luck.", 20)
        rounds = _number("Rounds a cell", "rounds", 1, spec.budget.max_rounds, "Proposals, and what comes of them.")
        calls = _number("Model calls a cell", "calls", 1, spec.budget.max_calls, "Before the sealed test.")
        dollars = _number("Dollars a cell", "dollars", 0.0, None, "Counts only where prices are known.")
        minutes = _number("Minutes a cell", "minutes", 0.1, None, "Of work; pauses do not count.")
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, key="benchmark-seed", help="Of splits and searches.", width=146, **_BIND
        )
    if openagi or any(name.startswith("su_") for name in suites):
        judge = _judge(openagi)
    provider = _provider() if openagi else ""
    return adjusted(
        spec, store=services.store(), suites=suites, method=next((name for name in SEARCHES if name == method), None),
        sizes={s: int(n) for s, n in sizes.items() if n is not None},
        openagi={"provider": provider} if provider else None, repeats=None if repeats is None else int(repeats),
        budget={
            "max_rounds": 0 if workflows == MANUAL else rounds, "max_calls": calls, "max_cost_usd": dollars,
            "max_time_s": minutes * 60 if minutes else None,
        },
        seed=int(seed or 0), judge=judge,
    )  # fmt: skip


def _suites(spec: BenchmarkSpec) -> list[str]:
    """Empty: the preset's own. Those that cannot be opened by their name alone are for the page Optimize."""
    names = {key: words for key, words in known.names().items() if key not in NEEDS_OPTIONS}
    own = " and ".join(suite.name for suite in spec.suites)
    return st.multiselect(
        "Tasks", list(names), key="benchmark-suites", format_func=lambda key: names.get(key, key),
        placeholder=f"{own}, as the grid says", help="Suites, your own among them. Empty: as the grid says.", **_BIND,
    )  # fmt: skip


def _size(spec: BenchmarkSpec, split: Split) -> Any:
    label, words = LABELS[split]
    return _number(label, split, 0, spec.suites[0].sizes[split], f"{words} Empty: as the grid says.")


def _number(label: str, name: str, least: float, usual: float | None, words: str, most: float | None = None) -> Any:
    """A number, or None where the field is empty: then it is as the grid says."""
    top = most if most is not None else 2**31 - 1 if isinstance(least, int) else None
    return st.number_input(
        label, least, top, None, key=f"benchmark-{name}", help=words, width=146,
        placeholder="no limit" if usual is None else f"{usual:g}", **_BIND,
    )  # fmt: skip


def _judge(openagi: bool) -> str:
    words = "Offline tools of OpenAGI that are a language model ask it, and suites that have a judge."
    picked = st.selectbox(
        "Model that suites ask", [_NO_MODEL, *services.model_names()], key="benchmark-judge", help=words,
        format_func=lambda name: name or ("none: tasks that need one are left out" if openagi else "none"), **_BIND,
    )  # fmt: skip
    return picked or ""


def _provider() -> str:
    return (
        st.selectbox(
            "Tools of OpenAGI",
            list(PROVIDERS),
            key="benchmark-provider",
            format_func=lambda key: PROVIDERS[key],
            **_BIND,
        )
        or ""
    )


def _start(spec: BenchmarkSpec, name: str) -> None:
    if not st.button("Measure", type="primary", icon=":material/grid_on:", key="benchmark-start"):
        return
    from autoflow.jobs.supervisor import ensure_worker

    try:
        with st.spinner("Making the cells …"):  # drawn before and after alone: drawing is where a click breaks off
            made = start_benchmark(services.store(), name, spec)
            ensure_worker()
    except AutoFlowError as error:
        services.show_error(error)
        return
    services.go("benchmark", benchmark=made.id)
