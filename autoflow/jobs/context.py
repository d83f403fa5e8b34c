"""What a handler gets: the job, the store, checkpoints, and a place to show what goes on right now."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

from autoflow.errors import StorageUnavailable
from autoflow.records import Event, Job, JobState, Json
from autoflow.store.base import JobStore, Lease, RunEnd, Store, StudyStore
from autoflow.study import StudyBatch

log = logging.getLogger(__name__)
T = TypeVar("T")
PATIENCE_S = 60.0  # how long a database may be away before the job is given back
LAST_RETRY_S = 5.0


class JobsAndRecords(Store, StudyStore, JobStore, Protocol):
    """All parts of the store, which a handler needs together."""


class Paused(Exception):
    """Raised by a handler to end as paused: what it did so far is in its last checkpoint."""


class JobContext:
    """One claim of one job. Used on the worker's event loop only."""

    def __init__(self, store: JobsAndRecords, lease: Lease, *, patience_s: float = PATIENCE_S) -> None:
        self.store = store
        self.lease = lease
        self.run_end: RunEnd | None = None  # set by a handler; written together with the end of the job
        self.partial: Json | None = None  # set by a handler that is cancelled: what there is, as the job's result
        self.wanted: JobState = "running"  # what a person asked for, as far as is known
        self.lost = False  # another worker has the job
        self.handing_back = False  # the worker is about to end
        self.live_changed = asyncio.Event()
        self._live: Json = {}
        self._serial = lease.serial
        self._lock = asyncio.Lock()  # in turn: a late heartbeat must not bring back live data that a checkpoint cleared
        self._patience_s = patience_s

    @property
    def job(self) -> Job:
        """As it was when claimed; `job.result` holds what the last checkpoint before that kept."""
        return self.lease.job

    @property
    def paused_wanted(self) -> bool:
        """Look at it between steps, and raise Paused."""
        return self.wanted == "pausing"

    @property
    def cancel_wanted(self) -> bool:
        """In a handler's `except CancelledError`: a person asked for it (else the worker ends, or lost the lease)."""
        return self.wanted == "cancelling" and not self.lost

    def hand_back(self) -> None:
        """Have the job cancelled and queued again: the worker is about to end."""
        self.handing_back = True
        self.live_changed.set()

    def live(self, **data: Any) -> None:
        """Show what goes on: merged into the job's live data, written soon, overwritten, cleared by a checkpoint."""
        self._live.update(data)
        self.live_changed.set()

    async def checkpoint(
        self, *, run_id: str | None = None, events: Sequence[Event] = (), done: float | None = None,
        total: float | None = None, unit: str | None = None, message: str | None = None, result: Json | None = None,
        study: StudyBatch | None = None,
    ) -> JobState:  # fmt: skip
        """Make durable what was done; see `JobStore.checkpoint`. Once begun it ends, even if the job is cancelled.

        Raises LeaseLost: stop. StorageUnavailable: the database stayed away for longer than a minute.
        """

        async def write() -> JobState:
            async with self._lock:
                self._serial += 1
                self._live.clear()
                self.live_changed.clear()
                return await self._patiently(
                    lambda: self.store.checkpoint(
                        self.lease, run_id=run_id, events=events, done=done, total=total, unit=unit, message=message,
                        result=result, serial=self._serial, study=study,
                    )
                )  # fmt: skip

        writing = asyncio.ensure_future(write())
        try:
            self.wanted = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise
        return self.wanted

    async def exchange(self, *, renew: bool) -> JobState:
        """Write live data or renew the lease where that is due, else only look; learn what a person wants.

        Raises LeaseLost, StorageUnavailable.
        """
        async with self._lock:
            live = dict(self._live) if self.live_changed.is_set() else None
            self.live_changed.clear()
            if live is None and not renew:
                self.wanted = await asyncio.to_thread(self.store.check, self.lease)
            else:
                self.wanted = await asyncio.to_thread(self.store.heartbeat, self.lease, live)
        return self.wanted

    async def finish(
        self, state: Literal["done", "failed", "cancelled", "paused", "queued"], result: Json | None, error: str
    ) -> Job:
        """End the claim, and the run with it. Raises LeaseLost, StorageUnavailable."""
        async with self._lock:
            run = self.run_end
            return await self._patiently(
                lambda: self.store.finish(self.lease, state, result=result, error=error, run=run)
            )

    async def _patiently(self, write: Callable[[], T]) -> T:
        """Try again while the database is away. Checkpoints and ends may be sent twice: the store writes them once."""
        deadline, pause = time.monotonic() + self._patience_s, 0.2
        while True:
            try:
                return await asyncio.to_thread(write)
            except StorageUnavailable as error:
                if time.monotonic() + pause > deadline:
                    raise
                log.warning("%s: %s Trying again.", self.job.title or self.job.id, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_RETRY_S)
