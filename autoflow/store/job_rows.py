"""What the two sides of the queue share: rows as records, and the states in which a worker holds a job."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from autoflow.records import ENDED, Job, JobState
from autoflow.store import tables
from autoflow.store.part import checked_id, missing
from autoflow.store.runs import cancel_run_of
from autoflow.store.study_rows import cancel_study_of

j = tables.jobs
HELD: Final[tuple[JobState, ...]] = ("running", "pausing", "cancelling")  # a worker holds it, or held it and died
MAX_CLAIMS = 5  # without a checkpoint in between
MAX_SUBJECT = 500  # characters; an index cannot hold texts of any length

_COLUMNS = [j.c[name] for name in Job.model_fields]


def select_jobs() -> sa.Select[Any]:
    return sa.select(*_COLUMNS)


def job_of(row: sa.RowMapping) -> Job:
    return Job.model_validate(dict(row))


def read_job(connection: sa.Connection, job_id: str) -> Job:
    """Raises NotFound."""
    row = connection.execute(select_jobs().where(j.c.id == checked_id(job_id, "jb"))).mappings().first()
    if row is None:
        raise missing(job_id, "jb")
    return job_of(row)


def set_state(connection: sa.Connection, job_id: str, state: JobState, now: float, **values: Any) -> None:
    """Write a state with the times that go with it; what is shown live ends with the claim."""
    values |= {"state": state, "updated_at": now, "finished_at": now if state in ENDED else None}
    if state not in HELD:
        values |= {"live": {}, "lease_until": None}
    connection.execute(j.update().where(j.c.id == job_id).values(**values))


def cancel_subject_of(connection: sa.Connection, job_id: str, now: float) -> None:
    """End what a job that was cancelled is about, its run or its study."""
    cancel_run_of(connection, job_id, now)
    cancel_study_of(connection, job_id, now)
