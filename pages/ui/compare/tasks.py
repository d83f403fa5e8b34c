"""The tasks of a comparison, found and ordered as a person wants, and both traces of one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from autoflow.report.comparison import ComparisonReport, TaskRow
from autoflow.report.load import trace_pair
from autoflow.report.rows import ORDERS, Show, chosen_rows
from pages.ui import services
from pages.ui.components.pairs import trace_pairs
from pages.ui.components.tasks import task_table
from pages.ui.format import plural
from pages.ui.plain import cut

SHOWN = ("different", "all")
A_PAGE = 100  # rows
FEW = 10  # rows that need neither search nor order


def draw_tasks(report: ComparisonReport, *, selectable: bool = True) -> Sequence[TaskRow]:
    """The table; returns its rows. While runs come in nothing can be selected: a click would be lost in the redraw."""
    st.header("Tasks", anchor=False)
    if not report.rows:
        st.caption("No task was run yet.")
        return ()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = _found(report)
        rows = _page(found)
    if not rows:
        st.caption("No task holds these words." if st.session_state.get("find") else "No task was scored differently.")
        return ()
    names = (f"A {report.a.name}", f"B {report.b.name}")
    selected = chosen_task(report)
    task_table(rows, names, key="compare-tasks", selected=selected, on_select=_select if selectable else None)
    return rows


def _found(report: ComparisonReport) -> list[TaskRow]:
    """Those that were asked for, by what differs, by words, in an order."""
    asked = st.query_params.get("show")
    st.session_state.setdefault("show", asked if asked in SHOWN else "different")
    words = {
        "different": f"Only different in score ({len(report.different):,})",
        "all": f"All {plural(len(report.rows), 'task')}",
    }
    picked = st.segmented_control(
        "Tasks shown", list(SHOWN), key="show", required=True, on_change=_remember, format_func=lambda name: words[name]
    )
    show: Show = "all" if picked == "all" else "different"
    if len(report.rows) <= FEW:
        return chosen_rows(report, show)
    text = st.text_input("Find", key="find", placeholder="in tasks, answers, errors", width=240)
    order = st.selectbox("Order", list(ORDERS), key="order", format_func=lambda name: ORDERS[name], width=220)
    return chosen_rows(report, show, text, order)


def _page(rows: Sequence[TaskRow]) -> Sequence[TaskRow]:
    pages = math.ceil(len(rows) / A_PAGE)
    if pages <= 1:
        return rows
    number = int(st.number_input(f"Page of {pages:,}", 1, pages, key=f"tasks-page-{pages}", width=120))
    return rows[(number - 1) * A_PAGE : number * A_PAGE]


def _remember() -> None:
    st.query_params["show"] = str(st.session_state["show"])


def _select(task: str) -> None:
    st.query_params["task"] = task


def chosen_task(report: ComparisonReport) -> str | None:
    """The task that the address names, if the comparison has it; else the one that differs most."""
    asked = st.query_params.get("task")
    if any(row.task == asked for row in report.rows):
        return asked
    most = max(report.different, key=lambda row: abs(row.difference or 0.0), default=None)
    return most.task if most else report.rows[0].task if report.rows else None


def draw_traces(report: ComparisonReport, offered: Sequence[TaskRow]) -> None:
    """Both sides on one task, the steps that are the same on one line.

    Args:
        offered: tasks to choose from, those of the table: a list of all may be too long to send.
    """
    chosen = chosen_task(report)
    if chosen is None:
        return
    st.header("Traces", anchor=False)
    row = next(row for row in report.rows if row.task == chosen)
    repeat = 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _pick_task(offered, row)
        if report.study.spec.repeats > 1:
            choices = range(report.study.spec.repeats)
            repeat = st.selectbox("Run", choices, format_func=lambda n: f"run {n + 1}", key="repeat", width=120)
    st.text(row.objective)
    pair = trace_pair(services.store(), report, row, repeat)
    if not pair.a and not pair.b:
        st.caption("Neither side has a trace of this run.")
        return
    names = (f"A {report.a.name}", f"B {report.b.name}")
    trace_pairs(pair.a, pair.b, names, task=chosen, key=f"compare-traces-{report.study.id}-{chosen}-{repeat}")


def _pick_task(offered: Sequence[TaskRow], chosen: TaskRow) -> None:
    tasks = {row.task: row for row in offered}
    tasks.setdefault(chosen.task, chosen)
    key = f"trace-of-{chosen.task}"
    st.selectbox(
        "Task", list(tasks), list(tasks).index(chosen.task), key=key, format_func=lambda task: _label(tasks[task]),
        on_change=lambda: _select(str(st.session_state[key])),
    )  # fmt: skip


def _label(row: TaskRow) -> str:
    return f"{row.task}: {cut(row.objective, 90)}" if row.objective else row.task
