"""Small charts side by side, one a figure, each with its latest value and its range in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages.ui.components.assets import script, style

_HTML = '<div class="tiles" role="group"></div>\n'
_component = st.components.v2.component("autoflow_tiles", html=_HTML, css=style("tiles"), js=script("tiles"))


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure over steps."""

    id: str
    name: str
    note: str
    x: Sequence[int]
    y: Sequence[float]
    words: Sequence[str]  # how each value is read


def tiles(shown: Sequence[Tile], *, key: str, label: str, selected: int | None = None) -> None:
    """Draw them; `selected` is the step that is marked in all of them."""
    _component(data={"tiles": [asdict(one) for one in shown], "label": label, "selected": selected}, key=key)
