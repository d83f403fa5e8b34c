"""Studies, benchmarks and commands whose runs a cluster carries out come to what they come to in one process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoflow.benchmark import BenchmarkSpec
from autoflow.optimize.benchmarking import start_benchmark
from autoflow.records import Json
from autoflow.settings import environment_with
from autoflow.store import SqlStore
from autoflow.store.sql import open_store
from autoflow.study import StudyBudget
from tests.cluster.conftest import PLAIN, Machines, Script
from tests.jobs.test_crash import within
from tests.llm.server import Server
from tests.searching import SUITE, came_to, connect, model_server, worked

pytestmark = pytest.mark.ray


@pytest.fixture
def server() -> Iterator[Server]:
    with model_server() as started:
        yield started


def benchmark(store: SqlStore, server: Server) -> dict[str, str]:
    """The studies of a small one, by cell."""
    spec = BenchmarkSpec(
        generators=(connect(store, server),), interpreters=(connect(store, server), connect(store, server, "second")),
        suites=(SUITE,), method="paper", budget=StudyBudget(max_rounds=2),
    )  # fmt: skip
    return start_benchmark(store, "Both", spec).studies


def carried_out(store: SqlStore, server: Server, ray: str) -> dict[str, Json]:
    studies = benchmark(store, server)
    for study_id in studies.values():
        job = worked(store, store.list_jobs(kind="study", subject_id=study_id)[0], ray)
        assert job.state == "done", job.error
    return {cell: came_to(store, study_id) for cell, study_id in studies.items()}


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SqlStore, SqlStore]]:
    made = [open_store(f"sqlite:///{tmp_path / name}.db") for name in ("near", "far")]
    yield made[0], made[1]
    for store in made:
        store.close()


def test_benchmark_comes_to_the_same_on_a_cluster(
    cluster: Machines, stores: tuple[SqlStore, SqlStore], server: Server
) -> None:
    """Its models are connections that only the database of this machine knows."""
    near, far = (carried_out(store, server, ray) for store, ray in zip(stores, ("", cluster.address), strict=True))
    assert far == near
    assert all(cell["end"][0] == "rounds" and len(cell["outcomes"]) > 20 for cell in far.values())


def test_worker_with_a_cluster_hands_its_study_back_when_it_is_stopped(
    cluster: Machines, stores: tuple[SqlStore, SqlStore], tmp_path: Path
) -> None:
    """Joining must not take SIGTERM away from the worker."""
    store = stores[1]
    environment = environment_with(
        AUTOFLOW_HOME=str(tmp_path), AUTOFLOW_DATABASE_URL=f"sqlite:///{tmp_path / 'far'}.db",
        AUTOFLOW_WORKER_CONCURRENCY="1",
    )  # fmt: skip
    with model_server(latency_s=0.2) as server:
        studies = list(benchmark(store, server).values())
        command = [sys.executable, "-m", "autoflow.jobs.worker", "--ray", cluster.address]
        worker = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            with within(60) as waiting:
                while waiting(len(store.study_outcomes(studies[0])) > 3):
                    assert worker.poll() is None
            assert cluster.carriers()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
    assert [store.list_jobs(kind="study", subject_id=study_id)[0].state for study_id in studies] == ["queued", "queued"]
    with within(30) as waiting:
        while waiting(not cluster.carriers()):
            pass


def test_job_without_a_cluster_fails_in_words_and_can_be_resumed(
    stores: tuple[SqlStore, SqlStore], server: Server
) -> None:
    study_id = next(iter(benchmark(stores[1], server).values()))
    code = (
        "import sys; from tests.searching import worked; from autoflow.store.sql import open_store\n"
        "store = open_store(sys.argv[1]); job = store.list_jobs(kind='study', subject_id=sys.argv[2])[0]\n"
        "print(worked(store, job, '127.0.0.1:1').error)"
    )  # in a process of its own, as this one may be in a cluster already
    url = f"sqlite:///{stores[1].database.name}"
    done = subprocess.run([sys.executable, "-c", code, url, study_id], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("The Ray cluster at 127.0.0.1:1 cannot be joined")
    job = stores[1].list_jobs(kind="study", subject_id=study_id)[0]
    assert job.state == "failed"
    assert worked(stores[1], stores[1].request(job.id, "resume"), "").state == "done"


# -- commands, each in a process of its own, as people run them
def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autoflow.cli", *arguments], env=environment_with(**environment), capture_output=True,
        text=True, timeout=90,
    )  # fmt: skip


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def plain(tmp_path: Path) -> str:
    path = tmp_path / "plain.core"
    path.write_text(PLAIN, "utf-8")
    return str(path)


def test_evaluate_says_the_same_with_a_cluster(cluster: Machines, script: Script, plain: str) -> None:
    arguments = ("evaluate", plain, "--suite", "openagi-plan", "--val", "30", "--model", script(), "--json")
    near, far = told(command(*arguments)), told(command(*arguments, "--ray", cluster.address))
    for run in (*near["runs"], *far["runs"]):
        del run["usage"]["seconds"], run["usage"]["cached"]
    assert far["runs"] == near["runs"]
    assert far["score"] == near["score"]
    assert far["usage"]["calls"] == 30


def test_limit_of_evaluate_counts_what_the_cluster_spent(cluster: Machines, script: Script, plain: str) -> None:
    arguments = ("evaluate", plain, "--suite", "openagi-plan", "--val", "150", "--model", script(latency_s=0.1))
    far = told(command(*arguments, "--max-calls", "20", "--json", "--ray", cluster.address))
    assert "The limit of 20 calls was reached." in far["stopped"]
    assert 20 <= far["usage"]["calls"] < 20 + 2 * 64  # what was under way on two carriers is finished


def test_optimize_searches_on_a_cluster(cluster: Machines, script: Script) -> None:
    sizes = ("--train", "2", "--val", "3", "--test", "2", "--rounds", "1", "--method", "paper")
    model = script(PLAIN)
    search = ("optimize", "--suite", "openagi-plan", *sizes, "--generator", model, "--interpreter", model, "--json")
    found = told(command(*search, "--ray", cluster.address))
    assert (found["state"], found["stop"]) == ("done", "rounds")
    assert found["scores"]["plain"]["test"] is not None


@pytest.mark.parametrize("name", ["optimize", "benchmark"])
def test_cluster_and_detach_are_not_for_the_same_command(name: str) -> None:
    done = command(name, "--detach", "--ray", "auto")
    assert done.returncode != 0
    assert "autoflow worker --ray auto" in done.stderr


def test_command_without_a_cluster_says_how_to_start_one(plain: str, script: Script) -> None:
    done = command("evaluate", plain, "--suite", "openagi-plan", "--model", script(), "--ray", "127.0.0.1:1")
    assert done.returncode != 0
    assert "The Ray cluster at 127.0.0.1:1 cannot be joined" in done.stderr
    assert "Traceback" not in done.stderr
