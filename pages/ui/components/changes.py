"""The step-wise difference of two workflows, with the words that changed marked."""

from __future__ import annotations

import streamlit as st

from autoflow.lang.diff import WorkflowDiff
from autoflow.report.changes import changes, counted
from pages.ui.components.assets import script, style

_component = st.components.v2.component(
    "autoflow_changes", html='<div class="frame"><ul></ul></div>', css=style("changes"), js=script("changes")
)
MOST = 100  # steps; more are counted, not shown


def change_list(found: WorkflowDiff, *, key: str) -> None:
    """What it comes to in a sentence, then each step that differs."""
    st.text(counted(found))
    records = changes(found)
    if records:
        _component(data={"records": records[:MOST], "label": "What changed, step by step"}, key=key)
    if len(records) > MOST:
        st.caption(f"and {len(records) - MOST:,} more")
