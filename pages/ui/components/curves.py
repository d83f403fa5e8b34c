"""Curves that grow, drawn by Plotly in the browser: they keep zoom and hidden traces meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import streamlit as st

from pages.ui.components.assets import script, style
from pages.ui.vendor import plotly_address

HEIGHT = 430  # pixels
_HTML = '<div class="autoflow-chart" role="group"></div>\n'
# In the page itself, not apart from it: Plotly puts its rules for the whole page.
_component = st.components.v2.component(
    "autoflow_curves", html=_HTML, css=style("plotly"), js=script("plotly") + script("curves"), isolate_styles=False
)


@dataclass(frozen=True, slots=True)
class Series:
    """One curve. Points with markers can be picked."""

    id: str
    name: str
    x: Sequence[int]
    y: Sequence[float | None]
    words: Sequence[str]  # what is told of each point
    colour: str = ""  # empty: that of the text
    mode: Literal["lines", "markers", "lines+markers"] = "lines"
    dash: Literal["solid", "dash", "dot", "dashdot"] = "solid"
    symbol: str = "circle"
    size: int = 9
    width: float = 2.0
    open: bool = False  # markers without filling
    stairs: bool = False
    axis: Literal["y", "y2"] = "y"
    hidden: bool = False  # until somebody asks for it in the legend
    low: Sequence[float] = ()  # then it is a band from here up to `y`, not a line


@dataclass(frozen=True, slots=True)
class Axes:
    """What is counted along the axes."""

    x: str = "Candidate"
    y: str = "Score or reward"
    amount: str = ""  # on the right; empty: there is nothing on the right
    percent: bool = False  # `y` is shares in [0, 1], all of which are on show
    upright: bool = False  # the selected x is marked by a line across, and any point can be picked


def curves(
    study: str, series: Sequence[Series], *, key: str, axes: Axes, label: str, selected: int | None = None,
    height: int = HEIGHT, on_select: Callable[[int], None],
) -> None:  # fmt: skip
    """Draw them.

    Args:
        study: what is shown; zoom and hidden traces are kept as long as it stays the same.
        height: in pixels.
        on_select: gets the x of the point that was clicked: the number of a candidate or a step.
    """
    data = {
        "study": study, "series": [asdict(one) for one in series], "selected": selected, "axes": asdict(axes),
        "label": label, "height": height, "plotly": plotly_address(),
    }  # fmt: skip

    def select() -> None:
        number = st.session_state[key]["select"]
        if number is not None:
            on_select(int(number))

    _component(data=data, key=key, on_select_change=select)
