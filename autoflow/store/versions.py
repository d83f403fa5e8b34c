"""Versions: the texts of a workflow that were kept. They are never changed."""

from __future__ import annotations

import sqlalchemy as sa

from autoflow.errors import NotFound
from autoflow.records import Origin, Version
from autoflow.store import tables
from autoflow.store.drafts import set_text
from autoflow.store.part import Part
from autoflow.store.tables import clean
from autoflow.store.workflow_rows import insert_version, locked_record, read_record, read_version, version_of

_v = tables.versions


class Versions(Part):
    """Versions of workflows."""

    def save_version(
        self, workflow_id: str, *, origin: Origin, text: str | None = None, model: str | None = None, note: str = "",
        revision: int | None = None, job_id: str | None = None,
    ) -> Version:  # fmt: skip
        with self.database.write() as connection:
            present = locked_record(connection, workflow_id)
            saved = _of_job(connection, workflow_id, job_id)
            if saved is not None:
                return saved
            now = self.database.now(connection)
            kept = present.text if text is None else clean(text)
            if revision in (None, present.revision):
                set_text(connection, present, kept, "model" if origin == "generated" else "person", now)
            latest = read_version(connection, workflow_id, present.version)
            if latest is not None and latest.text == kept:
                return latest
            number = present.version + 1
            return insert_version(
                connection, workflow_id, number, kept, now, origin=origin, model=model, note=note, job_id=job_id
            )

    def list_versions(self, workflow_id: str) -> list[Version]:
        with self.database.read() as connection:
            read_record(connection, workflow_id)
            query = sa.select(_v).where(_v.c.workflow_id == workflow_id).order_by(_v.c.number.desc())
            return [version_of(row) for row in connection.execute(query).mappings()]

    def get_version(self, workflow_id: str, number: int) -> Version:
        with self.database.read() as connection:
            workflow = read_record(connection, workflow_id)
            known = 1 <= number <= workflow.version  # looked at first: a URL may hold a number no database can
            found = read_version(connection, workflow_id, number) if known else None
        if found is None:
            raise NotFound(
                f"The workflow {workflow.name!r} has no version {str(number)[:20]}.",
                f"Its latest version is {workflow.version}.",
            )
        return found


def _of_job(connection: sa.Connection, workflow_id: str, job_id: str | None) -> Version | None:
    if job_id is None:
        return None
    query = sa.select(_v).where(_v.c.workflow_id == workflow_id, _v.c.job_id == job_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else version_of(row)
