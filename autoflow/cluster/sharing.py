"""The runs of one call of `map`: which are still to do, which are under way, what becomes of those that were lost."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable

from autoflow.cluster.wire import key_of
from autoflow.errors import ModelUnavailable
from autoflow.evaluate import Unit

TRIES = 5  # times that a run is given to carriers that die


class Todo:
    """Handed out to carriers as they have room.

    Args:
        units: may be a generator: it is asked for the next one when there is room.
        most: runs under way on all carriers together; None: no limit.
        go_on: asked before each run; False starts no further one, not even one that was lost.
    """

    def __init__(self, units: Iterable[Unit], most: int | None, go_on: Callable[[], bool]) -> None:
        self._units = iter(units)
        self._most = most
        self._go_on = go_on
        self._again: deque[Unit] = deque()
        self._losses: Counter[tuple[int, str, int]] = Counter()
        self._exhausted = False
        self._changed = asyncio.Event()
        self._under_way = 0
        self.end = asyncio.Event()  # set when nothing is under way and nothing more will be

    def take(self, count: int) -> list[Unit]:
        """The next runs, at most so many; none where there is no room or nothing to do."""
        taken: list[Unit] = []
        room = count if self._most is None else min(count, self._most - self._under_way)
        while len(taken) < room and (unit := self._next()) is not None:
            taken.append(unit)
            self._under_way += 1
        return taken

    def _next(self) -> Unit | None:
        if not self._go_on():
            wanted = bool(self._again)
            self._again.clear()
            if wanted or not self._exhausted:
                self._exhausted = True
                self._tell()  # once: told at every look, those who wait would wake each other for ever
            return None
        if self._again:
            return self._again.popleft()
        unit = None if self._exhausted else next(self._units, None)
        if unit is None:
            self._exhaust()
        return unit

    def _exhaust(self) -> None:
        if not self._exhausted:
            self._exhausted = True
            self._tell()

    def ended(self) -> None:
        """One run is there."""
        self._under_way -= 1
        self._tell()

    def lost(self, units: Iterable[Unit], why: str) -> None:
        """The carrier of these is gone: another takes them up.

        Raises ModelUnavailable: one of them was lost so often that it seems to be what kills its carriers.
        """
        for unit in units:
            self._losses[key_of(unit)] += 1
            if self._losses[key_of(unit)] >= TRIES:
                raise ModelUnavailable(
                    f"The cluster lost {TRIES} carriers in the middle of a run on the task {unit.task.id}: {why}",
                    "Look at the memory of its nodes, and at Ray's logs on them.",
                )
            self._again.append(unit)
            self._under_way -= 1
        self._tell()

    async def changed(self) -> None:
        """Wait until there may be something to take."""
        await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        if self._exhausted and not self._again and not self._under_way:
            self.end.set()
