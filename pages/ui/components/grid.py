"""Pairs of models as a table of buttons, a table for each suite and variant; a button opens its pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages.ui.components.assets import script, style

_component = st.components.v2.component(
    "autoflow_grid", html='<div class="places"></div>\n', css=style("grid"), js=script("grid")
)


@dataclass(frozen=True, slots=True)
class Square:
    """One pair of models."""

    id: str  # given back when it is opened; empty: it cannot be
    top: str
    sub: str
    words: str  # all of it, for hovering and for readers that do not see
    state: str
    ground: str = ""  # colours; empty: the theme's
    text: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One table. `cells` has a row for each row of the grid."""

    title: str  # empty where there is one table alone
    label: str
    cells: Sequence[Sequence[Square]]


def grid(
    places: Sequence[Place], rows: Sequence[str], columns: Sequence[str], *, corner: str, key: str,
    on_open: Callable[[str], None],
) -> None:  # fmt: skip
    """Draw it; `on_open` gets the id of the square that was pressed."""
    data = {
        "corner": corner, "rows": list(rows), "columns": list(columns), "places": [asdict(place) for place in places],
    }  # fmt: skip

    def opened() -> None:
        pressed = st.session_state[key]["open"]
        if pressed is not None:
            on_open(str(pressed["id"]))

    _component(data=data, key=key, on_open_change=opened)
