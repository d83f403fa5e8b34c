"""A real Ray cluster on this machine: a head without processors, and two nodes with one each."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from autoflow.cluster.evaluator import on_ray
from autoflow.cluster.wire import Order
from autoflow.evaluate import MakeEvaluator, Unit
from autoflow.records import ConnectionKind, Event, RunPolicy
from autoflow.study import Outcome, SuiteSpec
from autoflow.suites.openagi import OpenAGIPlanSuite
from scripts.raycluster import Machines

SUITE = SuiteSpec(name="openagi-plan", train=4, val=40, test=0)
TASKS = OpenAGIPlanSuite(seed=SUITE.seed, sizes=SUITE.sizes).tasks("val")
PLAIN = "Answer:::terminal:::Name the models in order.:::\n"
PLACES = 4  # runs under way on a carrier


@pytest.fixture(scope="session")
def _machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
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
