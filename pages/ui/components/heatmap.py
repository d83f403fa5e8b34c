"""Candidates by tasks as a map of scores, drawn by Plotly in the browser; a cell opens the trace behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages.ui.components.assets import script, style
from pages.ui.vendor import plotly_address

ROW, AROUND = 26, 66  # pixels: of one row, and above and below all of them
_component = st.components.v2.component(
    "autoflow_heatmap",
    html='<div class="autoflow-chart" role="group"></div>\n',
    css=style("plotly"),
    js=script("plotly") + script("heatmap"),
    isolate_styles=False,  # Plotly puts its rules for the whole page
)


@dataclass(frozen=True, slots=True)
class Cell:
    """How one candidate fared on one task."""

    score: float  # in [0, 1]
    mark: str  # a few characters in the cell
    words: str  # what is told of it


@dataclass(frozen=True, slots=True)
class Map:
    """What is drawn. Columns that are None part the splits."""

    rows: Sequence[tuple[int, str]]  # numbers of the candidates, and what their rows are called
    columns: Sequence[str | None]  # ids of the tasks
    groups: Sequence[tuple[str, int, int]]  # name of a split, its first and its last column
    cells: Sequence[Sequence[Cell | None]]  # a row for each candidate; None: not run


def heatmap(
    study: str, shown: Map, *, key: str, label: str, selected: int | None, task: str | None,
    on_open: Callable[[int, str], None],
) -> None:  # fmt: skip
    """Draw it.

    Args:
        selected, task: the candidate that is selected, and the task whose trace is open.
        on_open: gets the candidate and the task of the cell that was clicked.
    """
    data = {
        "study": study, "rows": [{"number": n, "name": name} for n, name in shown.rows],
        "columns": [None if id is None else {"id": id} for id in shown.columns],
        "groups": [{"name": name, "from": first, "to": last} for name, first, last in shown.groups],
        "cells": [[None if cell is None else asdict(cell) for cell in row] for row in shown.cells],
        "selected": selected, "opened": task, "label": label, "height": AROUND + ROW * len(shown.rows),
        "plotly": plotly_address(),
    }  # fmt: skip

    def opened() -> None:
        cell = st.session_state[key]["open"]
        if cell is not None:
            on_open(int(cell["candidate"]), str(cell["task"]))

    _component(data=data, key=key, on_open_change=opened)
