"""One cell looked at closely: the manual workflow beside what was found, by metric and by task."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.report.figures import signed
from autoflow.report.grid import GridCell, interval
from autoflow.report.grid_read import GridReport, objectives
from autoflow.report.grid_scoring import COLUMNS, by_column, carried_out
from autoflow.report.grid_table import WORDS, average_words, kept_words, metric_gains
from autoflow.report.grid_words import difference_words, pair, signed_interval
from autoflow.report.html_grid_tasks import task_lines
from pages.ui import services
from pages.ui.components.figures import figures
from pages.ui.plain import cut

SHOWN = 60  # tasks
_ASKS = 140  # characters of what a task asks


def draw(report: GridReport) -> None:
    """Nothing where no cell has both."""
    there = {one.cell.key: one for one in report.cells if one.gain is not None}
    if not there:
        return
    st.header("Manual beside generated")
    best = max(there.values(), key=lambda one: one.measured.val or 0.0)
    picked = st.selectbox(
        "Cell", list(there), list(there).index(best.cell.key), key="benchmark-cell",
        format_func=lambda key: pair(report, there[key]) if key in there else key,
    )  # fmt: skip
    one = there.get(picked or "", best)
    assert one.gain is not None
    what = f"The {WORDS[one.kept]} that was kept" if one.kept else "Generated"
    st.text(f"{what} above manual: {difference_words(one.gain)}")
    if one.kept:
        words = kept_words(one.kept)
        st.text(f"{words[0].upper()}{words[1:]}.")
    _links(report, one)
    _metrics(report, one)
    _tasks(report, one)


def _links(report: GridReport, one: GridCell) -> None:
    sides, back = one.sides, {"study": one.study_id, "benchmark": report.benchmark.id}
    with st.container(horizontal=True):
        st.page_link(services.PAGES["optimize"], label="The study", icon=":material/trending_up:", query_params=back)
        if not one.kept:
            st.page_link(
                services.PAGES["compare"], label="Step by step, with every trace", icon=":material/compare:",
                query_params={
                    "study": one.study_id, "a": str(sides["manual"].number), "b": str(sides["found"].number),
                },
            )  # fmt: skip


def _metrics(report: GridReport, one: GridCell) -> None:
    """A line a metric of the paper; nothing where the suite has none."""
    if not carried_out(report.benchmark.spec.suites[one.cell.suite]):
        return
    gains = metric_gains(one)
    manual, found = (by_column(one.sides[side].tasks) for side in ("manual", "found"))
    names = [column for column in COLUMNS if column in gains]
    figures(
        {
            "Metric": names,
            "Tasks": [str(gains[name].tasks) for name in names],
            "Manual": [average_words(interval(manual[name]), len(manual[name])) for name in names],
            "Generated": [average_words(interval(found[name]), len(found[name])) for name in names],
            "Generated − manual": [signed_interval(gains[name]) for name in names],
        },
        key="benchmark-metrics", label="By metric", words=("Metric",),
    )  # fmt: skip


def _tasks(report: GridReport, one: GridCell) -> None:
    known = _objectives(report.benchmark.id, report.benchmark)[one.cell.suite]
    found = task_lines(report, one, known)
    table: dict[str, list[str]] = {"Task": [cut(line.asks or line.task, _ASKS) for line in found[:SHOWN]]}
    if any(line.column for line in found):
        table["Metric"] = [line.column for line in found[:SHOWN]]
    table["Manual"] = [_score(line.manual) for line in found[:SHOWN]]
    table["Plain prompt"] = [_score(line.plain) for line in found[:SHOWN]]
    table["Generated"] = [_score(line.found) for line in found[:SHOWN]]
    table["Generated − manual"] = [_signed(line.difference) for line in found[:SHOWN]]
    figures(table, key="benchmark-tasks", label="By task", words=("Metric",), wide=("Task",))
    if len(found) > SHOWN:
        st.caption(f"The {SHOWN} of {len(found)} tasks with the greatest gain; the CSV of tasks has all of them.")


@st.cache_data(max_entries=20, ttl=600, show_spinner=False)
def _objectives(benchmark_id: str, _one: Benchmark) -> list[Mapping[str, str]]:
    return [dict(found) for found in objectives(services.store(), _one)]


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{'▲ ' if value > 0 else '▼ ' if value < 0 else ''}{signed(value)}"
