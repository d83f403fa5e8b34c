"""A benchmark by several worker processes comes to what one process comes to, and every cell has one worker at a time.

Each interpreter of the grid has a name of its own, so that what was asked in one cell can be told from what was asked
in the others.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from autoflow.benchmark import Benchmark, BenchmarkSpec
from autoflow.optimize.benchmarking import start_benchmark
from autoflow.records import Json
from autoflow.store import SqlStore, open_store, tables
from autoflow.study import StudyBudget
from tests.jobs.test_crash import within
from tests.jobs.test_study_crash import PLACES, Oracle
from tests.searching import SUITE, came_to, connect, worked

INTERPRETERS = ("one", "two", "three", "four")


@dataclass
class House:
    """A database with one benchmark in it, and the workers that carry it out; all have one data folder."""

    url: str
    home: Path
    oracle: Oracle
    store: SqlStore = field(init=False)
    made: Benchmark = field(init=False)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir()
        self.store = open_store(self.url)
        spec = BenchmarkSpec(
            generators=(connect(self.store, self.oracle.server, "writer"),), suites=(SUITE,), method="paper",
            interpreters=tuple(connect(self.store, self.oracle.server, name) for name in INTERPRETERS),
            budget=StudyBudget(max_rounds=3),
        )  # fmt: skip
        self.made = start_benchmark(self.store, "Four cells", spec)

    def start(self) -> subprocess.Popen[bytes]:
        """A worker for one cell at a time."""
        environment = os.environ | {"AUTOFLOW_HOME": str(self.home), "AUTOFLOW_DATABASE_URL": self.url}
        environment |= {"AUTOFLOW_WORKER_CONCURRENCY": "1"}
        self.workers.append(subprocess.Popen([sys.executable, "-m", "autoflow.jobs.worker"], env=environment))
        return self.workers[-1]

    def name_of(self, worker: subprocess.Popen[bytes]) -> str:
        return f"{socket.gethostname()}-{worker.pid}"

    def claims(self) -> list[tuple[str, str, int, str]]:
        """Of each cell: its study, who had it last, how often it was claimed, and its job's state."""
        j = tables.jobs.c
        query = sa.select(j.subject_id, j.owner, j.token, j.state).order_by(j.subject_id)
        with self.store.database.read() as connection:
            return [(row[0], row[1] or "", row[2], row[3]) for row in connection.execute(query)]

    def done(self) -> bool:
        claims = self.claims()
        assert all(state in ("queued", "running", "done") for *_, state in claims), claims
        return all(state == "done" for *_, state in claims)

    def found(self) -> dict[str, Json]:
        return {cell: came_to(self.store, study_id) for cell, study_id in self.made.studies.items()}

    def asked(self) -> Counter[str]:
        """What was asked of the interpreters, which tells cells apart."""
        return Counter({key: n for key, n in self.oracle.asked.items() if json.loads(key)[0] != "writer"})

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.store.close()


@contextmanager
def house(url: str, home: Path) -> Iterator[House]:
    oracle = Oracle()
    made = House(url, home, oracle)
    try:
        yield made
    finally:
        made.close()
        oracle.server.stop()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    """In one process, on SQLite, cell after cell."""
    with house(f"sqlite:///{tmp_path / 'alone.db'}", tmp_path / "alone") as made:
        for study_id in made.made.studies.values():
            job = worked(made.store, made.store.list_jobs(kind="study", subject_id=study_id)[0])
            assert job.state == "done", job.error
        yield made


@pytest.fixture
def shared(url: str, tmp_path: Path) -> Iterator[House]:
    with house(url, tmp_path / "shared") as made:
        yield made


def test_cells_are_each_one_workers_and_come_to_what_one_process_comes_to(alone: House, shared: House) -> None:
    workers = [shared.start() for _ in range(3)]
    finish(shared)
    claims = shared.claims()
    assert [token for _, _, token, _ in claims] == [1] * len(INTERPRETERS)  # claimed once, by one worker
    owners = {owner for _, owner, _, _ in claims}
    assert owners <= {shared.name_of(worker) for worker in workers}
    assert len(owners) > 1
    compare(alone, shared, killed=())


def test_worker_that_is_killed_costs_repeats_alone(alone: House, shared: House) -> None:
    first = shared.start()
    with within(60) as waiting:
        while waiting(sum(shared.asked().values()) > 15):
            pass
    others = [shared.start() for _ in range(2)]
    first.send_signal(signal.SIGKILL)
    first.wait()
    mine = shared.name_of(first)
    held = {study for study, owner, _, state in shared.claims() if (owner, state) == (mine, "running")}
    assert len(held) == 1
    shared.store.orphan(mine)  # else others wait until its lease has run out, half a minute
    finish(shared)
    assert {study for study, _, token, _ in shared.claims() if token == 2} == held
    assert all(token <= 2 for _, _, token, _ in shared.claims())
    assert {owner for study, owner, _, _ in shared.claims() if study in held} <= set(map(shared.name_of, others))
    compare(alone, shared, killed=(first,))


def finish(house: House) -> None:
    with within(90) as waiting:
        while waiting(house.done()):
            assert all(worker.poll() in (None, -signal.SIGKILL) for worker in house.workers)


def compare(alone: House, shared: House, *, killed: Sequence[object]) -> None:
    assert shared.found() == alone.found()
    assert len(alone.found()) == len(INTERPRETERS)
    once, again = alone.asked(), shared.asked()
    assert set(again) == set(once)
    print(f"{once.total()} calls, {again.total() - once.total()} repeated")
    assert again.total() - once.total() <= PLACES * len(killed)  # those under way when the worker died
