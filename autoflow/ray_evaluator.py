"""Runs carried out by a Ray cluster; the only file that imports Ray.

A carrier is a process on a node of the cluster that opens the suite, the tools and the model once and then takes batches of
runs. Batches are a few runs each, so that Ray's own cost is small beside them, and no more of them are under way than
carriers have places for: results stream back, and nothing is collected. A carrier or node that dies costs the runs that it
had under way; they are given to another. Whatever crosses between machines is JSON text that is checked on arrival.

The cluster asks for a token (Ray's own, `RAY_AUTH_MODE=token`), and no dashboard is started.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from pydantic import TypeAdapter

from autoflow.errors import ModelUnavailable, SettingsError
from autoflow.evaluate import Done, LocalEvaluator, Unit
from autoflow.records import Event, Record, RunPolicy
from autoflow.study import Outcome, Split, SuiteSpec

EXTRA = "pip install -r requirements-ray.txt"
BATCH = 8  # runs that a carrier is given at a time
AHEAD = 2  # batches for each carrier: it never waits for the next
TRIES = 5  # times that a batch is given to carriers that die


class Order(Record):
    """What a carrier opens."""

    suite: SuiteSpec
    model: str
    judge: str = ""
    policy: RunPolicy
    tools: tuple[str, ...] = ()


class Wanted(Record):
    """One run, as it is sent: the task is found by its id in the suite that the carrier opened."""

    candidate: int
    text: str
    task: str
    repeat: int
    split: Split
    round: int


class Found(Record):
    """What became of it, as it comes back."""

    outcome: Outcome
    events: tuple[Event, ...]


_WANTED, _FOUND = TypeAdapter(list[Wanted]), TypeAdapter(list[Found])


class RayEvaluator:
    """As the Protocol `Evaluator` says.

    Args:
        address: of the cluster; `auto`: the one that this machine belongs to, or a new one of this machine alone.
        carriers: processes that carry out runs; None: one for each processor of the cluster.
        go_on: asked before each batch; False starts no further one.
    Raises SettingsError: Ray is not installed. ModelUnavailable: the cluster cannot be reached.
    """

    def __init__(
        self,
        order: Order,
        address: str = "auto",
        *,
        carriers: int | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ray = _connected(address)
        self._order = order.model_dump_json()
        self._go_on = go_on
        count = carriers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        carrier = self._ray.remote(max_restarts=-1, num_cpus=1)(Carrier)
        self._carriers = [carrier.remote(self._order) for _ in range(count)]

    async def map(self, units: Iterable[Unit], done: Done) -> None:
        """As the Protocol says."""
        batches = _batched(units)
        try:
            async with asyncio.TaskGroup() as group:
                for carrier in self._carriers:
                    for _ in range(AHEAD):
                        group.create_task(self._work(carrier, batches, done))
        except BaseExceptionGroup as found:
            raise found.exceptions[0] from found

    def close(self) -> None:
        """End the carriers."""
        for carrier in self._carriers:
            self._ray.kill(carrier)

    async def _work(self, carrier: Any, batches: Iterator[list[Unit]], done: Done) -> None:
        while self._go_on() and (batch := next(batches, None)) is not None:
            for found in await self._carried_out(carrier, batch):
                await done(found.outcome, found.events)

    async def _carried_out(self, carrier: Any, batch: Sequence[Unit]) -> list[Found]:
        """Again where the carrier died under it: Ray starts it anew, on another node where its own is gone."""
        sent = _WANTED.dump_json([_wanted(unit) for unit in batch]).decode()
        for attempt in range(TRIES):
            try:
                return _FOUND.validate_json(await carrier.run.remote(sent))
            except self._ray.exceptions.RayActorError as error:
                if attempt + 1 == TRIES:
                    raise ModelUnavailable(
                        f"The cluster lost {TRIES} carriers under the same runs: {error}", "Look at its nodes' memory."
                    ) from error
                await asyncio.sleep(2.0**attempt / 4)
        raise AssertionError("unreachable")


class Carrier:
    """Lives on a node. Opens what the order names at its first batch."""

    def __init__(self, order: str) -> None:
        self._order = Order.model_validate_json(order)
        self._opened: tuple[Any, Any] | None = None

    async def run(self, sent: str) -> str:
        """Runs as JSON in, what became of them out."""
        suite, llm = await self._open()
        found: list[Found] = []

        async def done(outcome: Outcome, events: Sequence[Event]) -> None:
            found.append(Found(outcome=outcome, events=tuple(events)))

        from autoflow.tools.opening import open_toolbox

        tasks = {(split, task.id): task for split in ("train", "val", "test") for task in suite.tasks(split)}
        units = [
            Unit(w.candidate, w.text, tasks[w.split, w.task], w.repeat, w.split, w.round)
            for w in _WANTED.validate_json(sent)
        ]
        async with open_toolbox(self._order.tools or tuple(suite.tools)) as toolbox:
            await LocalEvaluator(suite, llm, toolbox, policy=self._order.policy).map(units, done)
        return _FOUND.dump_json(found).decode()

    async def _open(self) -> tuple[Any, Any]:
        if self._opened is None:
            from autoflow.llm.registry import open_llm
            from autoflow.llm.wrappers.cache import always_cached
            from autoflow.suites.registry import open_suite

            judge = always_cached(open_llm(self._order.judge)) if self._order.judge else None
            suite = await asyncio.to_thread(open_suite, self._order.suite, judge=judge)
            self._opened = suite, always_cached(open_llm(self._order.model))
        return self._opened


def _wanted(unit: Unit) -> Wanted:
    return Wanted(
        candidate=unit.candidate,
        text=unit.text,
        task=unit.task.id,
        repeat=unit.repeat,
        split=unit.split,
        round=unit.round,
    )


def _batched(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    todo = iter(units)
    while batch := list(islice(todo, BATCH)):
        yield batch


def _connected(address: str) -> Any:
    """The module, joined to the cluster."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # read when Ray starts or joins
    try:
        import ray
    except ImportError as error:
        raise SettingsError("Ray is not installed.", f"It is an extra: {EXTRA}") from error
    if not ray.is_initialized():
        try:
            ray.init(
                address=None if address == "local" else address, include_dashboard=False, log_to_driver=False,
                ignore_reinit_error=True,
            )  # fmt: skip
        except ConnectionError as error:
            if address != "auto":
                raise ModelUnavailable(
                    f"No Ray cluster answers at {address}: {error}", "Start one: ray start --head"
                ) from error
            ray.init(include_dashboard=False, log_to_driver=False)
    return ray
