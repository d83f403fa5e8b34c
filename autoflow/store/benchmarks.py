"""Benchmarks: grids of studies."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from autoflow.benchmark import Benchmark, BenchmarkSpec
from autoflow.records import Job, new_id
from autoflow.store import tables
from autoflow.store.job_rows import j, job_of, select_jobs
from autoflow.store.part import Part, checked_id, missing
from autoflow.store.study_rows import read_study, s, select_studies, study_of
from autoflow.study import Study

_b = tables.benchmarks


class Benchmarks(Part):
    """What is kept of a benchmark besides its studies."""

    def create_benchmark(
        self, name: str, spec: BenchmarkSpec, studies: Mapping[str, str], *, recorded: str = ""
    ) -> Benchmark:
        benchmark_id = new_id("bm")
        with self.database.write() as connection:
            for study_id in studies.values():
                read_study(connection, study_id)
            values = {
                "id": benchmark_id, "name": name, "spec": spec.model_dump(), "studies": dict(studies),
                "recorded": recorded, "created_at": self.database.now(connection),
            }  # fmt: skip
            connection.execute(_b.insert().values(values))
            return _read(connection, benchmark_id)

    def get_benchmark(self, benchmark_id: str) -> Benchmark:
        with self.database.read() as connection:
            return _read(connection, benchmark_id)

    def list_benchmarks(self, limit: int = 50) -> list[Benchmark]:
        query = _select().order_by(_b.c.created_at.desc(), _b.c.id).limit(limit)
        with self.database.read() as connection:
            return [Benchmark.model_validate(dict(row)) for row in connection.execute(query).mappings()]

    def benchmark_studies(self, benchmark_id: str) -> dict[str, Study]:
        with self.database.read() as connection:
            ids = list(_read(connection, benchmark_id).studies.values())
            rows = connection.execute(select_studies().where(s.c.id.in_(ids))).mappings()
            return {study.id: study for study in map(study_of, rows)}

    def benchmark_jobs(self, benchmark_id: str) -> dict[str, Job]:
        with self.database.read() as connection:
            ids = list(_read(connection, benchmark_id).studies.values())
            latest = sa.select(s.c.job_id).where(s.c.id.in_(ids), s.c.job_id.is_not(None), s.c.deleted_at.is_(None))
            rows = connection.execute(select_jobs().where(j.c.id.in_(latest))).mappings()
            return {job.subject_id: job for job in map(job_of, rows) if job.subject_id}

    def delete_benchmark(self, benchmark_id: str) -> None:
        with self.database.write() as connection:
            _read(connection, benchmark_id)
            now = self.database.now(connection)
            connection.execute(_b.update().where(_b.c.id == benchmark_id).values(deleted_at=now))


def _select() -> sa.Select[tuple[object, ...]]:
    return sa.select(*(_b.c[name] for name in Benchmark.model_fields)).where(_b.c.deleted_at.is_(None))


def _read(connection: sa.Connection, benchmark_id: str) -> Benchmark:
    """Raises NotFound."""
    row = connection.execute(_select().where(_b.c.id == checked_id(benchmark_id, "bm"))).mappings().first()
    if row is None:
        raise missing(benchmark_id, "bm")
    return Benchmark.model_validate(dict(row))
