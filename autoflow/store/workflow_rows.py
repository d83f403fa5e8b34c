"""What drafts, versions and workflows share: reading one row as a record, and locking it before a change."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from autoflow.records import Origin, Version, WorkflowRecord
from autoflow.store import tables
from autoflow.store.part import checked_id, missing

_w, _e, _v = tables.workflows, tables.edits, tables.versions


def select_workflows() -> sa.Select[Any]:
    """All columns of the record, with what undo and redo could do, and whether it was put away."""
    columns = [column for column in _w.c if column.name != "deleted_at"]
    known = (
        _has("done").label("can_undo"), _has("undone").label("can_redo"), _w.c.deleted_at.is_not(None).label("deleted"),
    )  # fmt: skip
    return sa.select(*columns, *known)


def _has(state: str) -> sa.Exists:
    return sa.exists().where(_e.c.workflow_id == _w.c.id, _e.c.state == state)


def read_record(connection: sa.Connection, workflow_id: str) -> WorkflowRecord:
    """Raises NotFound."""
    query = select_workflows().where(_w.c.id == checked_id(workflow_id, "wf"))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise missing(workflow_id, "wf")
    return WorkflowRecord.model_validate(dict(row))


def locked_record(connection: sa.Connection, workflow_id: str) -> WorkflowRecord:
    """The record as nobody else can change it until this transaction ends. Raises NotFound."""
    connection.execute(sa.select(_w.c.id).where(_w.c.id == checked_id(workflow_id, "wf")).with_for_update())
    return read_record(connection, workflow_id)


def update(connection: sa.Connection, workflow_id: str, **values: Any) -> None:
    connection.execute(_w.update().where(_w.c.id == workflow_id).values(**values))


def insert_version(
    connection: sa.Connection, workflow_id: str, number: int, text: str, now: float, *, origin: Origin,
    model: str | None = None, note: str = "", job_id: str | None = None,
) -> Version:  # fmt: skip
    """Write a version and make it the latest one."""
    row = {"workflow_id": workflow_id, "number": number, "text": text, "origin": origin, "model": model, "note": note}
    connection.execute(_v.insert().values(**row, job_id=job_id, created_at=now))
    update(connection, workflow_id, version=number, updated_at=now)
    found = read_version(connection, workflow_id, number)
    assert found is not None
    return found


def read_version(connection: sa.Connection, workflow_id: str, number: int) -> Version | None:
    query = sa.select(_v).where(_v.c.workflow_id == workflow_id, _v.c.number == number)
    row = connection.execute(query).mappings().first()
    return None if row is None else version_of(row)


def version_of(row: sa.RowMapping) -> Version:
    return Version.model_validate({name: value for name, value in row.items() if name != "job_id"})
