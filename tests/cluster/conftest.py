"""A real Ray cluster on this machine: a head without processors, and nodes with one each. It asks for a token."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from autoflow.cluster.evaluator import on_ray
from autoflow.cluster.wire import Order
from autoflow.evaluate import MakeEvaluator, Unit
from autoflow.records import ConnectionKind, Event, RunPolicy
from autoflow.settings import environment_with
from autoflow.study import Outcome, SuiteSpec
from autoflow.suites.openagi import OpenAGIPlanSuite

ROOT = Path(__file__).resolve().parents[2]
SUITE = SuiteSpec(name="openagi-plan", train=4, val=40, test=0)
TASKS = OpenAGIPlanSuite(seed=SUITE.seed, sizes=SUITE.sizes).tasks("val")
PLAIN = "Answer:::terminal:::Name the models in order.:::\n"
PLACES = 4  # runs under way on a carrier


class Machines:
    """The nodes, and what a power cut does to one. All are started as people start them, by `ray start`."""

    def __init__(self, folder: Path) -> None:
        self._mark = secrets.token_hex(8)  # in the environment of all their processes
        token = folder / "token"
        token.write_text(secrets.token_hex(32))
        self.environment = {
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0",
            "AUTOFLOW_HOME": str(folder), "PYTHONPATH": str(ROOT), "AF_TEST_CLUSTER": self._mark,
        }  # fmt: skip
        self.address = ""
        self._sessions = tempfile.mkdtemp(prefix="af-ray-")  # short: the paths of its sockets may have 100 characters

    def start(self) -> None:
        """The head, and two nodes."""
        head = ("--head", "--port=0", "--num-cpus=0", "--include-dashboard=false", "--disable-usage-stats")
        told = self._start(*head, f"--temp-dir={self._sessions}")
        found = re.search(r"--address='([^']+)'", told)
        assert found is not None, told
        self.address = found[1]
        for _ in range(2):  # one after the other: of two that begin at once on one machine, one may never come up
            self.add()

    def add(self) -> None:
        """A node with one processor."""
        self._start(f"--address={self.address}", "--num-cpus=1", "--memory=4000000000")

    def _start(self, *options: str) -> str:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--object-store-memory=80000000", *options]
        done = subprocess.run(
            command, env=environment_with(**self.environment), capture_output=True, text=True, timeout=90
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Of all nodes, whose title begins like this."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("AF_TEST_CLUSTER") == self._mark:
                    found.append((process, (process.cmdline() or [""])[0]))
        return [process for process, title in found if title.startswith(name)]

    def carriers(self) -> list[psutil.Process]:
        """Processes that carry out runs, as they are now."""
        return self.processes("ray::Carrier")

    def cut_power(self, carrier: psutil.Process) -> None:
        """Kill the node of a carrier with all that runs on it."""
        raylet = carrier.parent()
        assert raylet is not None
        assert raylet.name() == "raylet"
        for process in (raylet, *raylet.children(recursive=True)):
            process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        for process in self.processes():
            if process.pid != os.getpid():
                with suppress(psutil.Error):
                    process.kill()
        shutil.rmtree(self._sessions, ignore_errors=True)


@pytest.fixture(scope="session")
def _machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Nodes have a data folder of their own, as other machines have."""
    started = Machines(tmp_path_factory.mktemp("nodes"))
    try:
        started.start()
        yield started
    finally:
        started.close()


@pytest.fixture
def cluster(_machines: Machines, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """With two nodes, whatever the test before did to them; this process has the token."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.setenv(name, _machines.environment[name])
    for _ in range(2 - (len([p for p in _machines.processes() if p.name() == "raylet"]) - 1)):
        _machines.add()
    return _machines


@dataclass
class Kept:
    """What `done` got."""

    outcomes: list[Outcome] = field(default_factory=list)
    events: int = 0
    then: Callable[[int], None] = lambda count: None  # told how many there are by now

    async def __call__(self, outcome: Outcome, events: Sequence[Event]) -> None:
        self.outcomes.append(outcome)
        self.events += len(events)
        self.then(len(self.outcomes))

    @property
    def keys(self) -> list[tuple[str, int]]:
        return sorted((o.task, o.repeat) for o in self.outcomes)


def units(repeats: int = 1, text: str = PLAIN) -> Iterator[Unit]:
    return (Unit(0, text, task, repeat) for repeat in range(repeats) for task in TASKS)


def keys(repeats: int = 1) -> list[tuple[str, int]]:
    return sorted((task.id, repeat) for repeat in range(repeats) for task in TASKS)


Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """A scripted model of one line; its name."""

    def write(reply: str = "Image Denoising, Colorization", **more: Any) -> str:
        path = tmp_path / f"{secrets.token_hex(4)}.jsonl"
        line = {"match": ""} | ({"reply": reply} if "error" not in more else {}) | more
        path.write_text(json.dumps(line) + "\n", "utf-8")
        return f"scripted:{path}"

    return write


@asynccontextmanager
async def carriers(
    machines: Machines, model: str, kind: ConnectionKind = "scripted", concurrency: int = PLACES, **more: Any
) -> AsyncIterator[MakeEvaluator]:
    order = Order(suite=SUITE, model=model, policy=RunPolicy(), **more)
    async with on_ray(machines.address, order, kind, concurrency) as made:
        yield made


async def until(reached: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for what must come; fails where it does not."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.05)
