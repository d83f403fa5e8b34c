"""Fields whose value is the workflow's, not the session's; what breaks a rule stays in its field with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from autoflow.lang.edit import EditResult, update_step
from autoflow.lang.workflow import Step
from pages.ui.plain import plain
from pages.ui.write import draft

_REFUSED = "write-refused"  # (key of the field, value, why)


def follow(key: str, value: Any) -> None:
    """Let the field `key` show `value`, as the store has it by now, unless what it holds was refused.

    Set only where it differs: setting a value sends it to the browser, where it would replace what is being typed.
    """
    refused = st.session_state.get(_REFUSED)
    if refused and refused[0] == key and refused[1] == st.session_state.get(key):
        st.caption(f":red[:material/error: {plain(refused[2], 300)}]")
    elif st.session_state.get(key) != value:
        st.session_state[key] = value


def commit(workflow_id: str, key: str, edit: Callable[[str], EditResult]) -> None:
    """Save the edit that the field `key` stands for; a refusal leaves the field as the person left it.

    Args:
        key: "" for a button: a refusal is then said above the page.
    """
    st.session_state.pop(_REFUSED, None)
    if not key:
        draft.change_or_say(workflow_id, edit)
    elif not (result := draft.change(workflow_id, edit)).ok:
        st.session_state[_REFUSED] = (key, st.session_state[key], draft.why_not(result))


def alter(workflow_id: str, index: int, key: str, change: Callable[[Step], Step]) -> None:
    """Save a change of one step as it is by now: two fields may be left before the page is drawn again."""
    new = change(draft.step_now(workflow_id, index))
    commit(workflow_id, key, lambda text: update_step(text, index, new))
