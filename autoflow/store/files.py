"""Tasks, and the files that belong to them. A file lies in the database, under the hash of its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import sqlalchemy as sa

from autoflow.errors import NotFound, StoreError
from autoflow.records import Task, TaskInput, new_id
from autoflow.store import tables
from autoflow.store.part import Part, checked_id, missing
from autoflow.store.tables import clean

MAX_FILE_BYTES = 25 * 1024 * 1024


class Files(Part):
    """Tasks and files."""

    def add_file(self, data: bytes, *, name: str, filename: str, media_type: str) -> TaskInput:
        """Keep a file; the same content is kept once. Raises StoreError: larger than 25 MB."""
        if len(data) > MAX_FILE_BYTES:
            raise StoreError(
                f"The file {filename!r} has {len(data) / 2**20:.1f} MB; an input may have 25 MB.",
                "Make it smaller, or give the part that matters.",
            )
        sha256 = hashlib.sha256(data).hexdigest()
        with self.database.write() as connection:
            known = connection.execute(sa.select(tables.files.c.sha256).where(tables.files.c.sha256 == sha256)).first()
            if known is None:
                self._insert_file(connection, sha256, data)
        kind = "image" if media_type.startswith("image/") else "file"
        return TaskInput.model_validate(
            {
                "name": clean(name),
                "kind": kind,
                "sha256": sha256,
                "filename": clean(filename),
                "media_type": clean(media_type),
                "size": len(data),
            }
        )

    def _insert_file(self, connection: sa.Connection, sha256: str, data: bytes) -> None:
        from sqlalchemy.dialects import postgresql, sqlite

        insert = (sqlite if self.database.is_sqlite else postgresql).insert(tables.files)
        row = {"sha256": sha256, "data": data, "created_at": self.database.now(connection)}
        connection.execute(insert.values(row).on_conflict_do_nothing())

    def read_file(self, sha256: str) -> bytes:
        if re.fullmatch("[0-9a-f]{64}", sha256):
            with self.database.read() as connection:
                query = sa.select(tables.files.c.data).where(tables.files.c.sha256 == sha256)
                found = connection.execute(query).scalar_one_or_none()
            if found is not None:
                return bytes(found)
        raise NotFound(f"There is no file of the hash {sha256[:70]!r}.", "Give the file to the task again.")

    def add_task(
        self, objective: str, inputs: Sequence[TaskInput] = (), tools: Sequence[str] = (),
        listed_tools: Sequence[str] = (),
    ) -> Task:  # fmt: skip
        with self.database.write() as connection:
            now = self.database.now(connection)
            task = Task(
                id=new_id("tk"), objective=objective, inputs=tuple(inputs), tools=tuple(tools),
                listed_tools=tuple(listed_tools), created_at=now,
            )  # fmt: skip
            row = {"id": task.id, "body": task.model_dump(), "created_at": now}
            connection.execute(tables.tasks.insert().values(row))
        return self.get_task(task.id)

    def get_task(self, task_id: str) -> Task:
        with self.database.read() as connection:
            query = sa.select(tables.tasks.c.body).where(tables.tasks.c.id == checked_id(task_id, "tk"))
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise missing(task_id, "tk")
        return Task.model_validate(found)
