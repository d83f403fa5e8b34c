"""All step cards of a workflow in one component: a listbox that can be clicked, dragged and driven by keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.workflow import Branch, Workflow, fold
from pages.ui.components.assets import script, style

State = Literal["current", "visited", "idle"]

_HTML = """
<div class="steps" role="listbox" tabindex="0"></div>
<p class="hint"><kbd>↑</kbd> <kbd>↓</kbd> select · drag or <kbd>Alt</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move ·
<kbd>Insert</kbd> add · <kbd>Delete</kbd> remove</p>
"""
_component = st.components.v2.component("autoflow_steps", html=_HTML, css=style("steps"), js=script("steps"))


@dataclass(frozen=True, slots=True)
class Marks:
    """What a page wants to see on the cards besides the workflow. Positions are 0-based."""

    badges: Mapping[int, Sequence[str]] = field(default_factory=dict)  # short texts, such as `2 visits`
    states: Mapping[int, State] = field(default_factory=dict)
    taken: Mapping[tuple[int, int], int] = field(default_factory=dict)  # (step, number of its branch) -> times taken
    signs: Mapping[int, str] = field(default_factory=dict)  # a letter at a node of the graph, such as `+` for a new one


@dataclass(frozen=True, slots=True)
class Handlers:
    """What the cards may do. Each is called before the page is drawn again, with 0-based positions."""

    select: Callable[[int], None] | None = None
    move: Callable[[int, int], None] | None = None
    remove: Callable[[int], None] | None = None
    add: Callable[[int], None] | None = None  # after this step; -1: at the start


def step_cards(
    workflow: Workflow,
    *,
    key: str,
    diagnostics: Sequence[Diagnostic] = (),
    selected: int | None = None,
    window: range | None = None,
    marks: Marks | None = None,
    on: Handlers | None = None,
    editable: bool = False,
    unfinished: bool = False,
    height: str = "none",
) -> None:
    """Draw the steps of `window` (all of them by default) as cards.

    Args:
        height: CSS `max-height` of the list, such as `70vh`; beyond it the list scrolls.
        unfinished: more steps are to come, so a target that is no step yet is no fault.
        editable: offers moving, adding and removing, which `on` then has to answer.
    """
    shown = range(len(workflow.steps)) if window is None else window
    problems = problems_by_step(workflow, diagnostics)
    data = {
        "steps": [_card(workflow, i, problems.get(i, ()), marks or Marks(), unfinished) for i in shown],
        "selected": selected if selected in shown else None,
        "editable": editable,
        "total": len(workflow.steps),
        "height": height,
        "label": f"Steps {shown.start + 1} to {shown.stop}" if shown else "No steps",
    }
    asked = on or Handlers()
    _component(
        data=data, key=key, on_select_change=_one(key, "select", asked.select), on_move_change=_two(key, asked.move),
        on_remove_change=_one(key, "remove", asked.remove), on_add_change=_one(key, "add", asked.add),
    )  # fmt: skip


def problems_by_step(workflow: Workflow, diagnostics: Sequence[Diagnostic]) -> dict[int, list[Diagnostic]]:
    """Position of a step -> what was found on its line."""
    at_line = {step.line: position for position, step in enumerate(workflow.steps) if step.line}
    found: dict[int, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        position = at_line.get(diagnostic.line)
        if position is not None:
            found.setdefault(position, []).append(diagnostic)
    return found


def _card(
    workflow: Workflow, index: int, problems: Sequence[Diagnostic], marks: Marks, unfinished: bool
) -> dict[str, Any]:
    step = workflow.steps[index]
    branches = [_branch(workflow, b, marks.taken.get((index, n), 0)) for n, b in enumerate(step.branches)]
    return {
        "index": index,
        "name": step.name,
        "type": step.type,
        "instruction": step.instruction,
        "branches": [b | {"lost": b["to"] is None and not unfinished} for b in branches],
        "problems": {s: sum(d.severity == s for d in problems) for s in ("error", "warning", "information")},
        "badges": [{"text": text} for text in marks.badges.get(index, ())],
        "state": marks.states.get(index),
    }


def _branch(workflow: Workflow, branch: Branch, count: int) -> dict[str, Any]:
    return {"key": branch.key, "target": branch.target, "to": target_of(workflow, branch.target), "count": count}


def target_of(workflow: Workflow, target: str) -> int | None:
    """Position of the step that a target names, None where there is none."""
    return workflow.index.get(fold(target))


def _one(key: str, name: str, handler: Callable[[int], None] | None) -> Callable[[], None]:
    def call() -> None:
        position = st.session_state[key][name]
        if handler is not None and position is not None:
            handler(int(position))

    return call


def _two(key: str, handler: Callable[[int, int], None] | None) -> Callable[[], None]:
    def call() -> None:
        places = st.session_state[key]["move"]
        if handler is not None and places is not None:
            handler(int(places["from"]), int(places["to"]))

    return call
