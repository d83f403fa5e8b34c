"""The models that the server has loaded: one child process each, the least recently used dropped for want of memory.

A model with a request in flight is never dropped: whoever needs its room waits, and nobody overtakes them.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from autoflow.errors import ModelUnavailable
from autoflow.llm.model_plan import ModelKey, Plan, plan
from autoflow.settings import environment_with

# Read when the library loads: spinning waits slow generation 10 to 50 times once another process is busy.
PASSIVE = {"OMP_WAIT_POLICY": "passive"}


class Child:
    """A model in its process: loading, loaded, or ended."""

    def __init__(self, key: ModelKey, planned: Plan, process: asyncio.subprocess.Process, token: str) -> None:
        self.key = key
        self.plan = planned
        self.process = process
        self.token = token
        self.url = ""  # known once it is loaded
        self.in_flight = 0
        self.started_at = self.used_at = time.monotonic()
        self.loaded_s: float | None = None  # how long loading took; None while it does
        self.loading = asyncio.create_task(self._load())
        self.loading.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be waiting

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    @property
    def memory(self) -> int:
        """Bytes: as measured; while it loads at least what it is going to need."""
        try:
            resident = int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.Error:
            return 0
        return resident if self.loaded_s is not None else max(resident, self.plan.memory)

    async def _load(self) -> None:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        answer = json.loads(line) if line.strip() else {"error": "its process ended while it was loading"}
        if "error" in answer:
            raise ModelUnavailable(
                f"The model {self.key.title} could not be loaded: {answer['error']}",
                "Was the adapter trained on this model? The log of the model server says more."
                if self.key.adapter
                else "The log of the model server says more.",
            )
        self.url = answer["url"]
        self.loaded_s = time.monotonic() - self.started_at

    async def end(self) -> None:
        """Kill it: it has nothing to save, and its memory is back when this returns."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        self.loading.cancel()

    def describe(self) -> dict[str, Any]:
        """For people and pages."""
        return {
            "path": str(self.key.path),
            "adapter": str(self.key.adapter) if self.key.adapter else None,
            "state": "loaded" if self.loaded_s is not None else "loading",
            "memory": self.memory,
            "in_flight": self.in_flight,
            "context": self.plan.context,
            "slots": self.plan.slots,
            "idle_s": round(time.monotonic() - self.used_at, 1) if not self.in_flight else 0.0,
            "loaded_s": self.loaded_s,
            "pid": self.process.pid,
        }


class ModelPool:
    """Gives out loaded models.

    Args:
        limit: bytes that all models together may take.
        threads: of each model.
        log: where the children write what they have to say.
    """

    def __init__(self, limit: int, threads: int, log: Path) -> None:
        self.limit = limit
        self._threads = threads
        self._log = log
        self._children: dict[ModelKey, Child] = {}
        self._gate = asyncio.Lock()  # first come, first served: a load that waits for room is not overtaken
        self._freed = asyncio.Event()
        self._full = False  # a load waits for room, and those behind it do
        self.used_at = time.monotonic()

    @property
    def busy(self) -> bool:
        return any(child.in_flight for child in self._children.values())

    def waits(self, key: ModelKey) -> bool:
        """Whether the model must wait until others are no longer used: there is no room beside them."""
        return self._full and key not in self._children

    def describe(self) -> list[dict[str, Any]]:
        return [child.describe() for child in self._children.values() if child.alive]

    @asynccontextmanager
    async def use(self, key: ModelKey) -> AsyncIterator[Child]:
        """A loaded model that stays loaded while it is used.

        Raises: ModelNotFound, ModelRequestError, ModelUnavailable: it cannot be loaded, and why.
        """
        async with self._gate:
            child = await self._child(key)
            child.in_flight += 1
        try:
            await asyncio.shield(child.loading)  # one load for all who wait; it goes on if one of them leaves
            yield child
        finally:
            child.in_flight -= 1
            child.used_at = self.used_at = time.monotonic()
            self._freed.set()

    async def unload(self) -> int:
        """Drop every model that is not in use. Returns: how many."""
        async with self._gate:
            idle = [child for child in self._children.values() if not child.in_flight]
            for child in idle:
                await self._drop(child)
        return len(idle)

    async def close(self) -> None:
        """End every child, in use or not."""
        for child in list(self._children.values()):
            await self._drop(child)

    async def _child(self, key: ModelKey) -> Child:
        child = self._children.get(key)
        if child and child.alive and not _failed(child):
            return child
        if child:
            await self._drop(child)
        planned = await asyncio.to_thread(plan, key, self.limit)
        await self._make_room(planned.memory)
        child = self._children[key] = await self._spawn(key, planned)
        return child

    async def _make_room(self, needed: int) -> None:
        while sum(child.memory for child in self._children.values()) + needed > self.limit:
            idle = [child for child in self._children.values() if not child.in_flight]
            if idle:
                await self._drop(min(idle, key=lambda child: child.used_at))
            elif self._children:
                self._freed.clear()
                self._full = True
                try:
                    await self._freed.wait()
                finally:  # also where who waited left
                    self._full = False
            else:
                return

    async def _drop(self, child: Child) -> None:
        if self._children.get(child.key) is child:
            del self._children[child.key]
        await child.end()

    async def _spawn(self, key: ModelKey, planned: Plan) -> Child:
        token = secrets.token_urlsafe(24)
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "autoflow.llm.model_child",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                env=environment_with(**PASSIVE),
            )  # fmt: skip
        order = key.fields() | {"context": planned.context, "slots": planned.slots}
        order |= {"threads": self._threads, "token": token}
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        return Child(key, planned, process, token)


def _failed(child: Child) -> bool:
    task = child.loading
    return task.done() and (task.cancelled() or task.exception() is not None)
