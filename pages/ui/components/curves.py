"""The curves of a study, drawn by Plotly in the browser: they keep zoom and hidden traces while they grow."""

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
    """One curve. Points with markers are candidates and can be picked."""

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


def curves(
    study: str, series: Sequence[Series], *, key: str, amount: str, label: str, selected: int | None = None,
    on_select: Callable[[int], None],
) -> None:  # fmt: skip
    """Draw them.

    Args:
        study: what is shown; zoom and hidden traces are kept as long as it stays the same.
        amount: what the axis on the right counts.
        on_select: gets the number of the candidate whose point was clicked.
    """
    data = {
        "study": study, "series": [asdict(one) for one in series], "selected": selected, "amount": amount,
        "label": label, "height": HEIGHT, "plotly": plotly_address(),
    }  # fmt: skip

    def select() -> None:
        number = st.session_state[key]["select"]
        if number is not None:
            on_select(int(number))

    _component(data=data, key=key, on_select_change=select)
