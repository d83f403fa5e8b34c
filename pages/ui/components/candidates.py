"""The candidates of a study as a table whose rows can be selected: what the charts show, in words and for keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.ui.components.assets import script, style

_HTML = """
<div class="frame"><table role="grid"><thead><tr></tr></thead><tbody></tbody></table></div>
"""
_component = st.components.v2.component(
    "autoflow_candidates", html=_HTML, css=style("candidates"), js=script("candidates")
)
COLUMNS = (
    ("number", "#", False, "In the order in which they were made. ★: the chosen one. ✕: has errors, was not run."),
    ("parent", "From", False, "The candidate that it was made of."),
    ("round", "Round", False, ""),
    ("operator", "Change", True, "What made it."),
    ("train", "Train", False, "Mean reward on the train tasks that it was run on."),
    ("val", "Validation", False, "Mean score on all validation tasks."),
    ("interval", "± 95 %", False, "Half of the 95 % interval over tasks."),
    ("valid", "Usable", False, "Share of its runs that ended with an answer that can be used."),
    ("tokens", "Tokens", False, "A run."),
    ("cost", "Cost", False, "A run."),
)  # fmt: skip


def candidate_table(
    rows: Sequence[dict[str, Any]], *, key: str, selected: int | None, on_select: Callable[[int], None],
    height: str = "31rem",
) -> None:  # fmt: skip
    """Draw them.

    Args:
        rows: see `pages.ui.optimize.figures.rows`.
        height: CSS `max-height`; beyond it the table scrolls.
    """
    columns = [{"id": id, "name": name, "wide": wide, "note": note} for id, name, wide, note in COLUMNS]
    data = {
        "columns": columns, "rows": list(rows), "selected": selected, "height": height, "label": "Candidates",
    }  # fmt: skip

    def select() -> None:
        number = st.session_state[key]["select"]
        if number is not None:
            on_select(int(number))

    _component(data=data, key=key, on_select_change=select)
