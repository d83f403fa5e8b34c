"""Carrying out a study in this process, in the place of a worker: with progress, and paused by Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

from autoflow.cli import output
from autoflow.cli.logs import log_file
from autoflow.cli.trace import clip

if TYPE_CHECKING:
    from autoflow.records import Job
    from autoflow.store import SqlStore
    from autoflow.store.base import Lease

LEASE_S = 30.0
STOP_S = 5.0  # what work that must end at once gets to write its end
POLL_S = 0.3
LINE_S = 15.0  # where nobody can overwrite a line (a log file), one is written no oftener


def submitted(store: SqlStore, study_id: str, title: str) -> Job:
    """The job of a study: the one that was paused or that failed, queued again, or else a new one."""
    for job in store.list_jobs(kind="study", subject_id=study_id, limit=1):
        if job.state in ("paused", "failed"):
            return store.request(job.id, "resume")
    return store.submit("study", {"study_id": study_id}, title=title, subject_id=study_id, unique=True)


def carry_out_here(store: SqlStore, job: Job) -> Job:
    """Do the job, or watch it where a worker has it already; returns it as it ended."""
    from autoflow.cli.jobs import follow

    lease = store.claim(f"cli-{socket.gethostname()}-{os.getpid()}", lease_s=LEASE_S, job_id=job.id)
    if lease is None:
        return follow(store, job.id)
    with log_file():
        asyncio.run(_work(store, lease))
    return store.get_job(job.id)


async def _work(store: SqlStore, lease: Lease) -> None:
    from autoflow.jobs.context import JobContext
    from autoflow.jobs.runner import carry_out, handlers

    progress = Progress()
    work = asyncio.create_task(carry_out(JobContext(store, lease), handlers()[lease.job.kind]))
    _stop_on_signals(store, lease.job.id)
    try:
        while not work.done():
            await asyncio.wait([work], timeout=POLL_S)
            progress.show(await asyncio.to_thread(store.get_job, lease.job.id))
        progress.end()
    except BaseException:  # nobody watches any more: it ends as paused, and the same command goes on with it
        store.request(lease.job.id, "pause")
        await asyncio.wait([work], timeout=STOP_S)
        raise
    await work


def _stop_on_signals(store: SqlStore, job_id: str) -> None:
    """The first Ctrl-C lets what is under way finish; the second breaks it off; the third ends at once."""
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        store.request(job_id, "cancel")
        output.note("Stopping; what was done is kept.")

    def pause() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, cancel)
        store.request(job_id, "pause")
        output.note("Pausing: runs under way are finished. Ctrl-C again breaks them off.")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pause)


class Progress:
    """How far a job is and what it does, on one line that the next overwrites; in a log, a line now and then."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first: float | None = None  # what was done when it began
        self._shown, self._at = "", 0.0

    def show(self, job: Job) -> None:
        line = clip(self._line(job))
        if line == self._shown:
            return
        if sys.stderr.isatty():
            output.retell(line)
        elif time.monotonic() - self._at >= LINE_S:
            output.note(line)
        else:
            return
        self._shown, self._at = line, time.monotonic()

    def end(self) -> None:
        """Leave the line behind."""
        if self._shown and sys.stderr.isatty():
            output.tell("\n")

    def _line(self, job: Job) -> str:
        self._first = job.done if self._first is None else self._first
        doing = job.live.get("status") or job.live.get("doing") or job.message
        counted = f"{job.done:,.0f} of {job.total:,.0f} {job.unit}" if job.total else ""
        return " · ".join(filter(None, (counted, self._left(job), str(doing or ""))))

    def _left(self, job: Job) -> str:
        from autoflow.report.figures import duration

        done = job.done - (self._first or 0.0)
        if not job.total or done <= 0 or job.done >= job.total:
            return ""
        seconds = (time.monotonic() - self._began) / done * (job.total - job.done)
        return f"about {duration(seconds)} left"
