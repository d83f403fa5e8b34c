"""Carry out one claimed job: call its handler, keep the lease meanwhile, and write how it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Literal, NamedTuple

from autoflow.errors import AutoFlowError, LeaseLost, StorageUnavailable
from autoflow.jobs.context import JobContext, Paused
from autoflow.records import JobKind, Json
from autoflow.settings import settings

log = logging.getLogger(__name__)
Handler = Callable[[JobContext], Awaitable[Json]]
WATCH_S = 0.5  # a request of a person is noticed within this time
FLUSH_S = 0.3  # live data is written no oftener


def handlers(ray: str | None = None) -> Mapping[JobKind, Handler]:
    """The handler of each kind of job.

    Args:
        ray: the Ray cluster that carries out the runs of studies; None: as AUTOFLOW_RAY says.
    """
    from autoflow.jobs.handlers import download, export, generate, pilot, propose, run, study, test_model

    return {
        "run": run.handle,
        "generate": generate.handle,
        "download": download.handle,
        "test-model": test_model.handle,
        "study": partial(study.handle, ray=settings().ray if ray is None else ray),
        "pilot": pilot.handle,
        "propose-examples": propose.handle,
        "export": export.handle,
    }


class End(NamedTuple):
    """How a claim ends."""

    state: Literal["done", "failed", "cancelled", "paused", "queued"]
    result: Json | None = None
    error: str = ""


async def carry_out(context: JobContext, handler: Handler) -> None:
    """Do the job and write its end. Raises nothing: whatever goes wrong is in the job, or else in the log."""
    name = f"{context.job.title or context.job.kind} ({context.job.id})"
    log.info("begins: %s", name)
    work = asyncio.ensure_future(handler(context))
    keeper = asyncio.create_task(_keep_lease(context, work))
    try:
        end = await _end_of(context, work)
        if end is None:
            log.warning("lost to another worker: %s", name)
            return
        job = await context.finish(*end)
        log.info("%s: %s%s", job.state, name, f": {end.error}" if end.error else "")
    except LeaseLost as error:
        log.warning("its end was not written: %s: %s", name, error)
    except StorageUnavailable as error:
        log.error("its end could not be written: %s: %s It is claimed again when its lease has run out.", name, error)
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper


async def _end_of(context: JobContext, work: asyncio.Future[Json]) -> End | None:
    """What the handler came to; None where the lease was lost and nothing may be written."""
    try:
        return End("done", await work)
    except Paused:
        return End("paused")
    except asyncio.CancelledError:
        if context.lost:
            return None
        if context.cancel_wanted:
            return End("cancelled", context.partial)
        return End("queued", error="" if context.handing_back else "It was interrupted from inside.")
    except LeaseLost:
        return None
    except StorageUnavailable as error:
        return End("queued", error=str(error))  # not the job's fault; the limit of claims bounds it
    except AutoFlowError as error:
        return End("failed", error=str(error))
    except Exception as error:
        log.exception("unexpected, in job %s", context.job.id)
        return End("failed", error=f"Unexpected {type(error).__name__}: {error} (the worker's log says where).")


async def _keep_lease(context: JobContext, work: asyncio.Future[Json]) -> None:
    """Renew the lease, write live data, and pass on to the handler what a person wants, until cancelled."""
    renewed, told = time.monotonic(), False
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(context.live_changed.wait(), WATCH_S - FLUSH_S)
        due = time.monotonic() - renewed > context.lease.lease_s / 3
        try:
            await context.exchange(renew=due)
            renewed = time.monotonic() if due else renewed
        except LeaseLost:
            context.lost = True
            work.cancel()
            return
        except StorageUnavailable as error:
            log.warning("no heartbeat for %s: %s", context.job.id, error)
        if not told and (context.cancel_wanted or context.handing_back):
            told = work.cancel()  # once: the handler may be writing its last words
        await asyncio.sleep(FLUSH_S)
