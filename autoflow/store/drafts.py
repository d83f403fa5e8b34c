"""Drafts: saved as they are typed, with undo, redo, and what a conflict refused.

An edit is stored as what it replaced by what, not as two whole texts: 10,000 steps may be edited 500 times. Undo turns
the latest `done` edit into `undone`, redo the earliest `undone` one back; a new edit drops what was undone.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from autoflow.errors import Conflict
from autoflow.records import DraftEdit, WorkflowRecord
from autoflow.store import tables
from autoflow.store.part import Part
from autoflow.store.tables import clean
from autoflow.store.workflow_rows import locked_record, read_record, update

MAX_EDITS = 500
MAX_REFUSED = 20
_e = tables.edits


class Drafts(Part):
    """The draft of a workflow, and its history."""

    def save_draft(self, workflow_id: str, text: str, *, revision: int, author: str = "person") -> WorkflowRecord:
        text = clean(text)
        with self.database.write() as connection:
            present = locked_record(connection, workflow_id)
            fits = present.revision == revision or present.text == text  # two tabs that typed the same agree
            now = self.database.now(connection)
            if fits:
                set_text(connection, present, text, author, now)
            else:
                _add_edit(connection, workflow_id, "refused", (0, "", text), author, now)
            saved = read_record(connection, workflow_id)
        if not fits:
            raise _conflict(saved.name)
        return saved

    def undo(self, workflow_id: str, *, revision: int) -> WorkflowRecord:
        return self._move(workflow_id, revision, back=True)

    def redo(self, workflow_id: str, *, revision: int) -> WorkflowRecord:
        return self._move(workflow_id, revision, back=False)

    def _move(self, workflow_id: str, revision: int, *, back: bool) -> WorkflowRecord:
        with self.database.write() as connection:
            present = locked_record(connection, workflow_id)
            if present.revision != revision:
                raise _conflict(present.name)
            query = _edits(workflow_id, "done" if back else "undone")
            edit = connection.execute(query.order_by(_e.c.id.desc() if back else _e.c.id).limit(1)).first()
            if edit is not None:
                old, new = (edit.added, edit.removed) if back else (edit.removed, edit.added)
                text = present.text[: edit.position] + new + present.text[edit.position + len(old) :]
                state = "undone" if back else "done"
                connection.execute(_e.update().where(_e.c.id == edit.id).values(state=state))
                _write_text(connection, present, text, self.database.now(connection))
            return read_record(connection, workflow_id)

    def list_edits(self, workflow_id: str, *, refused: bool = False) -> list[DraftEdit]:
        states = ("refused",) if refused else ("done", "undone")
        with self.database.read() as connection:
            read_record(connection, workflow_id)
            rows = connection.execute(_edits(workflow_id, *states).order_by(_e.c.id.desc())).mappings()
            return [DraftEdit.model_validate(dict(row)) for row in rows]


def set_text(connection: sa.Connection, present: WorkflowRecord, text: str, author: str, now: float) -> None:
    """Make `text` (already clean) the draft, as an edit that can be undone. The same text changes nothing."""
    if text == present.text:
        return
    connection.execute(_e.delete().where(_e.c.workflow_id == present.id, _e.c.state == "undone"))
    _add_edit(connection, present.id, "done", difference(present.text, text), author, now)
    _write_text(connection, present, text, now)


def difference(old: str, new: str) -> tuple[int, str, str]:
    """The smallest single replacement that makes `new` of `old`: position, text removed, text added."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return start, old[start : len(old) - end], new[start : len(new) - end]


def _common(a: str, b: str) -> int:
    """How many characters the beginnings of both have in common; by halving, as comparing slices is fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _edits(workflow_id: str, *states: str) -> sa.Select[Any]:
    return sa.select(_e).where(_e.c.workflow_id == workflow_id, _e.c.state.in_(states))


def _add_edit(
    connection: sa.Connection, workflow_id: str, state: str, change: tuple[int, str, str], author: str, now: float
) -> None:
    position, removed, added = change
    row = {"workflow_id": workflow_id, "state": state, "position": position, "removed": removed, "added": added}
    connection.execute(_e.insert().values(**row, author=author, at=now))
    kept = MAX_REFUSED if state == "refused" else MAX_EDITS
    oldest = sa.select(_e.c.id).where(_e.c.workflow_id == workflow_id, _e.c.state == state)
    outdated = connection.execute(oldest.order_by(_e.c.id.desc()).offset(kept)).scalars().all()
    connection.execute(_e.delete().where(_e.c.id.in_(outdated)))


def _write_text(connection: sa.Connection, present: WorkflowRecord, text: str, now: float) -> None:
    update(connection, present.id, text=text, revision=present.revision + 1, updated_at=now)


def _conflict(name: str) -> Conflict:
    return Conflict(
        f"The workflow {name!r} was changed elsewhere (another tab?) since you opened it.",
        "Your text is kept: compare the two and choose.",
    )
