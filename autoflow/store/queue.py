"""The queue as people see it: submit jobs, look at them, ask for pause, cancel and resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa

from autoflow.records import ENDED, Job, JobKind, JobState, Json, new_id
from autoflow.store import tables
from autoflow.store.job_rows import MAX_SUBJECT, cancel_subject_of, j, job_of, read_job, select_jobs, set_state
from autoflow.store.part import Part, checked_id

Want = Literal["pause", "cancel", "resume"]

# (what is asked, present state) -> next state; what is not here changes nothing.
TRANSITIONS: dict[tuple[Want, JobState], JobState] = {
    ("pause", "queued"): "paused",
    ("pause", "running"): "pausing",
    ("cancel", "queued"): "cancelled",
    ("cancel", "paused"): "cancelled",
    ("cancel", "running"): "cancelling",
    ("cancel", "pausing"): "cancelling",
    ("resume", "paused"): "queued",
    ("resume", "failed"): "queued",
    ("resume", "pausing"): "running",  # asked before the worker got to pause
}


class Queue(Part):
    """Jobs, from the side of those who want them done."""

    def submit(
        self, kind: JobKind, payload: Json, *, title: str, subject_id: str | None = None, unique: bool = False
    ) -> Job:
        subject_id = None if subject_id is None else tables.clean(subject_id)[:MAX_SUBJECT]
        with self.database.write() as connection:
            present = self._under_way(connection, kind, subject_id) if unique else None
            if present is not None:
                return present
            job_id, now = new_id("jb"), self.database.now(connection)
            values = {
                "id": job_id, "kind": kind, "payload": payload, "state": "queued", "title": title,
                "subject_id": subject_id, "done": 0, "unit": "", "message": "", "live": {}, "error": "", "claims": 0,
                "token": 0, "serial": 0, "created_at": now, "updated_at": now,
            }  # fmt: skip
            connection.execute(j.insert().values(values))
            subjects: dict[JobKind, sa.Table] = {"run": tables.runs, "study": tables.studies}
            if kind in subjects and subject_id is not None:
                table = subjects[kind]
                connection.execute(table.update().where(table.c.id == subject_id).values(job_id=job_id))
            return read_job(connection, job_id)

    def _under_way(self, connection: sa.Connection, kind: JobKind, subject_id: str | None) -> Job | None:
        if not self.database.is_sqlite:  # two submitters would both find none
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{kind} {subject_id}"))))
        query = select_jobs().where(j.c.kind == kind, j.c.subject_id == subject_id, j.c.state.not_in(ENDED))
        row = connection.execute(query.order_by(j.c.created_at.desc()).limit(1)).mappings().first()
        return None if row is None else job_of(row)

    def get_job(self, job_id: str) -> Job:
        with self.database.read() as connection:
            return read_job(connection, job_id)

    def list_jobs(
        self, *, states: Sequence[JobState] | None = None, kind: JobKind | None = None, subject_id: str | None = None,
        limit: int = 50,
    ) -> list[Job]:  # fmt: skip
        query = select_jobs().order_by(j.c.created_at.desc(), j.c.id).limit(limit)
        if states is not None:
            query = query.where(j.c.state.in_(states))
        if kind is not None:
            query = query.where(j.c.kind == kind)
        if subject_id is not None:
            query = query.where(j.c.subject_id == tables.clean(subject_id)[:MAX_SUBJECT])
        with self.database.read() as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def request(self, job_id: str, want: Want) -> Job:
        with self.database.write() as connection:
            connection.execute(sa.select(j.c.id).where(j.c.id == checked_id(job_id, "jb")).with_for_update())
            present = read_job(connection, job_id).state
            state = TRANSITIONS.get((want, present))
            if state is not None:
                now = self.database.now(connection)
                fresh = {"claims": 0, "error": ""} if state == "queued" else {}
                set_state(connection, job_id, state, now, **fresh)
                if state == "cancelled":
                    cancel_subject_of(connection, job_id, now)
            return read_job(connection, job_id)
