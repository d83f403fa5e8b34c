"""What a benchmark comes to, told before it begins: cells, calls, test tasks, and by what they are scored."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import MOST, BenchmarkSpec, cells, study_spec
from autoflow.optimize.estimate import plan
from autoflow.report.grid_scoring import scored_by
from autoflow.study import SPLITS, Split, SuiteSpec
from autoflow.suites.registry import dealt_suite, settled_suite, title_of
from pages.ui import services
from pages.ui.format import plural
from pages.ui.plain import plain

_Sizes = dict[Split, int]


def draw(spec: BenchmarkSpec) -> bool:
    """The sentences; False where it cannot begin, which is then said. Raises SettingsError, NotFound: a suite cannot be
    used."""
    grid = list(cells(spec)) if spec.size <= MOST else []
    if not grid:
        st.text(f"The grid has {spec.size:,} cells; up to {MOST:,} are carried out. Choose fewer models or suites.")
        return False
    saved = services.store().get_suite
    settled = [settled_suite(suite) for suite in spec.suites]
    dealt = [_dealt(suite.model_dump_json(), spec.judge) for suite in settled]
    st.markdown(f"**{_cells(spec, len(grid))}** · {_calls(spec, len(grid), dealt)} · {_tests(spec, dealt)}")
    for suite, sizes in zip(settled, dealt, strict=True):
        told = (
            f"{title_of(suite, saved)}: {sizes['train']} train, {sizes['val']} validation, {sizes['test']} test tasks."
        )
        st.caption(plain(f"{told} {scored_by(suite, saved)}", 500))
    if not set(spec.generators) & set(spec.interpreters):
        st.caption("No model stands on both sides, so that nothing is said of whether two do better than one.")
    return True


@st.cache_data(max_entries=100, ttl=60, show_spinner="Dealing the tasks …")
def _dealt(suite: str, judge: str) -> _Sizes:
    found = dealt_suite(SuiteSpec.model_validate_json(suite), judge, saved=services.store().get_suite)
    return {split: len(found.tasks(split)) for split in SPLITS}


def _cells(spec: BenchmarkSpec, count: int) -> str:
    """`8 cells: 2 generators × 2 interpreters × 2 variants`."""
    axes = [
        plural(len(spec.generators), "generator"), plural(len(spec.interpreters), "interpreter"),
        plural(len(spec.suites), "suite") if len(spec.suites) > 1 else "",
        plural(len(spec.variants), "variant") if len(spec.variants) > 1 else "",
    ]  # fmt: skip
    return f"{plural(count, 'cell')}: {' × '.join(filter(None, axes))}"


def _calls(spec: BenchmarkSpec, count: int, dealt: list[_Sizes]) -> str:
    """Before the tests; without a limit, how many runs that may be."""
    limit = spec.budget.max_calls
    if limit is not None:
        return f"up to {plural(limit * count, 'model call')} before the tests, {limit:,} a cell"
    runs = 0
    for cell in cells(spec):
        sizes = {split: range(size) for split, size in dealt[cell.suite].items()}
        runs += plan(study_spec(spec, cell), sizes, 2, 0).runs
    return f"up to {plural(runs, 'run')} of a call or more each, without a limit of calls"


def _tests(spec: BenchmarkSpec, dealt: list[_Sizes]) -> str:
    """`72 test runs: 3 workflows on 6 tasks in each cell`."""
    workflows = 3 if spec.budget.max_rounds else 2
    runs = sum(workflows * dealt[cell.suite]["test"] * spec.repeats for cell in cells(spec))
    what = "manual, plain prompt and what was found" if workflows == 3 else "manual and plain prompt"
    return f"{plural(runs, 'test run')}: {what}"
