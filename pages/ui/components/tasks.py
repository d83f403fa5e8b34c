"""The tasks of a comparison as a table; a task's button opens what both sides did on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from autoflow.records import STOP_WORDS
from autoflow.report.comparison import Cell, TaskRow
from autoflow.report.figures import of_a_run, signed
from pages.ui.components.assets import script, style

_HTML = """
<div class="frame" tabindex="0" role="region"><table><thead><tr></tr></thead><tbody></tbody></table></div>
"""
_component = st.components.v2.component("autoflow_tasks", html=_HTML, css=style("tasks"), js=script("tasks"))
LONGEST = 10_000  # characters of one text


def task_table(
    rows: Sequence[TaskRow], names: tuple[str, str], *, key: str, selected: str | None = None,
    on_select: Callable[[str], None] | None = None,
) -> None:  # fmt: skip
    """Draw them; the caller bounds how many.

    Args:
        names: how the two sides are called.
        on_select: called with the id of the task whose traces are asked for.
    """
    data = {
        "rows": [_record(row) for row in rows], "names": names, "selected": selected,
        "selectable": on_select is not None, "label": "Tasks",
    }  # fmt: skip

    def select() -> None:
        task = st.session_state[key]["select"]
        if on_select and task is not None:
            on_select(str(task))

    _component(data=data, key=key, on_select_change=select)


def _record(row: TaskRow) -> dict[str, Any]:
    d = row.difference
    return {
        "task": row.task,
        "objective": row.objective[:LONGEST],
        "expected": row.expected[:LONGEST],
        "a": _side(row.a),
        "b": _side(row.b),
        "difference": "–" if d is None else signed(d),
        "sign": "" if not d else "▲" if d > 0 else "▼",
    }


def _side(cell: Cell | None) -> dict[str, Any]:
    if cell is None:
        return {"score": "not run", "answers": [], "figures": "", "problems": []}
    stopped = [] if cell.errors else [STOP_WORDS[stop] for stop in cell.stops if stop != "terminal"]
    return {
        "score": "waits for a rating" if cell.score is None else f"{cell.score:.2f}",
        "answers": [answer[:LONGEST] for answer in dict.fromkeys(cell.answers)],
        "figures": of_a_run(cell.calls, cell.seconds, cell.cached, cell.cost_usd),
        "problems": list(dict.fromkeys((*stopped, *cell.errors))),
    }
