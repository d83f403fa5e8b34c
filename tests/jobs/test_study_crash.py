"""A study whose worker is killed at twenty random moments comes to the same end as one that was left alone.

The worker is the real one, in a process of its own; the models are a server that answers by what it is asked, so that
the same questions always get the same answers, and that counts who asked what.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autoflow.llm.base import Capabilities
from autoflow.optimize.start import start_study
from autoflow.records import Json
from autoflow.store import SqlStore, open_store
from autoflow.store.job_rows import MAX_CLAIMS
from autoflow.study import Method, Study, StudyBudget, StudySpec, SuiteSpec
from autoflow.tools.openagi.table import TOOLS
from tests.jobs.test_crash import within
from tests.llm.server import Request, Server, says
from tests.searching import came_to

LATENCY_S = 0.01  # of each answer, so that calls are under way when the worker dies
PLACES = Capabilities().concurrency  # calls at a time
NAMES = [tool.name for tool in TOOLS]
STEPS = ("Say what the task has to do with {}.", "Is there {} in it?", "Name the models for {}.", "Put {} in order.")


@dataclass
class Oracle:
    """Answers every question by its hash: workflows to the generator, names of models and choices to others."""

    server: Server = field(default_factory=Server)
    asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.server.start()
        self.server.script(self._answer)

    async def _answer(self, writer: object, request: Request) -> None:
        import asyncio

        body = request.body
        key = json.dumps([body["model"], body["messages"], body.get("seed")])
        self.asked[key] += 1
        await asyncio.sleep(LATENCY_S)
        chance = random.Random(hashlib.sha256(key.encode()).hexdigest())
        text = _workflow(chance) if body["model"] == "writer" else _reply(body, chance)
        await says(text)(writer, request)  # type: ignore[arg-type]


def _workflow(chance: random.Random) -> str:
    """One to three steps before the end; one in six leads nowhere."""
    count = chance.randrange(1, 4)
    lines = []
    for n in range(1, count + 1):
        target = "Nowhere" if chance.random() < 1 / 6 else f"Step {n + 1}"
        lines.append(f"Step {n}:::process:::{chance.choice(STEPS).format(chance.choice(NAMES))}:::next::{target}")
    return "\n".join([*lines, f"Step {count + 1}:::terminal:::Name {chance.randrange(1, 6)} models in order.:::"])


def _reply(body: Json, chance: random.Random) -> str:
    """A choice where one is asked for, in whatever form, else some of the models."""
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    if "branch" in schema:
        return json.dumps({"answer": "So it is.", "branch": chance.choice(schema["branch"]["enum"])})
    if "choice" in schema:
        return json.dumps({"choice": chance.choice(schema["choice"]["enum"])})
    if choices := body.get("structured_outputs", {}).get("choice"):
        return str(chance.choice(choices))
    return ", ".join(chance.sample(NAMES, chance.randrange(1, 6)))


@dataclass
class House:
    """A data folder with one study in it, and the worker that carries it out."""

    home: Path
    url: str
    oracle: Oracle
    method: Method
    rounds: int
    store: SqlStore = field(init=False)
    study: Study = field(init=False)
    worker: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.home.mkdir()
        self.store = open_store(self.url)
        sizes = {"train": 3, "val": 4, "test": 3}
        spec = StudySpec(
            method=self.method, suite=SuiteSpec(name="openagi-plan", seed=2, **sizes), generator="openai:writer",
            interpreter="openai:reader", budget=StudyBudget(max_rounds=self.rounds), seed=11,
        )  # fmt: skip
        self.study = start_study(self.store, "Crash", spec)
        self.job = self.store.submit("study", {"study_id": self.study.id}, title="s", subject_id=self.study.id)

    def start(self) -> None:
        environment = os.environ | {"AUTOFLOW_HOME": str(self.home), "OPENAI_BASE_URL": self.oracle.server.url}
        environment |= {"AUTOFLOW_DATABASE_URL": self.url}
        self.worker = subprocess.Popen([sys.executable, "-m", "autoflow.jobs.worker"], env=environment)

    def kill(self) -> None:
        """As the kernel does it; then what a new worker does that holds the lock of a dead one."""
        assert self.worker is not None
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()
        self.store.orphan(f"{socket.gethostname()}-{self.worker.pid}")

    def done(self) -> bool:
        job = self.store.get_job(self.job.id)
        assert job.state in ("queued", "running", "done"), job.error
        assert self.worker is None or self.worker.poll() is None
        return job.state == "done"

    def claims(self) -> int:
        return self.store.get_job(self.job.id).claims

    def found(self) -> Json:
        return came_to(self.store, self.study.id)

    def close(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait()
        self.store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two databases: for the study that is left alone, and for the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'alone.db'}", f"sqlite:///{tmp_path / 'killed.db'}"
    return f"sqlite:///{tmp_path / 'alone.db'}", str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def houses(urls: tuple[str, str], tmp_path: Path, method: Method, rounds: int) -> Iterator[tuple[House, House]]:
    made = [House(tmp_path / name, url, Oracle(), method, rounds) for name, url in zip(("a", "b"), urls, strict=True)]
    yield made[0], made[1]
    for house in made:
        house.close()
        house.oracle.server.stop()


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("method", "rounds"), [("paper", 14)])
def test_study_killed_at_twenty_moments_comes_to_the_same_end(houses: tuple[House, House]) -> None:
    _compare(*houses, kills=20, seed=1)


@pytest.mark.postgres
@pytest.mark.parametrize("urls", ["postgres"], indirect=True)
@pytest.mark.parametrize(("method", "rounds"), [("in-context", 4)])
def test_in_context_study_on_postgres_comes_to_the_same_end_as_well(houses: tuple[House, House]) -> None:
    """The slower one: some drafts a round, and a database that is a server."""
    _compare(*houses, kills=8, seed=2)


def _compare(alone: House, killed: House, *, kills: int, seed: int) -> None:
    alone.start()
    with within(60) as waiting:
        while waiting(alone.done()):
            pass
    undisturbed = alone.oracle.asked
    assert max(undisturbed.values()) <= PLACES  # the cache answers, but for what is asked at the same moment

    chance = random.Random(seed)
    for moment in sorted(chance.sample(range(1, len(undisturbed)), kills)):
        killed.start()
        with within(60) as waiting:
            while waiting(len(killed.oracle.asked) >= moment and killed.claims() < MAX_CLAIMS):
                pass
        time.sleep(chance.uniform(0, 2 * LATENCY_S))
        assert not killed.done()
        killed.kill()
    killed.start()
    with within(60) as waiting:
        while waiting(killed.done()):
            pass

    assert killed.found() == alone.found()
    candidates = killed.found()["candidates"]
    assert [c["number"] for c in candidates] == list(range(len(candidates)))
    assert len(candidates) > 8
    assert set(killed.oracle.asked) == set(undisturbed)
    repeated = killed.oracle.asked.total() - undisturbed.total()
    logs = "".join(path.read_text() for path in (killed.home / "logs").iterdir())
    assert "HTTP Request" not in logs  # a line a call would bury what a person looks for
    print(f"{undisturbed.total()} calls, {repeated} repeated")
    assert repeated <= kills * PLACES  # those that were under way when the worker died
