"""The workflow as a graph whose nodes can be clicked; what happens to a workflow is drawn on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.workflow import Workflow
from autoflow.report.drawing import draw
from autoflow.report.layered import NODE_WIDTH, Layout, layout
from pages.ui.components.assets import script, style
from pages.ui.components.steps import Marks, problems_by_step

EAGER_LIMIT = 150  # steps; beyond it a graph is drawn when it is asked for
MOST = 1000  # steps; a larger graph could neither be drawn in reasonable time nor be read
_HTML = '<div class="frame" tabindex="0" role="region" aria-label="Graph"></div>'
_component = st.components.v2.component("autoflow_graph", html=_HTML, css=style("graph"), js=script("graph"))
_ORDER = ("error", "warning", "information")


def graph(
    workflow: Workflow,
    *,
    key: str,
    diagnostics: Sequence[Diagnostic] = (),
    selected: int | None = None,
    marks: Marks | None = None,
    on_select: Callable[[int], None] | None = None,
    height: str = "none",
    label: str = "Graph",
) -> None:
    """Draw the graph; very large ones only when the person asks for them.

    Args:
        height: CSS `max-height` of the frame, such as `60vh`; beyond it the frame scrolls.
        label: names the frame, where there are two on a page.
    """
    if len(workflow.steps) > EAGER_LIMIT and not _wanted(workflow, key):
        return
    data = {
        "layout": _drawing(workflow, diagnostics, marks or Marks()),
        "selected": selected,
        "selectable": on_select is not None,
        "height": height,
        "name": label,
        "label": f"Graph of {len(workflow.steps)} steps; the step cards say the same in words",
    }

    def select() -> None:
        index = st.session_state[key]["select"]
        if on_select and index is not None:
            on_select(int(index))

    _component(data=data, key=key, on_select_change=select)


def _wanted(workflow: Workflow, key: str) -> bool:
    count = len(workflow.steps)
    if count > MOST:
        st.caption(f"A graph of {count:,} steps could not be read. The cards and the text show all of them.")
        return False
    return st.toggle(f"Draw the graph of all {count:,} steps", key=f"{key}-wanted", help="This can take some seconds.")


def _drawing(workflow: Workflow, diagnostics: Sequence[Diagnostic], marks: Marks) -> dict[str, Any]:
    drawn = draw(workflow, _placed)
    problems = problems_by_step(workflow, diagnostics)
    return {
        "width": drawn.width,
        "height": drawn.height,
        "nodes": [
            {
                "index": index, "x": node.x, "y": node.y, "w": NODE_WIDTH, "h": node.height, "type": node.type,
                "title": node.title, "lines": list(node.lines), "state": marks.states.get(index),
                "problem": _worst(problems.get(index, ())), "sign": marks.signs.get(index),
            }
            for index, node in enumerate(drawn.nodes)
        ],
        "edges": [
            {
                "points": edge.points, "back": edge.back, "key": edge.key,
                "count": sum(marks.taken.get((edge.source, number), 0) for number in edge.branches),
            }
            for edge in drawn.edges
        ],
    }  # fmt: skip


@st.cache_resource(max_entries=200, show_spinner=False)
def _placed(count: int, edges: tuple[tuple[int, int], ...], heights: tuple[float, ...]) -> Layout:
    return layout(count, edges, heights)


def _worst(problems: Sequence[Diagnostic]) -> str | None:
    return min((d.severity for d in problems), key=_ORDER.index, default=None)
