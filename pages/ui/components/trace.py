"""The trace of a run as a list of visits, drawn in the browser by `rows.js` and `trace.js`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui.components.assets import script, style

_component = st.components.v2.component(
    "autoflow_trace", html="<ol></ol>\n", css=style("trace"), js=script("rows") + script("trace")
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person asks for, once."""

    fork: int | None = None  # to run again from this visit on
    picture: str | None = None  # to look at this one: its sha256, as the browser sent it


def trace(
    visits: Sequence[dict[str, Any]], *, key: str, label: str = "Steps of the run",
    sources: Mapping[str, str] | None = None,
) -> Asked:  # fmt: skip
    """Draw visits.

    Args:
        visits: each with visit, step, type, state (done, running, unfinished), branch, figures, why, answer, warnings,
            pictures, and details (title, parts of label, text and note); see `autoflow.report.visits`.
        key: one a place on the page; rows that stay keep what was opened.
        sources: addresses of small pictures, by sha256; a picture without one is named only.
    """
    data = {"visits": list(visits), "label": label, "sources": dict(sources or {})}
    shown = _component(key=key, data=data, on_fork_change=lambda: None, on_open_change=lambda: None)
    return Asked(int(shown.fork) if shown.fork else None, str(shown.open) if shown.open else None)
