"""The form of the selected step. Every field saves when it is left; renaming lets references follow."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from autoflow.lang import edit
from autoflow.lang.workflow import STEP_TYPES, Branch, Step, fold
from pages.ui.components.steps import problems_by_step
from pages.ui.write import board, branches, fields, problems
from pages.ui.write.draft import At, Draft


def draw(shown: Draft) -> None:
    """Nothing where the workflow has no steps; the cards say then what to do."""
    step, index = shown.step, shown.selected
    if step is None or index is None:
        return
    at, steps = shown.at(index), shown.workflow.steps
    onward = steps[min(index + 1, len(steps) - 1)].name
    with st.container(border=True, key="write-step"):
        _head(shown, index)
        problems.of_step(shown, problems_by_step(shown.workflow, shown.diagnostics).get(index, ()))
        _name(at, step)
        _type(at, step, onward)
        _instruction(at, step)
        if step.type != "terminal" or step.branches:
            branches.draw(shown, step, at, onward)


def _head(shown: Draft, index: int) -> None:
    last, at = len(shown.workflow.steps) - 1, shown.at(index)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**Step {index + 1}** of {last + 1:,}")
        st.space("stretch")
        st.button(
            "Move up", icon=":material/arrow_upward:", type="tertiary", key="step-up", disabled=index == 0,
            on_click=board.move, args=(at, index - 1),
        )  # fmt: skip
        st.button(
            "Move down", icon=":material/arrow_downward:", type="tertiary", key="step-down", disabled=index == last,
            on_click=board.move, args=(at, index + 1),
        )  # fmt: skip
        st.button("Add after", icon=":material/add:", type="tertiary", key="step-add", on_click=board.add, args=(at,))
        st.button(
            "Remove", icon=":material/delete:", type="tertiary", key="step-remove", on_click=board.ask_to_remove,
            args=(at,),
        )  # fmt: skip


def _name(at: At, step: Step) -> None:
    key = fields.key_of("step-name", at, step.name)
    st.text_input("Name", step.name, key=key, on_change=_rename, args=(at, key), help="Branches that lead here follow.")
    fields.late(key, step.name, _rename, at)
    fields.explain(key)


def _rename(at: At, key: str) -> None:
    name = str(st.session_state[key])
    fields.commit(at, key, lambda text: edit.rename_step(text, at.index, name))


def _type(at: At, step: Step, onward: str) -> None:
    key = fields.key_of("step-type", at, step.type)
    known = step.type if step.type in STEP_TYPES else None
    st.segmented_control(
        "Type", list(STEP_TYPES), default=known, key=key, on_change=_retype, args=(at, key, onward),
        help="A process does something, a decision chooses a branch, a terminal gives the answer and ends.",
    )  # fmt: skip
    fields.explain(key)


def _retype(at: At, key: str, onward: str) -> None:
    picked = st.session_state[key]
    if picked is not None:  # None: the chosen segment was pressed again
        fields.alter(
            at, key, lambda step: replace(step, type=picked, branches=_branches_for(picked, step.branches, onward))
        )


def _branches_for(kind: str, present: tuple[Branch, ...], onward: str) -> tuple[Branch, ...]:
    """The branches that a step keeps when its type changes; new ones lead `onward`."""
    if kind == "terminal":
        return ()
    old = present or (Branch("next", onward),)
    if kind == "process":
        return (Branch("next", old[0].target),)
    kept = tuple(Branch("yes" if fold(b.key) == "next" else b.key, b.target) for b in old)
    return kept if len(kept) > 1 else (*kept, Branch("no", onward))


def _instruction(at: At, step: Step) -> None:
    key = fields.key_of("step-instruction", at, step.instruction)
    st.text_area("Instruction", step.instruction, key=key, height=110, on_change=_instruct, args=(at, key))
    fields.late(key, step.instruction, _instruct, at)
    fields.explain(key)


def _instruct(at: At, key: str) -> None:
    words = str(st.session_state[key])
    fields.alter(at, key, lambda step: replace(step, instruction=words))
