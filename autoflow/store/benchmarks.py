"""Benchmarks: grids of studies."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from autoflow.benchmark import Benchmark, BenchmarkSpec
from autoflow.records import new_id
from autoflow.store import tables
from autoflow.store.part import Part, checked_id, missing
from autoflow.store.study_rows import read_study

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
