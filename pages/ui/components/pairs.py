"""Two traces beside each other, the steps that are the same on one line."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from autoflow.interpret.trace import StepView
from autoflow.report.align import align
from autoflow.report.visits import row
from pages.ui.components.assets import script, style

_component = st.components.v2.component(
    "autoflow_pairs", html='<div class="grid" role="group"></div>', css=style("trace") + style("pairs"),
    js=script("rows") + script("pairs"),
)  # fmt: skip


def trace_pairs(a: Sequence[StepView], b: Sequence[StepView], names: tuple[str, str], *, task: str, key: str) -> None:
    """Draw both of this task; a step that one side has not gone through stands beside a gap."""
    pairs = [
        [None if view is None else {**row(view, running=False), "can_fork": False} for view in both]
        for both in align(a, b)
    ]
    _component(data={"pairs": pairs, "names": names, "label": f"Both traces of {task}"}, key=key)
