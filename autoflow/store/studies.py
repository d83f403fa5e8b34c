"""Studies with their candidates and outcomes, what people rated, and the suites that people made of their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from autoflow.errors import NotFound
from autoflow.records import Event, Json, new_id
from autoflow.store import tables
from autoflow.store.part import Part, checked_id, missing
from autoflow.store.study_rows import (
    c,
    candidate_of,
    known,
    o,
    outcome_of,
    read_study,
    s,
    select_outcomes,
    select_studies,
    step_of,
    study_of,
    t,
    unpack,
    write_batch,
)
from autoflow.store.workflow_rows import read_record
from autoflow.study import (
    Candidate,
    Method,
    Outcome,
    Rating,
    SavedSuite,
    Split,
    Study,
    StudyBatch,
    StudySpec,
    TrainingStep,
)

_u, _r, _b = tables.suites, tables.ratings, tables.benchmarks
RATED = "rated"  # among the parts of an outcome that a person's rating scored


class Studies(Part):
    """Studies, and what belongs to them."""

    def create_study(
        self, name: str, spec: StudySpec, splits: Mapping[Split, Sequence[str]], *, workflow_id: str | None = None,
        parent_id: str | None = None, recorded: str = "",
    ) -> Study:  # fmt: skip
        study_id = new_id("st")
        with self.database.write() as connection:
            if workflow_id is not None:
                read_record(connection, workflow_id)
            if parent_id is not None:
                read_study(connection, parent_id)
            values = {
                "id": study_id, "name": name, "spec": spec.model_dump(),
                "splits": {split: list(ids) for split, ids in splits.items()},
                "workflow_id": workflow_id, "parent_id": parent_id, "rounds": 0, "test_uses": 0, "seconds": 0.0,
                "recorded": recorded, "created_at": self.database.now(connection),
            }  # fmt: skip
            connection.execute(s.insert().values(values))
            return read_study(connection, study_id)

    def get_study(self, study_id: str) -> Study:
        with self.database.read() as connection:
            return read_study(connection, study_id)

    def list_studies(
        self, limit: int = 50, *, workflow_id: str | None = None, methods: Sequence[Method] | None = None,
        cells: bool = True,
    ) -> list[Study]:  # fmt: skip
        query = select_studies().order_by(s.c.created_at.desc(), s.c.id)
        if workflow_id is not None:
            query = query.where(s.c.workflow_id == checked_id(workflow_id, "wf"))
        with self.database.read() as connection:
            found: list[Study] = []
            hidden = set() if cells else _cells(connection)
            for row in connection.execute(query).mappings():
                study = study_of(row)
                if study.id not in hidden and (methods is None or study.spec.method in methods):
                    found.append(study)
                if len(found) == limit:
                    break
        return found

    def rename_study(self, study_id: str, name: str) -> Study:
        with self.database.write() as connection:
            read_study(connection, study_id)
            connection.execute(s.update().where(s.c.id == study_id).values(name=name))
            return read_study(connection, study_id)

    def set_study_workflow(self, study_id: str, workflow_id: str) -> Study:
        with self.database.write() as connection:
            read_study(connection, study_id)
            read_record(connection, workflow_id)
            connection.execute(s.update().where(s.c.id == study_id).values(workflow_id=workflow_id))
            return read_study(connection, study_id)

    def delete_study(self, study_id: str) -> None:
        with self.database.write() as connection:
            read_study(connection, study_id)
            now = self.database.now(connection)
            connection.execute(s.update().where(s.c.id == study_id).values(deleted_at=now))

    def add_to_study(self, batch: StudyBatch) -> None:
        with self.database.write() as connection:
            write_batch(connection, batch, self.database.now(connection))

    def study_candidates(self, study_id: str, after: int = -1) -> list[Candidate]:
        query = sa.select(c).where(c.c.study_id == checked_id(study_id, "st"), c.c.number > after).order_by(c.c.number)
        with self.database.read() as connection:
            known(connection, study_id)
            return [candidate_of(row) for row in connection.execute(query).mappings()]

    def study_outcomes(
        self, study_id: str, *, after: int = 0, candidate: int | None = None, split: Split | None = None
    ) -> list[tuple[int, Outcome]]:
        query = select_outcomes(study_id).where(o.c.seq > after)
        if candidate is not None:
            query = query.where(o.c.candidate == candidate)
        if split is not None:
            query = query.where(o.c.split == split)
        with self.database.read() as connection:
            known(connection, study_id)
            if candidate is not None and not _possible(candidate):
                return []
            return [outcome_of(row) for row in connection.execute(query).mappings()]

    def outcome_events(self, study_id: str, candidate: int, task: str, repeat: int = 0) -> list[Event]:
        query = sa.select(o.c.trace).where(*_one(study_id, candidate, task, repeat))
        with self.database.read() as connection:
            known(connection, study_id)
            trace = connection.execute(query).scalar_one_or_none() if _possible(candidate, repeat) else None
        if trace is None:
            which, time = str(candidate)[:20], str(repeat + 1)[:20]
            raise NotFound(f"Candidate {which} was not run on the task {task[:80]!r} for the {time}. time.")
        return unpack(trace)

    def training_steps(self, study_id: str, after: int = 0) -> list[TrainingStep]:
        query = sa.select(t).where(t.c.study_id == checked_id(study_id, "st"), t.c.step > after).order_by(t.c.step)
        with self.database.read() as connection:
            known(connection, study_id)
            return [step_of(row) for row in connection.execute(query).mappings()]

    def rate(self, study_id: str, rating: Rating) -> None:
        with self.database.write() as connection:
            known(connection, study_id, lock=True)
            one = _one(study_id, rating.candidate, rating.task, rating.repeat)
            query = sa.select(o.c.pending, o.c.parts).where(*one)
            found = connection.execute(query).first() if _possible(rating.candidate, rating.repeat) else None
            if found is None:
                raise NotFound(
                    f"There is no answer of candidate {str(rating.candidate)[:20]} to {rating.task[:80]!r} to rate."
                )
            now = self.database.now(connection)
            connection.execute(_r.insert().values(**rating.model_dump(exclude={"at"}), study_id=study_id, at=now))
            if found.pending or RATED in found.parts:
                parts = {**found.parts, RATED: rating.value}
                connection.execute(o.update().where(*one).values(score=rating.value, pending=False, parts=parts))

    def ratings(self, study_id: str) -> list[Rating]:
        columns = [_r.c[name] for name in Rating.model_fields]
        query = sa.select(*columns).where(_r.c.study_id == checked_id(study_id, "st")).order_by(_r.c.id)
        with self.database.read() as connection:
            known(connection, study_id)
            return [Rating.model_validate(dict(row)) for row in connection.execute(query).mappings()]

    # -- suites of people's own tables
    def save_suite(self, name: str, body: Json, suite_id: str | None = None) -> SavedSuite:
        with self.database.write() as connection:
            now = self.database.now(connection)
            if suite_id is None:
                suite_id = new_id("su")
                fresh = {"id": suite_id, "name": name, "body": body, "created_at": now, "updated_at": now}
                connection.execute(_u.insert().values(fresh))
            else:
                _read_suite(connection, suite_id)
                change = _u.update().where(_u.c.id == suite_id)
                connection.execute(change.values(name=name, body=body, updated_at=now))
            return _read_suite(connection, suite_id)

    def get_suite(self, suite_id: str) -> SavedSuite:
        with self.database.read() as connection:
            return _read_suite(connection, suite_id)

    def list_suites(self, limit: int = 50) -> list[SavedSuite]:
        query = _select_suites().order_by(_u.c.updated_at.desc(), _u.c.id).limit(limit)
        with self.database.read() as connection:
            return [SavedSuite.model_validate(dict(row)) for row in connection.execute(query).mappings()]

    def suite_names(self, limit: int = 50) -> dict[str, str]:
        query = sa.select(_u.c.id, _u.c.name).where(_u.c.deleted_at.is_(None))
        query = query.order_by(_u.c.updated_at.desc(), _u.c.id).limit(limit)
        with self.database.read() as connection:
            return {row.id: row.name for row in connection.execute(query)}

    def delete_suite(self, suite_id: str) -> None:
        with self.database.write() as connection:
            _read_suite(connection, suite_id)
            now = self.database.now(connection)
            connection.execute(_u.update().where(_u.c.id == suite_id).values(deleted_at=now))


def _possible(*numbers: int) -> bool:
    """Whether a column can hold them: a URL may say anything."""
    return all(0 <= number < 2**31 for number in numbers)


def _one(study_id: str, candidate: int, task: str, repeat: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        o.c.study_id == checked_id(study_id, "st"),
        o.c.candidate == candidate,
        o.c.task == tables.clean(task),
        o.c.repeat == repeat,
    )


def _select_suites() -> sa.Select[tuple[object, ...]]:
    return sa.select(*(_u.c[name] for name in SavedSuite.model_fields)).where(_u.c.deleted_at.is_(None))


def _read_suite(connection: sa.Connection, suite_id: str) -> SavedSuite:
    """Raises NotFound."""
    row = connection.execute(_select_suites().where(_u.c.id == checked_id(suite_id, "su"))).mappings().first()
    if row is None:
        raise missing(suite_id, "su")
    return SavedSuite.model_validate(dict(row))


def _cells(connection: sa.Connection) -> set[str]:
    """Ids of the studies that are cells of a benchmark that is there."""
    grids = connection.execute(sa.select(_b.c.studies).where(_b.c.deleted_at.is_(None))).scalars()
    return {study_id for studies in grids for study_id in studies.values()}
