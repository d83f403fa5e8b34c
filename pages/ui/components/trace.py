"""The trace of a run as a list of visits, drawn in the browser by `trace.js`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent
_component = st.components.v2.component(
    "autoflow_trace",
    html="<ol></ol>\n",
    css=(HERE / "trace.css").read_text("utf-8"),
    js=(HERE / "trace.js").read_text("utf-8"),
)


def trace(
    visits: Sequence[dict[str, Any]],
    *,
    key: str,
    label: str = "Steps of the run",
    on_fork: Callable[[], None] | None = None,
) -> Any:
    """Draw visits.

    Args:
        visits: each with visit, step, type, state (done, running, unfinished), branch, figures, why, answer, warnings
            and details (title, parts of label, text and note); see `pages.ui.run.rows`.
        key: one a place on the page; rows that stay keep what was opened.
        on_fork: called when the person asks to run again from a visit; its number is in `st.session_state[key].fork`.
    """
    return _component(key=key, data={"visits": list(visits), "label": label}, on_fork_change=on_fork or (lambda: None))
