"""The right half of the page: the graph or the text, whichever is open."""

from __future__ import annotations

import streamlit as st

from pages.ui.components.graph import graph
from pages.ui.components.textview import text_editor
from pages.ui.format import plural
from pages.ui.write import draft, problems
from pages.ui.write.draft import Draft

VIEWS = ("Graph", "Text", "Problems")


def draw(shown: Draft) -> None:
    count = len(shown.diagnostics) if shown.record.text.strip() else 0
    found = plural(count, "problem") if count else "Problems"
    asked = st.query_params.get("view")
    st.session_state.setdefault("view", asked if asked in VIEWS else VIEWS[0])
    view = st.segmented_control(
        "View", VIEWS, key="view", required=True, label_visibility="collapsed", on_change=_remember,
        format_func=lambda v: found if v == "Problems" else v,
    )  # fmt: skip
    if view == "Graph":
        _graph(shown)
    elif view == "Text":
        _text(shown)
    if view != "Graph":
        problems.listed(shown)


def _remember() -> None:
    """Put the open view into the URL, by its name: `bind` would put its label there, with a number that changes."""
    st.query_params["view"] = st.session_state["view"]


def _graph(shown: Draft) -> None:
    if not shown.workflow.steps:
        st.caption("The graph appears with the first step.")
        return
    graph(
        shown.workflow, key="write-graph", diagnostics=shown.diagnostics, selected=shown.selected,
        on_select=draft.select, height="50vh",
    )  # fmt: skip


def _text(shown: Draft) -> None:
    text_editor(
        shown.record.text,
        key=f"write-text-{shown.id}",
        revision=shown.record.revision,
        diagnostics=shown.diagnostics,
        line=shown.step.line if shown.step else None,
        on_save=lambda text, revision: _save(shown.id, text, revision),
        on_line=lambda line: _go_to(shown, line),
    )
    st.caption("Saved as you type. A step is a line: name, type, instruction and branches, parted by three colons.")


def _save(workflow_id: str, text: str, revision: int) -> None:
    draft.save(workflow_id, text, revision)


def _go_to(shown: Draft, line: int) -> None:
    """Select the step on this line, if there is one."""
    index = next((i for i, step in enumerate(shown.workflow.steps) if step.line == line), None)
    if index is not None and index != shown.selected:
        draft.select(index)
