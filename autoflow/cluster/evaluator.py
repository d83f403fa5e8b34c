"""The evaluator of a study or a command over the carriers of a cluster.

Carriers are placed on every node by what they take (`placing`). One that dies, or whose node dies, costs the runs that
it had under way: others take them up, and it is replaced where its node still lives. Nodes that join later get carriers
too. Nothing that lasts is in the cluster: outcomes go to the store as they come, and the job with its lease and its
checkpoints is where it always was.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from autoflow.cluster.placing import GB, Needs, needs_of, places, spread
from autoflow.cluster.ray_cluster import Cluster, Gone
from autoflow.cluster.sharing import Todo
from autoflow.cluster.wire import Order, answered, error_of, key_of, sent
from autoflow.errors import ModelUnavailable
from autoflow.evaluate import Done, MakeEvaluator, Unit
from autoflow.records import ConnectionKind

LOOK_S = 2.0  # between two looks at the nodes
ALONE_S = 60.0  # how long runs wait for a node when all were lost
STRIKES = 3  # carriers that died on a node before they were ready: then it gets no more
log = logging.getLogger(__name__)


@asynccontextmanager
async def on_ray(address: str, order: Order, kind: ConnectionKind, concurrency: int) -> AsyncIterator[MakeEvaluator]:
    """Makes evaluators over carriers that stay warm for the length of the block.

    Args:
        kind: of the model that carries out.
        concurrency: calls that it takes at a time, `capabilities.concurrency`.
    Raises: see `Cluster.joined`. ModelUnavailable: no node has room for a carrier.
    """
    cluster = await Cluster.joined(address)
    nodes = await cluster.nodes()
    needs, shared = needs_of(order, kind, nodes), kind == "openai"
    if not any(spread(nodes, needs, None).values()):
        raise ModelUnavailable(
            f"No node of the cluster has room for a carrier, which takes {_words(needs)}.",
            "Start a larger one; `ray start` takes --num-cpus, --num-gpus and --memory.",
        )
    crew = Crew(cluster, order.model_dump_json(), needs, concurrency, shared=shared)
    try:
        yield lambda go_on: RayEvaluator(crew, go_on)
    finally:
        crew.dismiss()


def _words(needs: Needs) -> str:
    gpus = f", {needs.gpus:g} GPU" if needs.gpus else ""
    return f"{needs.cpus:g} CPU{gpus} and {needs.memory / GB:.1f} GB of memory"


@dataclass(eq=False)
class Member:
    """One carrier, as it is known here."""

    carrier: Any
    node: str
    ready: bool = False
    runs: dict[tuple[int, str, int], Unit] = field(default_factory=dict)  # under way on it


class Crew:
    """The carriers of one order. Args: concurrency, shared: see `places`."""

    def __init__(self, cluster: Cluster, order: str, needs: Needs, concurrency: int, *, shared: bool) -> None:
        self.cluster = cluster
        self.members: list[Member] = []
        self._order = order
        self._needs = needs
        self._concurrency = concurrency
        self._shared = shared
        self._strikes: Counter[str] = Counter()
        self._why = ""  # the last one was lost
        self._last = time.monotonic()  # at which there was one

    @property
    def most(self) -> int | None:
        """Runs under way on all of them together, and carriers that are of use; None: no limit."""
        return self._concurrency if self._shared else None

    def room(self, member: Member) -> int:
        """Runs that may begin on it now. What those that are gone, or not ready yet, leave free the others take."""
        ready = sum(one.ready for one in self.members)
        return places(self._concurrency, ready, shared=self._shared) - len(member.runs)

    async def hire(self) -> list[Member]:
        """Carriers that were missing, started now. Raises ModelUnavailable: there have been none for too long."""
        wanted = spread(await self.cluster.nodes(), self._needs, self.most)
        there = Counter(member.node for member in self.members)
        fresh = [
            Member(self.cluster.start(self._order, node, self._needs), node)
            for node, count in wanted.items()
            for _ in range(count - there[node])
            if self._strikes[node] < STRIKES
        ]
        self.members += fresh
        if self.members:
            self._last = time.monotonic()
        elif any(wanted.values()) or time.monotonic() - self._last > ALONE_S:
            raise ModelUnavailable(
                f"The cluster has no carrier left: {self._why or 'its nodes are gone'}",
                "Look at Ray's logs on its nodes.",
            )
        return fresh

    async def make_ready(self, member: Member) -> None:
        """Wait until it has opened all it needs. Raises Gone; what opening raises."""
        if not member.ready:
            answer = answered(await self.cluster.call(member.carrier, "ready"))
            if answer.failure is not None:
                raise error_of(answer.failure)
            member.ready = True

    def lose(self, member: Member, gone: Gone) -> None:
        self.members.remove(member)
        self.cluster.kill(member.carrier)  # where it is only out of reach, it must not go on
        self._why = str(gone)
        if not member.ready:
            self._strikes[member.node] += 1
        log.warning("a carrier on node %s is gone with %d runs: %s", member.node[:8], len(member.runs), gone)

    def rest(self) -> None:
        """Break off what is under way."""
        for member in self.members:
            if member.runs:
                self.cluster.tell(member.carrier, "stop")
                member.runs.clear()

    def dismiss(self) -> None:
        """End all carriers."""
        for member in self.members:
            self.cluster.kill(member.carrier)
        self.members.clear()


class RayEvaluator:
    """As the Protocol `Evaluator` says.

    Args:
        go_on: asked before each run; False starts no further one, those under way are finished.
    """

    def __init__(self, crew: Crew, go_on: Callable[[], bool]) -> None:
        self._crew = crew
        self._go_on = go_on

    async def map(self, units: Iterable[Unit], done: Done) -> None:
        """As the Protocol says."""
        todo = Todo(units, self._crew.most, self._go_on)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep(group, todo, done))
        except BaseExceptionGroup as found:  # a task that fails ends the others: one reason is enough
            raise found.exceptions[0] from found
        finally:
            self._crew.rest()

    async def _keep(self, group: asyncio.TaskGroup, todo: Todo, done: Done) -> None:
        """Have every carrier work, those that come later too, until all is there."""
        working = [group.create_task(self._work(member, todo, done)) for member in self._crew.members]
        while not todo.end.is_set():
            working += [group.create_task(self._work(member, todo, done)) for member in await self._crew.hire()]
            with suppress(TimeoutError):
                await asyncio.wait_for(todo.end.wait(), LOOK_S)
        for task in working:  # those that wait for something to do, or for room on their node
            task.cancel()

    async def _work(self, member: Member, todo: Todo, done: Done) -> None:
        try:
            await self._crew.make_ready(member)
            while not todo.end.is_set():
                fresh = todo.take(self._crew.room(member))
                member.runs |= {key_of(unit): unit for unit in fresh}
                if member.runs:
                    await self._exchange(member, fresh, todo, done)
                elif not todo.end.is_set():
                    await todo.changed()
        except Gone as gone:
            self._crew.lose(member, gone)
            todo.lost(member.runs.values(), str(gone))

    async def _exchange(self, member: Member, fresh: list[Unit], todo: Todo, done: Done) -> None:
        """Send what is to begin, and keep what has ended."""
        answer = answered(await self._crew.cluster.call(member.carrier, "exchange", sent(fresh)))
        for found in answer.found:
            if member.runs.pop(key_of(found.outcome), None) is not None:  # else nobody asked for it
                await done(found.outcome, found.events)
                todo.ended()
        if answer.failure is not None:
            raise error_of(answer.failure)
