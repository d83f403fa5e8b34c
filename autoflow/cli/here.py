"""Carrying out a job in this process, in the place of a worker; of a study with progress, and paused by Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from autoflow.cli import output
from autoflow.cli.logs import log_file
from autoflow.cli.progress import Progress
from autoflow.errors import NotFound, SettingsError

if TYPE_CHECKING:
    from autoflow.records import Job
    from autoflow.store import SqlStore
    from autoflow.store.base import Lease

LEASE_S = 30.0
STOP_S = 5.0  # what work that must end at once gets to write its end
POLL_S = 0.2  # how soon it shows what happened
Request = Literal["pause", "cancel"]
_WORDS: dict[Request, str] = {
    "pause": "Pausing: runs under way are finished. Ctrl-C again breaks them off.",
    "cancel": "Stopping; what was done is kept.",
}


def submitted(store: SqlStore, study_id: str, title: str) -> Job:
    """The job of a study: the one that was paused or that failed, queued again, or else a new one."""
    for job in store.list_jobs(kind="study", subject_id=study_id, limit=1):
        if job.state in ("paused", "failed"):
            return store.request(job.id, "resume")
    return store.submit("study", {"study_id": study_id}, title=title, subject_id=study_id, unique=True)


def refuse_both(detach: bool, ray: str | None) -> None:
    """Raises SettingsError: a worker is to do it, and this command says on which cluster."""
    if detach and ray:
        raise SettingsError(
            "With --detach a worker carries it out, and only the worker can name the cluster.",
            f"Start one: autoflow worker --ray {ray}",
        )


def carry_out_here(
    store: SqlStore, job: Job, ends: Sequence[Request] = ("pause", "cancel"), ray: str | None = None
) -> Job:
    """Do the job of a study, or watch it where a worker has it already; returns it as it ended. Ctrl-C pauses it.

    Args:
        ends: see `work_here`.
        ray: see `handlers`.
    """
    progress = Progress(_ends_in_s(store, job))
    work_here(store, job, lambda: progress.show(store.get_job(job.id)), ends, ray)
    progress.end()
    return store.get_job(job.id)


def carry_out_if_free(
    store: SqlStore, job: Job, ends: Sequence[Request], ray: str | None = None,
    *, begun: Callable[[], None] = lambda: None,
) -> Job | None:  # fmt: skip
    """Do the job of a study unless a worker has it, which returns None at once; else as it ended.

    Args:
        ends: see `work_here`.
        ray: see `handlers`.
        begun: called once it is this process that does it.
    """
    lease = _claimed(store, job)
    if lease is None:
        return None
    begun()
    progress = Progress(_ends_in_s(store, job))
    _do(store, lease, lambda: progress.show(store.get_job(job.id)), ends, ray)
    progress.end()
    return store.get_job(job.id)


def work_here(
    store: SqlStore, job: Job, watch: Callable[[], None], ends: Sequence[Request], ray: str | None = None
) -> None:
    """Do a job in the place of a worker, or follow it where one was faster to take it.

    Args:
        watch: called again and again in a thread while it goes on, and once at the end.
        ends: what Ctrl-C asks of the job, one after the other; one more ends this process at once.
        ray: see `handlers`.
    """
    from autoflow.cli.jobs import follow

    lease = _claimed(store, job)
    if lease is None:
        follow(store, job.id)
    else:
        _do(store, lease, watch, ends, ray)


def _ends_in_s(store: SqlStore, job: Job) -> float | None:
    """None: there is no limit of time. Of a study that is gone the job itself says so."""
    from autoflow.optimize.limits import limit_left_s

    with suppress(NotFound):
        return limit_left_s(store.get_study(job.subject_id or ""))
    return None


def _claimed(store: SqlStore, job: Job) -> Lease | None:
    """None: a worker has it, or it waits for nobody."""
    return store.claim(f"cli-{socket.gethostname()}-{os.getpid()}", lease_s=LEASE_S, job_id=job.id)


def _do(store: SqlStore, lease: Lease, watch: Callable[[], None], ends: Sequence[Request], ray: str | None) -> None:
    with log_file():
        asyncio.run(_work(store, lease, watch, ends, ray))


async def _work(
    store: SqlStore, lease: Lease, watch: Callable[[], None], ends: Sequence[Request], ray: str | None
) -> None:
    from autoflow.jobs.context import JobContext
    from autoflow.jobs.runner import carry_out, handlers

    work = asyncio.create_task(carry_out(JobContext(store, lease), handlers(ray)[lease.job.kind]))
    _stop_on_signals(store, lease.job.id, list(ends))
    try:
        while not work.done():
            await asyncio.wait([work], timeout=POLL_S)
            await asyncio.to_thread(watch)
        watch()
    except BaseException:  # nobody watches any more: it ends as the first Ctrl-C would have it, and no worker takes it
        store.request(lease.job.id, ends[0])
        await asyncio.wait([work], timeout=STOP_S)
        raise
    await work


def _stop_on_signals(store: SqlStore, job_id: str, ends: list[Request]) -> None:
    """The next Ctrl-C asks for the next end in order; without one it ends this process."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        wanted = ends.pop(0)
        if not ends:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
        store.request(job_id, wanted)
        output.note(_WORDS[wanted])

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
