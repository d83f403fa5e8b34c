"""The workflow as a graph whose nodes can be clicked; what happens to a workflow is drawn on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.workflow import Step, Workflow, fold
from pages.ui.components.assets import script, style
from pages.ui.components.layered import DECISION_HEIGHT, NODE_HEIGHT, NODE_WIDTH, Layout, layout
from pages.ui.components.steps import Marks, problems_by_step, target_of

EAGER_LIMIT = 150  # steps; beyond it a graph is drawn when it is asked for
MOST = 1000  # steps; a larger graph could neither be drawn in reasonable time nor be read
_LINE = {"process": 25, "terminal": 22, "decision": 18}  # letters that fit into one line of a node
_HTML = '<div class="frame" tabindex="0" role="region" aria-label="Graph"></div>'
_component = st.components.v2.component("autoflow_graph", html=_HTML, css=style("graph"), js=script("graph"))
_NUMBERED = re.compile(r"(step ?)?\d+")
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
) -> None:
    """Draw the graph; very large ones only when the person asks for them.

    Args:
        height: CSS `max-height` of the frame, such as `60vh`; beyond it the frame scrolls.
    """
    if len(workflow.steps) > EAGER_LIMIT and not _wanted(workflow, key):
        return
    data = {
        "layout": _drawing(workflow, diagnostics, marks or Marks()),
        "selected": selected,
        "selectable": on_select is not None,
        "height": height,
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
    steps = workflow.steps
    edges = _edges(workflow)
    heights = [DECISION_HEIGHT if step.type == "decision" else NODE_HEIGHT for step in steps]
    placed = _placed(len(steps), tuple(edges), tuple(heights))
    problems = problems_by_step(workflow, diagnostics)
    return {
        "width": placed.width,
        "height": placed.height,
        "nodes": [
            {
                **_words(step),
                "index": index, "x": placed.nodes[index][0], "y": placed.nodes[index][1], "w": NODE_WIDTH,
                "h": heights[index], "type": step.type, "state": marks.states.get(index),
                "problem": _worst(problems.get(index, ())),
            }
            for index, step in enumerate(steps)
        ],
        "edges": [
            {
                "points": placed.edges[e], "back": placed.back[e],
                "count": sum(marks.taken.get((source, number), 0) for number in numbers),
                "key": _answers(steps[source], numbers),
            }
            for e, ((source, _), numbers) in enumerate(edges.items())
        ],
    }  # fmt: skip


def _edges(workflow: Workflow) -> dict[tuple[int, int], list[int]]:
    """(step, step it leads to) -> numbers of the branches: two edges between the same two would lie on each other."""
    found: dict[tuple[int, int], list[int]] = {}
    for source, step in enumerate(workflow.steps):
        for number, branch in enumerate(step.branches):
            target = target_of(workflow, branch.target)
            if target is not None:
                found.setdefault((source, target), []).append(number)
    return found


def _answers(step: Step, numbers: Sequence[int]) -> str:
    return "" if step.type == "process" else _cut(", ".join(step.branches[number].key for number in numbers), 22)


@st.cache_resource(max_entries=200, show_spinner=False)
def _placed(count: int, edges: tuple[tuple[int, int], ...], heights: tuple[float, ...]) -> Layout:
    return layout(count, edges, heights)


def _words(step: Step) -> dict[str, Any]:
    """What is written in a node: its name, and where the name is a mere `Step 3`, how its instruction begins."""
    fit = _LINE.get(step.type, _LINE["process"])
    lines = [_cut(step.name, fit)]
    if step.instruction and _NUMBERED.fullmatch(fold(step.name)):
        lines.append(_cut(step.instruction, fit + 2))
    return {"title": f"{step.name} ({step.type}): {step.instruction}", "lines": lines}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _worst(problems: Sequence[Diagnostic]) -> str | None:
    return min((d.severity for d in problems), key=_ORDER.index, default=None)
