"""Where the selected step goes on: one row a branch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from autoflow.lang.workflow import Branch, Step
from pages.ui.components.steps import target_of
from pages.ui.write import fields
from pages.ui.write.draft import At, Draft

Branches = tuple[Branch, ...]
LISTED = 500  # steps; beyond it a target is typed, since every list would travel to the browser
MOST = 12  # branches with fields; more are edited in the text


def draw(shown: Draft, step: Step, at: At, onward: str) -> None:
    """`onward`: the name of the step after this one, where a new branch leads."""
    decision = step.type != "process"
    st.caption("Branches" if decision else "Goes on to")
    for number in range(min(len(step.branches), MOST)):
        _row(shown, step, at, number, decision)
    if len(step.branches) > MOST:
        st.caption(f"and {len(step.branches) - MOST} more, in the text")
    if decision or not step.branches:
        st.button(
            "Add a branch", icon=":material/add:", type="tertiary", key="branch-add", on_click=_add,
            args=(at, onward, decision),
        )  # fmt: skip


def _row(shown: Draft, step: Step, at: At, number: int, decision: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key=f"branch-{number}"):
        key = fields.key_of(f"branch-key-{number}", at, step.branches[number].key)
        target = fields.key_of(f"branch-target-{number}", at, step.branches[number].target)
        if decision:
            st.text_input(
                f"Answer of branch {number + 1}", step.branches[number].key, key=key, label_visibility="collapsed",
                width=120, placeholder="answer", on_change=_rekey, args=(at, number, key),
            )  # fmt: skip
            fields.late(key, step.branches[number].key, _rekey, at, number)
        _target(shown, step.branches[number], at, number, target)
        if decision:
            st.button(
                "Remove", icon=":material/close:", type="tertiary", key=f"branch-remove-{number}", on_click=_remove,
                args=(at, number),
            )  # fmt: skip
    fields.explain(key)
    fields.explain(target)


def _target(shown: Draft, branch: Branch, at: At, number: int, key: str) -> None:
    label, args = f"Target of branch {number + 1}", (at, number, key)
    steps = shown.workflow.steps
    if len(steps) > LISTED:
        st.text_input(label, branch.target, key=key, label_visibility="collapsed", on_change=_retarget, args=args)
        return
    place = target_of(shown.workflow, branch.target)
    value = branch.target if place is None else steps[place].name
    names = list(dict.fromkeys(s.name for s in steps))
    options = names if value in names else [value, *names]
    st.selectbox(
        label, options, index=options.index(value), key=key, label_visibility="collapsed",
        format_func=lambda name: _numbered(shown, name), on_change=_retarget, args=args,
    )  # fmt: skip


def _numbered(shown: Draft, name: str) -> str:
    place = target_of(shown.workflow, name)
    return f"{name} (no such step)" if place is None else f"{place + 1}  {name}"


def _put(at: At, key: str, change: Callable[[Branches], Branches]) -> None:
    fields.alter(at, key, lambda step: replace(step, branches=change(step.branches)))


def _rekey(at: At, number: int, key: str) -> None:
    words = str(st.session_state[key])
    _put(at, key, lambda old: _with(old, number, Branch(words, old[number].target)))


def _retarget(at: At, number: int, key: str) -> None:
    target = st.session_state[key]
    if target is not None:
        _put(at, key, lambda old: _with(old, number, Branch(old[number].key, str(target))))


def _with(branches: Branches, number: int, branch: Branch) -> Branches:
    return (*branches[:number], branch, *branches[number + 1 :])


def _remove(at: At, number: int) -> None:
    _put(at, "", lambda old: old[:number] + old[number + 1 :])


def _add(at: At, target: str, decision: bool) -> None:
    """One more branch, with an answer that is not taken yet."""

    def longer(old: Branches) -> Branches:
        taken = {b.key.casefold() for b in old}
        free = (key for key in ("yes", "no", *(f"answer {n}" for n in range(3, 1000))) if key not in taken)
        return (*old, Branch(next(free) if decision else "next", target))

    _put(at, "", longer)
