"""Rows of studies as records, and what a checkpoint writes of a study inside its transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from autoflow.errors import Conflict, JobError
from autoflow.records import Event
from autoflow.store import tables
from autoflow.store.part import checked_id, missing
from autoflow.study import Candidate, Outcome, Study, StudyBatch, TrainingStep

s, c, o, t = tables.studies, tables.candidates, tables.outcomes, tables.training_steps
_STUDY = [s.c[name] for name in Study.model_fields]
_OUTCOME = [o.c[name] for name in Outcome.model_fields]
MAX_TRACE_BYTES = 50 * 2**20  # inflated; more is no trace of ours


def select_studies() -> sa.Select[Any]:
    return sa.select(*_STUDY).where(s.c.deleted_at.is_(None))


def study_of(row: sa.RowMapping) -> Study:
    return Study.model_validate(dict(row))


def read_study(connection: sa.Connection, study_id: str) -> Study:
    """Raises NotFound."""
    query = select_studies().where(s.c.id == checked_id(study_id, "st"))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise missing(study_id, "st")
    return study_of(row)


def known(connection: sa.Connection, study_id: str, *, lock: bool = False) -> str | None:
    """The job of the study. Raises NotFound.

    Args:
        lock: others that write to this study wait until the transaction has ended.
    """
    query = sa.select(s.c.job_id).where(s.c.id == checked_id(study_id, "st"), s.c.deleted_at.is_(None))
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise missing(study_id, "st")
    job_id: str | None = row.job_id
    return job_id


def select_outcomes(study_id: str) -> sa.Select[Any]:
    return sa.select(o.c.seq, *_OUTCOME).where(o.c.study_id == checked_id(study_id, "st")).order_by(o.c.seq)


def outcome_of(row: sa.RowMapping) -> tuple[int, Outcome]:
    values = dict(row)
    return values.pop("seq"), Outcome.model_validate(values)


def candidate_of(row: sa.RowMapping) -> Candidate:
    values = dict(row)
    del values["study_id"]
    return Candidate.model_validate(values)


def step_of(row: sa.RowMapping) -> TrainingStep:
    return TrainingStep(figures=row["figures"], samples=row["samples"], ending=row["ending"])


def write_batch(connection: sa.Connection, batch: StudyBatch, now: float, job_id: str | None = None) -> None:
    """Write all of it.

    Args:
        job_id: the job that writes. Of two jobs of one study only the later one may: both would search on their own.
    Raises NotFound: no such study. Conflict: numbers of candidates are taken, or leave a hole. JobError: the study is
        another job's.
    """
    present = known(connection, batch.study_id, lock=True)
    if job_id is not None and present not in (None, job_id):
        raise JobError(
            f"The study {batch.study_id} is carried out by another job by now, {present}.", "Look at that one."
        )
    given = {name: getattr(batch, name) for name in ("rounds", "stop", "best", "test_uses", "seconds")}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if batch.unused is not None:
        values["unused"] = batch.unused.model_dump()
    if batch.stop is not None:
        values["finished_at"] = now
    if values:
        connection.execute(s.update().where(s.c.id == batch.study_id).values(**values))
    if batch.candidates:
        _insert_candidates(connection, batch, now)
    if batch.outcomes:
        _insert_outcomes(connection, batch)
    if batch.steps:
        _insert_steps(connection, batch)


def _insert_candidates(connection: sa.Connection, batch: StudyBatch, now: float) -> None:
    last = connection.execute(sa.select(sa.func.max(c.c.number)).where(c.c.study_id == batch.study_id)).scalar()
    first = 0 if last is None else last + 1
    numbers = [candidate.number for candidate in batch.candidates]
    if numbers != list(range(first, first + len(numbers))):
        raise Conflict(
            f"The study {batch.study_id} has {first} candidates, so the next has the number {first}, not {numbers[0]}.",
            "Read the study again: somebody else may have added to it.",
        )
    rows = [{**x.model_dump(), "study_id": batch.study_id, "created_at": now} for x in batch.candidates]
    connection.execute(c.insert(), rows)


def _insert_outcomes(connection: sa.Connection, batch: StudyBatch) -> None:
    """A run that is there already stays: the first one counts."""
    rows = [
        {**outcome.model_dump(), "study_id": batch.study_id, "trace": pack(events)}
        for outcome, events in batch.outcomes
    ]
    _insert_new(connection, o, rows)


def _insert_steps(connection: sa.Connection, batch: StudyBatch) -> None:
    """A step that is there already stays: a training that goes on from its checkpoint comes to the same."""
    rows = [{**step.model_dump(), "study_id": batch.study_id, "step": step.step} for step in batch.steps]
    _insert_new(connection, t, rows)


def _insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    connection.execute(insert.on_conflict_do_nothing(), rows)


def pack(events: Sequence[Event]) -> bytes:
    """Events as deflated JSON: the prompts of a run repeat each other, so that this takes a tenth."""
    told = json.dumps([event.model_dump(mode="json") for event in events], ensure_ascii=True)
    return zlib.compress(told.encode("ascii"), 6)


def unpack(trace: bytes) -> list[Event]:
    """Raises ValueError: it is no trace, or longer than any."""
    inflater = zlib.decompressobj()
    told = inflater.decompress(trace, MAX_TRACE_BYTES)
    if inflater.unconsumed_tail:
        raise ValueError("The trace is too long.")
    return [Event.model_validate(event) for event in json.loads(told)]


def cancel_study_of(connection: sa.Connection, job_id: str, now: float) -> None:
    """End the search of a job that was cancelled; other jobs have none."""
    connection.execute(
        s.update().where(s.c.job_id == job_id, s.c.stop.is_(None)).values(stop="person", finished_at=now)
    )
