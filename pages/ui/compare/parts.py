"""What differs: step by step, as graphs, task by task, and in the traces of a task."""

from __future__ import annotations

import streamlit as st

from autoflow.lang import parse
from autoflow.lang.diff import diff
from autoflow.report.comparison import ComparisonReport, TaskRow, signs
from autoflow.report.load import trace_pair
from autoflow.report.sides import Text
from pages.ui import services
from pages.ui.components.changes import change_list
from pages.ui.components.graph import graph
from pages.ui.components.pairs import trace_pairs
from pages.ui.components.steps import Marks
from pages.ui.components.tasks import task_table
from pages.ui.format import plural
from pages.ui.plain import cut, plain

SHOWN = {"different": "Only different", "all": "All"}


def draw_texts(a: Text, b: Text) -> None:
    """The two workflows beside each other, before anything is run."""
    first, second = parse(a.text).workflow, parse(b.text).workflow
    found = diff(first, second)
    st.header("What changed from A to B", anchor=False)
    change_list(found, key="compare-changes")
    st.header("Graphs", anchor=False)
    st.caption("\\+ only in B, − only in A, \\~ changed")
    for column, text, workflow, marks, letter in zip(
        st.columns(2, gap="medium"), (a, b), (first, second), signs(found), "AB", strict=True
    ):
        with column:
            st.markdown(f"**{letter}** {plain(text.name)}")
            if workflow.steps:
                graph(
                    workflow,
                    key=f"compare-graph-{letter}",
                    marks=Marks(signs=marks),
                    height="60vh",
                    label=f"Graph of {letter}",
                )
            else:
                st.caption("It has no steps.")


def draw_tasks(report: ComparisonReport, *, selectable: bool = True) -> None:
    """The table. While runs come in nothing can be selected in it: a click would be lost in the next redraw."""
    st.header("Tasks", anchor=False)
    if not report.rows:
        st.caption("No task was run yet.")
        return
    asked = st.query_params.get("show")
    st.session_state.setdefault("show", asked if asked in SHOWN else "different")
    words = {
        "different": f"Only different in score ({len(report.different)})",
        "all": f"All {plural(len(report.rows), 'task')}",
    }
    show = st.segmented_control(
        "Tasks shown", list(SHOWN), key="show", required=True, label_visibility="collapsed", on_change=_remember,
        format_func=lambda name: words[name],
    )  # fmt: skip
    rows = report.rows if show == "all" else report.different
    if not rows:
        st.caption("No task was scored differently.")
        return
    names = (f"A {report.a.name}", f"B {report.b.name}")
    task_table(rows, names, key="compare-tasks", selected=_task(report), on_select=_select if selectable else None)


def _remember() -> None:
    st.query_params["show"] = str(st.session_state["show"])


def _select(task: str) -> None:
    st.query_params["task"] = task


def _task(report: ComparisonReport) -> str | None:
    """The task that the address names, if the comparison has it; else the one that differs most."""
    asked = st.query_params.get("task")
    if any(row.task == asked for row in report.rows):
        return asked
    most = max(report.different, key=lambda row: abs(row.difference or 0.0), default=None)
    return most.task if most else report.rows[0].task if report.rows else None


def draw_traces(report: ComparisonReport) -> None:
    """Both sides on one task, the steps that are the same on one line."""
    chosen = _task(report)
    if chosen is None:
        return
    st.header("Traces", anchor=False)
    row = next(row for row in report.rows if row.task == chosen)
    repeat = 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _pick_task(report, row)
        if report.study.spec.repeats > 1:
            choices = range(report.study.spec.repeats)
            repeat = st.selectbox("Run", choices, format_func=lambda n: f"run {n + 1}", key="repeat", width=120)
    st.text(row.objective)
    pair = trace_pair(services.store(), report, row, repeat)
    if not pair.a and not pair.b:
        st.caption("Neither side has a trace of this run.")
        return
    names = (f"A {report.a.name}", f"B {report.b.name}")
    trace_pairs(pair.a, pair.b, names, key=f"compare-traces-{report.study.id}-{chosen}-{repeat}")


def _pick_task(report: ComparisonReport, chosen: TaskRow) -> None:
    tasks = {row.task: row for row in report.rows}
    key = f"trace-of-{chosen.task}"
    st.selectbox(
        "Task", list(tasks), list(tasks).index(chosen.task), key=key, format_func=lambda task: _label(tasks[task]),
        on_change=lambda: _select(str(st.session_state[key])),
    )  # fmt: skip


def _label(row: TaskRow) -> str:
    return f"{row.task}: {cut(row.objective, 90)}" if row.objective else row.task
