"""Workflows as a person works on them: made, named, given a task, put away. Drafts and versions lie beside this."""

from __future__ import annotations

from typing import Any

from autoflow.records import Origin, Task, WorkflowRecord, new_id
from autoflow.store import tables
from autoflow.store.part import Part
from autoflow.store.tables import clean
from autoflow.store.workflow_rows import insert_version, locked_record, read_record, select_workflows, update

_w = tables.workflows


class Workflows(Part):
    """Workflows."""

    def create_workflow(
        self,
        name: str,
        text: str = "",
        *,
        task: Task | None = None,
        origin: Origin = "manual",
        model: str | None = None,
    ) -> WorkflowRecord:
        workflow_id = new_id("wf")
        with self.database.write() as connection:
            now = self.database.now(connection)
            row = {"id": workflow_id, "name": name, "text": text, "revision": 1, "version": 0, "origin": origin}
            body = None if task is None else task.model_dump()
            connection.execute(_w.insert().values(**row, task=body, created_at=now, updated_at=now))
            if text:
                insert_version(connection, workflow_id, 1, clean(text), now, origin=origin, model=model)
            return read_record(connection, workflow_id)

    def get_workflow(self, workflow_id: str) -> WorkflowRecord:
        with self.database.read() as connection:
            return read_record(connection, workflow_id)

    def list_workflows(self, limit: int = 50, *, deleted: bool = False) -> list[WorkflowRecord]:
        shown = _w.c.deleted_at.is_not(None) if deleted else _w.c.deleted_at.is_(None)
        query = select_workflows().where(shown).order_by(_w.c.updated_at.desc(), _w.c.id)
        with self.database.read() as connection:
            return [
                WorkflowRecord.model_validate(dict(row)) for row in connection.execute(query.limit(limit)).mappings()
            ]

    def rename_workflow(self, workflow_id: str, name: str) -> WorkflowRecord:
        return self._set(workflow_id, name=name)

    def set_workflow_task(self, workflow_id: str, task: Task) -> WorkflowRecord:
        return self._set(workflow_id, task=task.model_dump())

    def delete_workflow(self, workflow_id: str) -> None:
        with self.database.read() as connection:
            now = self.database.now(connection)
        self._set(workflow_id, deleted_at=now)

    def restore_workflow(self, workflow_id: str) -> WorkflowRecord:
        return self._set(workflow_id, deleted_at=None)

    def _set(self, workflow_id: str, **values: Any) -> WorkflowRecord:
        with self.database.write() as connection:
            locked_record(connection, workflow_id)
            update(connection, workflow_id, **values, updated_at=self.database.now(connection))
            return read_record(connection, workflow_id)
