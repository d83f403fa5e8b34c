"""The step cards, a page of them at a time, and what can be done with them."""

from __future__ import annotations

from math import ceil

import streamlit as st

from autoflow.lang import edit
from pages.ui.components.steps import Handlers, step_cards, target_of
from pages.ui.plain import plain
from pages.ui.write import draft
from pages.ui.write.draft import At, Draft

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
            move=lambda source, target: move(shown.at(source), target),
            remove=lambda index: ask_to_remove(shown.at(index)),
            add=lambda index: add(shown.at(index)),
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
        st.text("Say under Task above what should get done and press Generate, or begin with a step of your own.")
        st.button("Add the first step", icon=":material/add:", key="add-first", on_click=add, args=(shown.at(-1),))


def add(at: At) -> None:
    """A new step after this one (-1: at the start), linked in between, and selected so that its form is open."""
    _follow(draft.change_or_say(at, lambda text: edit.add_step(text, at.index)))


def move(at: At, target: int) -> None:
    _follow(draft.change_or_say(at, lambda text: edit.move_step(text, at.index, target)))


def _follow(result: edit.EditResult | None) -> None:
    if result is not None and result.index is not None:
        draft.select(result.index)


def ask_to_remove(at: At) -> None:
    """Remember the wish; the dialog opens in the run that follows."""
    st.session_state["write-remove"] = at


def removal(shown: Draft) -> None:
    """The dialog for the step that a person asked to remove, if any."""
    at = st.session_state.pop("write-remove", None)
    if at is not None and at == shown.at(at.index):
        _remove_dialog(shown, at)


@st.dialog("Remove a step")
def _remove_dialog(shown: Draft, at: At) -> None:
    step = shown.workflow.steps[at.index]
    st.text(f"{step.name}: {step.instruction}")
    leading = sum(target_of(shown.workflow, b.target) == at.index for s in shown.workflow.steps for b in s.branches)
    onward = [b.target for b in step.branches if target_of(shown.workflow, b.target) not in (None, at.index)]
    rejoin = False
    if leading and onward:
        many = "The branch that leads here goes" if leading == 1 else f"The {leading} branches that lead here go"
        rejoin = st.checkbox(f"{many} on to {plain(onward[0], 40)}", value=True, key="remove-rejoin")
    elif leading:
        many = "One branch leads here; it" if leading == 1 else f"{leading} branches lead here; each"
        st.text(f"{many} will be shown as a problem until it leads elsewhere.")
    if st.button("Remove", type="primary", icon=":material/delete:", key="remove-now"):
        if draft.change_or_say(at, lambda text: edit.delete_step(text, at.index, rejoin=rejoin)):
            draft.select(max(0, at.index - 1))
        st.rerun()
