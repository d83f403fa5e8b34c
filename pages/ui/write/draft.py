"""The workflow that the Write page shows: read from the store at each run, saved with the revision that was seen.

Of a workflow only two things live in the session: which revision the person is looking at, and a text that could not
be saved. So a reload, a second tab and a restart all find the same draft.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from autoflow.errors import AutoFlowError, Conflict, SettingsError
from autoflow.lang import ParseResult, parse
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.edit import EditResult
from autoflow.lang.workflow import Step, Workflow
from autoflow.records import WorkflowRecord
from pages.ui import services

_SEEN, _UNSAVED, _NOTICE = "write-seen", "write-unsaved", "write-notice"


@dataclass(frozen=True, slots=True)
class At:
    """A place of a workflow as it was drawn, so that what is done there later can tell whether it is still there."""

    workflow_id: str
    index: int  # of a step
    layout: int  # see `Seen`


@dataclass(frozen=True, slots=True)
class Draft:
    """One workflow as it is drawn: its record, and what its text says."""

    record: WorkflowRecord
    result: ParseResult
    layout: int  # see `Seen`

    def at(self, index: int) -> At:
        return At(self.record.id, index, self.layout)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def workflow(self) -> Workflow:
        return self.result.workflow

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.result.diagnostics

    @property
    def selected(self) -> int | None:
        """Position of the step that the URL names (`step=3` is position 2), else the first one."""
        count = len(self.workflow.steps)
        word = st.query_params.get("step", "1")
        if not count:
            return None
        return min(int(word), count) - 1 if word.isdecimal() and 0 < len(word) < 9 and int(word) else 0

    @property
    def step(self) -> Step | None:
        return None if self.selected is None else self.workflow.steps[self.selected]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A text that the store refused, kept until the person decides about it."""

    workflow_id: str
    text: str
    conflict: bool  # another tab saved in between; else the store could not be written
    message: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What this tab shows, and so what its next edit is an edit of."""

    workflow_id: str
    revision: int
    text: str
    layout: int = 0  # grows whenever steps may have changed places, so by every edit but those of a step's own fields


@st.cache_resource(max_entries=100, show_spinner=False)
def read(text: str) -> ParseResult:
    """Parse, once a text: most reruns change nothing."""
    return parse(text)


def load(workflow_id: str) -> Draft:
    """The workflow as it is now; from here on edits are edits of this. Raises NotFound."""
    record = services.store().get_workflow(workflow_id)
    before = st.session_state.get(_SEEN)
    known = isinstance(before, Seen) and (before.workflow_id, before.revision) == (record.id, record.revision)
    if not known:
        _show(record, moved=True)
    return Draft(record, read(record.text), seen(workflow_id).layout)


def _show(record: WorkflowRecord, *, moved: bool) -> None:
    before = st.session_state.get(_SEEN)
    layout = before.layout if isinstance(before, Seen) else 0
    st.session_state[_SEEN] = Seen(record.id, record.revision, record.text, layout + moved)


def seen(workflow_id: str) -> Seen:
    """What this tab shows of the workflow; the present draft where it has shown nothing yet."""
    found = st.session_state.get(_SEEN)
    if isinstance(found, Seen) and found.workflow_id == workflow_id:
        return found
    record = services.store().get_workflow(workflow_id)
    return Seen(record.id, record.revision, record.text)


def still_there(at: At) -> None:
    """Raises SettingsError: steps changed places since the page was drawn, so `at` may mean another one."""
    if seen(at.workflow_id).layout != at.layout:
        raise SettingsError("The steps changed places before this could be done.", "Look again, and repeat it.")


def select(index: int) -> None:
    """Select a step on every form of the workflow; the URL remembers it."""
    st.query_params["step"] = str(index + 1)


def save(workflow_id: str, text: str, revision: int | None = None, *, moved: bool = True) -> bool:
    """Save the draft. A text that cannot be saved is kept and shown with the reason. For callbacks.

    Args:
        revision: what `text` was made from; None: from what this tab shows.
        moved: steps may be at other places than before.
    """
    basis = seen(workflow_id).revision if revision is None else revision
    try:
        record = services.store().save_draft(workflow_id, text, revision=basis)
    except Conflict as error:
        st.session_state[_UNSAVED] = Unsaved(workflow_id, text, True, str(error))
    except AutoFlowError as error:
        st.session_state[_UNSAVED] = Unsaved(workflow_id, text, False, str(error))
    else:
        _show(record, moved=moved)
        return True
    return False


def change(at: At, edit: Callable[[str], EditResult], *, moved: bool = True) -> EditResult:
    """Apply an edit to the text that the person sees, and save what comes of it. A refusal changes nothing.

    Raises SettingsError: steps changed places since the page was drawn.
    """
    still_there(at)
    result = edit(seen(at.workflow_id).text)
    if result.ok:
        save(at.workflow_id, result.text, moved=moved)
    return result


def change_or_say(at: At, edit: Callable[[str], EditResult], *, moved: bool = True) -> EditResult | None:
    """`change`, with a refusal said above the page; None where nothing was changed."""
    try:
        result = change(at, edit, moved=moved)
    except SettingsError as error:
        notice(str(error))
        return None
    if not result.ok:
        notice(why_not(result))
    return result if result.ok else None


def why_not(result: EditResult) -> str:
    """Why an edit was refused, in sentences."""
    found = (" ".join(filter(None, (d.message, f"({d.hint})" if d.hint else ""))) for d in result.diagnostics)
    return "This would break a rule: " + "; ".join(found) + "."


def step_back(workflow_id: str, *, forward: bool = False) -> None:
    """Undo, or redo. For callbacks."""
    store = services.store()
    try:
        (store.redo if forward else store.undo)(workflow_id, revision=seen(workflow_id).revision)
    except Conflict:
        notice("Another tab saved this workflow meanwhile; it is shown now as it is. Nothing was undone.")
    except AutoFlowError as error:
        notice(str(error))


def unsaved(workflow_id: str) -> Unsaved | None:
    found = st.session_state.get(_UNSAVED)
    return found if isinstance(found, Unsaved) and found.workflow_id == workflow_id else None


def forget_unsaved() -> None:
    st.session_state.pop(_UNSAVED, None)


def notice(text: str) -> None:
    """Something to say above the page, once."""
    st.session_state[_NOTICE] = text


def take_notice() -> str | None:
    found = st.session_state.pop(_NOTICE, None)
    return None if found is None else str(found)
