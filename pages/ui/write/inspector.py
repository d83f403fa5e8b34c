"""The form of the selected step. Every field saves when it is left; renaming lets references follow."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from autoflow.lang import edit
from autoflow.lang.workflow import STEP_TYPES, Branch, Step, fold
from pages.ui.components.steps import problems_by_step
from pages.ui.write import board, branches, draft, fields, problems
from pages.ui.write.draft import Draft


def draw(shown: Draft) -> None:
    """Nothing where the workflow has no steps; the cards say then what to do."""
    step, index = shown.step, shown.selected
    if step is None or index is None:
        return
    with st.container(border=True, key="write-step"):
        _head(shown, index)
        problems.of_step(shown, problems_by_step(shown.workflow, shown.diagnostics).get(index, ()))
        _name(shown, step, index)
        _type(shown, step, index)
        _instruction(shown, step, index)
        if step.type != "terminal" or step.branches:
            branches.draw(shown, step, index)


def _head(shown: Draft, index: int) -> None:
    last = len(shown.workflow.steps) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**Step {index + 1}** of {last + 1}")
        st.space("stretch")
        st.button(
            "Move up", icon=":material/arrow_upward:", type="tertiary", key="step-up", disabled=index == 0,
            on_click=board.move, args=(shown.id, index, index - 1),
        )  # fmt: skip
        st.button(
            "Move down", icon=":material/arrow_downward:", type="tertiary", key="step-down", disabled=index == last,
            on_click=board.move, args=(shown.id, index, index + 1),
        )  # fmt: skip
        st.button(
            "Add after", icon=":material/add:", type="tertiary", key="step-add", on_click=board.add,
            args=(shown.id, index),
        )  # fmt: skip
        st.button(
            "Remove", icon=":material/delete:", type="tertiary", key="step-remove", on_click=board.ask_to_remove,
            args=(index,),
        )  # fmt: skip


def _name(shown: Draft, step: Step, index: int) -> None:
    key = "step-name"
    fields.follow(key, step.name)
    words = "Branches that lead here follow."
    st.text_input("Name", key=key, on_change=_rename, args=(shown.id, index, key), help=words)


def _rename(workflow_id: str, index: int, key: str) -> None:
    name = str(st.session_state[key])
    fields.commit(workflow_id, key, lambda text: edit.rename_step(text, index, name))


def _type(shown: Draft, step: Step, index: int) -> None:
    key = "step-type"
    fields.follow(key, step.type if step.type in STEP_TYPES else None)
    st.segmented_control(
        "Type", list(STEP_TYPES), key=key, on_change=_retype, args=(shown.id, index, key),
        help="A process does something, a decision chooses a branch, a terminal gives the answer and ends.",
    )  # fmt: skip


def _retype(workflow_id: str, index: int, key: str) -> None:
    picked = st.session_state[key]
    if picked is None:  # the chosen segment was pressed again
        return
    steps = draft.read(draft.seen(workflow_id).text).workflow.steps
    onward = steps[min(index + 1, len(steps) - 1)].name
    fields.alter(
        workflow_id, index, key,
        lambda step: replace(step, type=picked, branches=_branches_for(picked, step.branches, onward)),
    )  # fmt: skip


def _branches_for(kind: str, present: tuple[Branch, ...], onward: str) -> tuple[Branch, ...]:
    """The branches that a step keeps when its type changes; new ones lead to the step after it."""
    if kind == "terminal":
        return ()
    old = present or (Branch("next", onward),)
    if kind == "process":
        return (Branch("next", old[0].target),)
    kept = tuple(Branch("yes" if fold(b.key) == "next" else b.key, b.target) for b in old)
    return kept if len(kept) > 1 else (*kept, Branch("no", onward))


def _instruction(shown: Draft, step: Step, index: int) -> None:
    key = "step-instruction"
    fields.follow(key, step.instruction)
    st.text_area("Instruction", key=key, height=110, on_change=_instruct, args=(shown.id, index, key))


def _instruct(workflow_id: str, index: int, key: str) -> None:
    words = str(st.session_state[key])
    fields.alter(workflow_id, index, key, lambda step: replace(step, instruction=words))
