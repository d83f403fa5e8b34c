"""The step cards, a page of them at a time, and what can be done with them."""

from __future__ import annotations

from math import ceil

import streamlit as st

from autoflow.lang import edit
from pages.ui.components.steps import Handlers, step_cards, target_of
from pages.ui.format import plural
from pages.ui.plain import plain
from pages.ui.write import draft
from pages.ui.write.draft import Draft

PAGE = 25  # cards drawn at once


def draw(shown: Draft) -> None:
    steps = shown.workflow.steps
    if not steps:
        _empty(shown)
        return
    step_cards(
        shown.workflow,
        key="write-cards",
        diagnostics=shown.diagnostics,
        selected=shown.selected,
        window=_window(shown),
        on=Handlers(
            select=draft.select,
            move=lambda source, target: move(shown.id, source, target),
            remove=lambda index: ask_to_remove(index),
            add=lambda index: add(shown.id, index),
        ),
        editable=True,
        height="68vh",
    )
    if len(steps) > PAGE:
        _pages(shown)


def _window(shown: Draft) -> range:
    """The page that holds the selected step."""
    start = (shown.selected or 0) // PAGE * PAGE
    return range(start, min(start + PAGE, len(shown.workflow.steps)))


def _pages(shown: Draft) -> None:
    """Turning a page selects its first step, so that cards, form and URL never disagree."""
    count = ceil(len(shown.workflow.steps) / PAGE)
    page = (shown.selected or 0) // PAGE + 1
    key = f"write-page-{page}"  # a widget of its own a page: it must follow what is selected elsewhere
    st.pagination(count, default=page, key=key, on_change=lambda: draft.select((st.session_state[key] - 1) * PAGE))


def _empty(shown: Draft) -> None:
    with st.container(border=True, key="write-empty"):
        st.markdown("**No steps yet**")
        st.text("Say above what should get done and press Generate, or begin with a step of your own.")
        st.button("Add the first step", icon=":material/add:", key="add-first", on_click=add, args=(shown.id, -1))


def add(workflow_id: str, after: int) -> None:
    """A new step after this one (-1: at the start), linked in between, and selected so that its form is open."""
    _follow(draft.change_or_say(workflow_id, lambda text: edit.add_step(text, after)))


def move(workflow_id: str, source: int, target: int) -> None:
    _follow(draft.change_or_say(workflow_id, lambda text: edit.move_step(text, source, target)))


def _follow(result: edit.EditResult) -> None:
    if result.ok and result.index is not None:
        draft.select(result.index)


def ask_to_remove(index: int) -> None:
    """Remember the wish; the dialog opens in the run that follows."""
    st.session_state["write-remove"] = index


def removal(shown: Draft) -> None:
    """The dialog for the step that a person asked to remove, if any."""
    index = st.session_state.pop("write-remove", None)
    if index is not None and index < len(shown.workflow.steps):
        _remove_dialog(shown, int(index))


@st.dialog("Remove a step")
def _remove_dialog(shown: Draft, index: int) -> None:
    step = shown.workflow.steps[index]
    st.text(f"{step.name}: {step.instruction}")
    leading = sum(target_of(shown.workflow, b.target) == index for s in shown.workflow.steps for b in s.branches)
    onward = [b.target for b in step.branches if target_of(shown.workflow, b.target) not in (None, index)]
    rejoin = False
    if leading and onward:
        rejoin = st.checkbox(
            f"Let the {plural(leading, 'branch', 'branches')} that lead here go on to {plain(onward[0], 40)}",
            value=True, key="remove-rejoin",
        )  # fmt: skip
    elif leading:
        words = "One branch leads" if leading == 1 else f"{leading} branches lead"
        st.text(f"{words} here; they will be shown as problems until they lead elsewhere.")
    if st.button("Remove", type="primary", icon=":material/delete:", key="remove-now"):
        if draft.change_or_say(shown.id, lambda text: edit.delete_step(text, index, rejoin=rejoin)).ok:
            draft.select(max(0, index - 1))
        st.rerun()
