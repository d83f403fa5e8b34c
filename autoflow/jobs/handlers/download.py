"""Kind `download`: have a model on this machine. What has arrived is kept over a pause, a stop and a crash.

Result: {"model", "path"}.
"""

from __future__ import annotations

import asyncio

from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.payloads import DownloadPayload, payload_of
from autoflow.llm.download import Progress, Stopped, get_model
from autoflow.records import Json

TELL_S = 1.0  # between two checkpoints


async def handle(context: JobContext) -> Json:
    name = payload_of(context.job, DownloadPayload).model
    told: list[Progress] = []  # the latest only
    download = asyncio.create_task(
        get_model(name, progress=lambda p: told.__setitem__(slice(None), [p]), cancelled=lambda: context.paused_wanted)
    )
    try:
        await _report(context, download, told)
        return {"model": name, "path": str(await download)}
    except Stopped:
        raise Paused from None
    finally:
        download.cancel()
        await asyncio.wait([download])


async def _report(context: JobContext, download: asyncio.Task[object], told: list[Progress]) -> None:
    """A checkpoint a second, while there is progress: without any, a job that keeps dying must not go on for ever."""
    done = context.job.done
    while not download.done():
        await asyncio.wait([download], timeout=TELL_S)
        if told and told[0].done != done:
            now = told[0]
            done = now.done
            await context.checkpoint(done=now.done, total=now.total, unit=now.unit, message=now.message)
