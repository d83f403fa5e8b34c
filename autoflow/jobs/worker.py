"""The worker: a process that claims jobs and carries them out, several at a time on one event loop.

`python -m autoflow.jobs.worker` works until it is stopped. More may be started, here or on other hosts of the same
database. The one that the app starts by itself (`supervisor`) ends when nobody has asked for it for IDLE_S.

SIGTERM and Ctrl-C hand the jobs back to the queue at their last checkpoint. SIGKILL is survived as well: the jobs are
claimed again when their leases have run out.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from autoflow.errors import AutoFlowError, StorageUnavailable
from autoflow.jobs.context import JobContext, JobsAndRecords
from autoflow.jobs.logfiles import log_to_file
from autoflow.jobs.runner import Handler, carry_out, handlers
from autoflow.records import JobKind
from autoflow.settings import settings
from autoflow.store import open_store
from autoflow.store.base import Lease

log = logging.getLogger(__name__)
LEASE_S = 30.0
POLL_S = 0.3
IDLE_POLL_S = 0.5  # after a minute without a job
IDLE_S = 900.0
HAND_BACK_S = 10.0  # what jobs get to end in order when the worker is stopped
AWAY_POLL_S = 5.0  # the longest wait while the database is away


class Worker:
    """Claims jobs while it has room, and carries them out."""

    def __init__(
        self, store: JobsAndRecords, registry: Mapping[JobKind, Handler], *, owner: str | None = None,
        concurrency: int = 4, lease_s: float = LEASE_S, idle_s: float | None = None, lock_fd: int | None = None,
    ) -> None:  # fmt: skip
        """Args:
        registry: which kinds of jobs it takes, and how each is done.
        owner: its name; default host and process.
        concurrency: jobs at once.
        idle_s: ends after this time without a job; None: never.
        lock_fd: the supervisor's lock file, which means that no other process bears the name `owner`. Each touch of
            the file counts as a wish that the worker lives on.
        """
        self._store = store
        self._registry = registry
        self.owner = owner or f"{socket.gethostname()}-{os.getpid()}"
        self._concurrency = concurrency
        self._lease_s = lease_s
        self._idle_s = idle_s
        self._lock_fd = lock_fd
        self._stopping = False
        self._wake = asyncio.Event()
        self._active: dict[asyncio.Task[None], JobContext] = {}
        self._last_job = time.time()
        self._away = 0  # claims in a row that found no database

    def stop(self) -> None:
        """Hand the jobs back and end. From the event loop's thread."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop`, or until idle for too long."""
        log.info("worker %s begins on %s", self.owner, getattr(self._store, "name", "the store"))
        if self._lock_fd is not None:
            await self._take_over()
        while not self._stopping and not self._idle_too_long():
            await self._claim()
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause())
        await self._hand_back()
        log.info("worker %s ends", self.owner)

    async def _take_over(self) -> None:
        """Free the jobs of the worker that held the lock before: it is dead, so nobody need wait for its leases."""
        with suppress(StorageUnavailable):  # then they run out by themselves
            count = await asyncio.to_thread(self._store.orphan, self.owner)
            log.info("%d jobs of a worker that died", count)

    async def _claim(self) -> None:
        """Take jobs until there is none, or no room."""
        while len(self._active) < self._concurrency and not self._stopping:
            try:
                lease = await asyncio.to_thread(
                    self._store.claim, self.owner, lease_s=self._lease_s, kinds=list(self._registry)
                )
                self._away = 0
            except StorageUnavailable as error:
                self._away += 1
                log.warning("no database to claim from: %s", error)
                return
            if lease is None:
                return
            self._begin(lease)

    def _begin(self, lease: Lease) -> None:
        context = JobContext(self._store, lease)
        task = asyncio.create_task(carry_out(context, self._registry[lease.job.kind]))
        self._active[task] = context
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._active[task]
        self._last_job = time.time()
        self._wake.set()  # there is room again

    def _pause(self) -> float:
        if self._away:
            return min(POLL_S * self._away, AWAY_POLL_S)
        return POLL_S if self._active or time.time() - self._last_job < 60 else IDLE_POLL_S

    def _idle_too_long(self) -> bool:
        if self._idle_s is None or self._active:
            return False
        asked = os.fstat(self._lock_fd).st_mtime if self._lock_fd is not None else 0.0
        return time.time() - max(self._last_job, asked) > self._idle_s

    async def _hand_back(self) -> None:
        for context in self._active.values():
            context.hand_back()
        if self._active:
            await asyncio.wait(list(self._active), timeout=HAND_BACK_S)


def main(arguments: Sequence[str] = ()) -> int:
    """Work in the foreground until stopped; the exit code. What went wrong is in the log and on standard error."""
    parser = argparse.ArgumentParser(prog="python -m autoflow.jobs.worker", description="Carry out queued jobs.")
    parser.add_argument("--lock-fd", type=int, help=argparse.SUPPRESS)  # given by the supervisor alone
    parser.add_argument("--ray", metavar="auto|HOST:PORT", help="the Ray cluster that carries out the runs of studies")
    told = parser.parse_args(arguments)
    lock_fd: int | None = told.lock_fd
    try:
        by_hand = f"worker-{socket.gethostname()}-{os.getpid()}"
        log_to_file(by_hand if lock_fd is None else "worker", echo=lock_fd is None)
        asyncio.run(_serve(lock_fd, told.ray))
    except AutoFlowError as error:
        log.error("%s", error)
        return 1
    return 0


async def _serve(lock_fd: int | None, ray: str | None) -> None:
    if lock_fd is not None:
        os.set_inheritable(lock_fd, False)  # or the lock would live on in the processes that jobs start
    store = open_store()
    worker = Worker(
        store,
        handlers(ray),
        owner=None if lock_fd is None else f"{socket.gethostname()}:{settings().home.absolute()}",
        concurrency=settings().worker_concurrency,
        idle_s=None if lock_fd is None else IDLE_S,
        lock_fd=lock_fd,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, worker.stop)
    try:
        await worker.run()
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
