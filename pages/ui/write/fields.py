"""Fields of a form that save when they are left; what breaks a rule stays in its field with the reason.

The key of a field holds its step and the value that the store has. A browser may send what a field held a moment ago,
after the step or the value has changed: with a key of its own such a message means a field that is gone, and is not
taken for an edit of the one that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import streamlit as st

from autoflow.errors import SettingsError
from autoflow.lang.edit import EditResult, update_step
from autoflow.lang.workflow import Step
from pages.ui.plain import plain
from pages.ui.write import draft
from pages.ui.write.draft import At

_REFUSED = "write-refused"  # key of a field -> why it was refused
_DRAWN = "write-drawn"  # keys of the fields that this session has shown


def key_of(name: str, place: object, value: str) -> str:
    """The key of the field `name` of a step or a workflow that has this value in the store."""
    where = f"{place.workflow_id}-{place.index}" if isinstance(place, At) else str(place)
    return f"{name}-{where}-{blake2b(value.encode('utf-8', 'replace'), digest_size=6).hexdigest()}"


def late(key: str, value: str, save: Callable[..., None], *args: object) -> None:
    """Save what a browser brought along into a session that had not drawn this field yet.

    That is a tab of before a restart of the app, in which somebody typed before the page was drawn anew: no callback
    tells of it. Begins the page again where it saved.
    """
    drawn: set[str] = st.session_state.setdefault(_DRAWN, set())
    known = key in drawn
    drawn.add(key)
    if not known and str(st.session_state[key]) != value:
        save(*args, key)
        st.rerun()


def explain(key: str) -> None:
    """Why what this field holds was refused, if it was."""
    if why := _refused().get(key):
        st.markdown(f":small[:red[:material/error: {plain(why, 300)}]]")  # a caption would be too pale


def _refused() -> dict[str, str]:
    found: dict[str, str] = st.session_state.setdefault(_REFUSED, {})
    return found


def commit(at: At, key: str, edit: Callable[[str], EditResult], *, moved: bool = False) -> None:
    """Save the edit that the field `key` stands for; a refusal leaves the field as the person left it.

    Args:
        key: "" for a button: a refusal is then said above the page.
    """
    _refused().pop(key, None)
    if not key:
        draft.change_or_say(at, edit, moved=moved)
        return
    try:
        result = draft.change(at, edit, moved=moved)
    except SettingsError as error:
        draft.notice(f"{error} You had put: {st.session_state[key]}")
        return
    if not result.ok:
        _refused()[key] = draft.why_not(result)


def alter(at: At, key: str, change: Callable[[Step], Step]) -> None:
    """Save a change of one step as it is by now: two fields may be left before the page is drawn again."""

    def edit(text: str) -> EditResult:
        return update_step(text, at.index, change(draft.read(text).workflow.steps[at.index]))

    commit(at, key, edit)
