"""The queue as workers see it: claim a job, keep the lease, write checkpoints, end the claim.

Every write of a worker names its token. A worker that slept past its lease while another claimed the job holds an old
token, changes 0 rows, and learns that it lost the lease. A job whose lease ran out is still its worker's until claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from autoflow.errors import LeaseLost
from autoflow.records import Event, Job, JobKind, JobState, Json
from autoflow.store.base import Lease, RunEnd
from autoflow.store.job_rows import HELD, MAX_CLAIMS, cancel_subject_of, j, read_job, set_state
from autoflow.store.part import Part
from autoflow.store.runs import add_events, end_run
from autoflow.store.study_rows import write_batch
from autoflow.study import StudyBatch


class Leases(Part):
    """Jobs, from the side of those who do them."""

    def claim(
        self, owner: str, *, lease_s: float, kinds: Sequence[JobKind] | None = None, job_id: str | None = None
    ) -> Lease | None:
        while self._anything_to_claim(kinds, job_id):
            with self.database.write() as connection:
                now = self.database.now(connection)
                query = _claimable(now, kinds, job_id).with_for_update(skip_locked=True).limit(1)
                found = connection.execute(query.order_by(j.c.created_at, j.c.id)).scalar()
                if found is None:
                    return None  # another worker was faster
                lease = _claim(connection, found, owner, lease_s, now)
            if lease is not None:
                return lease
        return None

    def _anything_to_claim(self, kinds: Sequence[JobKind] | None, job_id: str | None) -> bool:
        """A look without a lock: idle workers must not keep writers waiting."""
        with self.database.read() as connection:
            query = _claimable(self.database.now(connection), kinds, job_id).limit(1)
            return connection.execute(query).first() is not None

    def orphan(self, owner: str) -> int:
        with self.database.write() as connection:
            change = j.update().where(j.c.owner == owner, j.c.state.in_(HELD)).values(lease_until=0)
            return connection.execute(change).rowcount

    def checkpoint(
        self, lease: Lease, *, run_id: str | None = None, events: Sequence[Event] = (), done: float | None = None,
        total: float | None = None, unit: str | None = None, message: str | None = None, result: Json | None = None,
        serial: int | None = None, study: StudyBatch | None = None,
    ) -> JobState:  # fmt: skip
        given = {"done": done, "total": total, "unit": unit, "message": message, "result": result}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        with self.database.write() as connection:
            values |= {"claims": 0, "live": {}, "serial": j.c.serial + 1}
            before = [] if serial is None else [j.c.serial == serial - 1]
            state = self._renew(connection, lease, values, *before)
            if state is None:
                return _already_written(connection, lease, serial)
            if run_id is not None:
                add_events(connection, run_id, events)
            if study is not None:
                write_batch(connection, study, self.database.now(connection), lease.job.id)
            return state

    def heartbeat(self, lease: Lease, live: Json | None = None) -> JobState:
        with self.database.write() as connection:
            state = self._renew(connection, lease, {} if live is None else {"live": live})
            if state is None:
                raise _lost(lease)
            return state

    def check(self, lease: Lease) -> JobState:
        with self.database.read() as connection:
            state: JobState | None = connection.execute(sa.select(j.c.state).where(*_held(lease))).scalar()
        if state is None:
            raise _lost(lease)
        return state

    def _renew(
        self, connection: sa.Connection, lease: Lease, values: dict[str, Any], *conditions: sa.ColumnElement[bool]
    ) -> JobState | None:
        """Write `values` and a new lease, if the job is still held with this token; the state, or else None."""
        now = self.database.now(connection)
        change = j.update().where(*_held(lease), *conditions)
        change = change.values(**values, lease_until=now + lease.lease_s, updated_at=now)
        state: JobState | None = connection.execute(change.returning(j.c.state)).scalar_one_or_none()
        return state

    def finish(
        self, lease: Lease, state: Literal["done", "failed", "cancelled", "paused", "queued"], *,
        result: Json | None = None, error: str = "", run: RunEnd | None = None,
    ) -> Job:  # fmt: skip
        with self.database.write() as connection:
            held = sa.select(j.c.state, j.c.claims).where(*_held(lease)).with_for_update()
            present = connection.execute(held).first()
            if present is None:
                return _already_finished(connection, lease)
            now = self.database.now(connection)
            values: dict[str, Any] = {"error": error} if result is None else {"error": error, "result": result}
            if state == "queued" and not error:
                values["claims"] = max(0, present.claims - 1)
            after = _next(present.state, state)
            set_state(connection, lease.job.id, after, now, **values)
            if run is not None:
                end_run(connection, run, now)
            if after == "cancelled":  # on its way to a pause, or before the worker knew of a run
                cancel_subject_of(connection, lease.job.id, now)
            return read_job(connection, lease.job.id)


def _next(present: JobState, end: JobState) -> JobState:
    """Where the end of a claim leads, given what was asked for while the worker made up its mind."""
    if end == "paused" and present == "running":
        return "queued"  # the pause was taken back
    if end in ("paused", "queued") and present == "cancelling":
        return "cancelled"
    if end == "queued" and present == "pausing":
        return "paused"
    return end


def _claimable(now: float, kinds: Sequence[JobKind] | None, job_id: str | None) -> sa.Select[str]:
    stranded = sa.and_(j.c.state.in_(HELD), j.c.lease_until < now)
    query = sa.select(j.c.id).where(sa.or_(j.c.state == "queued", stranded))
    if job_id is not None:
        query = query.where(j.c.id == job_id)
    return query if kinds is None else query.where(j.c.kind.in_(kinds))


def _claim(connection: sa.Connection, job_id: str, owner: str, lease_s: float, now: float) -> Lease | None:
    """Take the job; or None, where it was stranded on its way to an end, or has stranded its workers too often."""
    job = read_job(connection, job_id)
    if job.state == "cancelling":
        set_state(connection, job_id, "cancelled", now)
        cancel_subject_of(connection, job_id, now)
        return None
    if job.state == "pausing":
        set_state(connection, job_id, "paused", now)
        return None
    if job.claims >= MAX_CLAIMS:
        why = job.error or "The worker ended without a word; its log may say more."
        set_state(connection, job_id, "failed", now, error=f"Given up after {MAX_CLAIMS} attempts. {why}")
        return None
    taken = {"owner": owner, "token": j.c.token + 1, "lease_until": now + lease_s, "claims": job.claims + 1}
    set_state(connection, job_id, "running", now, **taken, live={}, started_at=job.started_at or now)
    row = connection.execute(sa.select(j.c.token, j.c.serial).where(j.c.id == job_id)).one()
    return Lease(read_job(connection, job_id), owner, row.token, row.serial, lease_s)


def _held(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    return j.c.id == lease.job.id, j.c.token == lease.token, j.c.owner == lease.owner, j.c.state.in_(HELD)


def _already_written(connection: sa.Connection, lease: Lease, serial: int | None) -> JobState:
    """The state, where this very checkpoint was committed before and only the answer was lost. Raises LeaseLost."""
    same = sa.select(j.c.state).where(*_held(lease), j.c.serial == serial)
    state: JobState | None = connection.execute(same).scalar() if serial is not None else None
    if state is None:
        raise _lost(lease)
    return state


def _already_finished(connection: sa.Connection, lease: Lease) -> Job:
    """The job, where nobody claimed it since: then it was this lease that ended it. Raises LeaseLost."""
    job = read_job(connection, lease.job.id)
    token = connection.execute(sa.select(j.c.token).where(j.c.id == job.id)).scalar()
    if token != lease.token:
        raise _lost(lease)
    return job


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"The job {lease.job.title or lease.job.id!r} is now another worker's, or has ended.")
