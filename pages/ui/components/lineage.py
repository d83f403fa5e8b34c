"""Who came from whom: the candidates of a study as a forest whose nodes can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages.ui.components.assets import script, style

_HTML = '<div class="frame" tabindex="0" role="region" aria-label="Family tree"></div>'
_component = st.components.v2.component("autoflow_lineage", html=_HTML, css=style("lineage"), js=script("lineage"))


@dataclass(frozen=True, slots=True)
class Kin:
    """One candidate, as it is drawn."""

    number: int
    parent: int | None
    score: float | None  # on validation, in [0, 1]
    error: bool
    chosen: bool
    told: str  # below it, in a few characters
    words: str  # when pointed at


def lineage(
    kin: Sequence[Kin], *, key: str, selected: int | None, on_select: Callable[[int], None], height: str = "31rem"
) -> None:  # fmt: skip
    """Draw it.

    Args:
        kin: by number, parents before their children.
        height: CSS `max-height`; beyond it the forest scrolls.
    """
    places = place([(one.number, one.parent) for one in kin])
    nodes = [{**asdict(one), "x": places[one.number][0], "y": places[one.number][1]} for one in kin]
    data = {
        "nodes": nodes, "selected": selected, "height": height, "label": f"Family tree of {len(kin)} candidates",
        "columns": 1 + max((x for x, _ in places.values()), default=0),
        "rows": 1 + max((y for _, y in places.values()), default=0),
    }  # fmt: skip

    def select() -> None:
        number = st.session_state[key]["select"]
        if number is not None:
            on_select(int(number))

    _component(data=data, key=key, on_select_change=select)


def place(kin: Sequence[tuple[int, int | None]]) -> dict[int, tuple[int, int]]:
    """Column and row of each (number, parent): columns by generation, a first child in the row of its parent."""
    children: dict[int | None, list[int]] = {}
    known = {number for number, _ in kin}
    for number, parent in kin:
        children.setdefault(parent if parent in known else None, []).append(number)
    places: dict[int, tuple[int, int]] = {}
    todo = [(number, 0) for number in reversed(children.get(None, []))]
    row, last = -1, -1
    while todo:
        number, column = todo.pop()
        if column <= last or row < 0:  # no first child of the one before
            row += 1
        places[number] = (column, row)
        last = column
        todo += [(child, column + 1) for child in reversed(children.get(number, []))]
    return places
