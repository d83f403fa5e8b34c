"""The trace of a run as a list of visits, drawn in the browser by `rows.js` and `trace.js`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui.components.assets import script, style

_component = st.components.v2.component(
    "autoflow_trace", html="<ol></ol>\n", css=style("trace"), js=script("rows") + script("trace")
)


def trace(visits: Sequence[dict[str, Any]], *, key: str, label: str = "Steps of the run") -> int | None:
    """Draw visits; returns the number of the visit from which the person asks to run again, once.

    Args:
        visits: each with visit, step, type, state (done, running, unfinished), branch, figures, why, answer, warnings
            and details (title, parts of label, text and note); see `autoflow.report.visits`.
        key: one a place on the page; rows that stay keep what was opened.
    """
    shown = _component(key=key, data={"visits": list(visits), "label": label}, on_fork_change=lambda: None)
    return int(shown.fork) if shown.fork else None
