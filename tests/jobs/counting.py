"""A worker for tests, in a process of its own: its jobs count to `payload["to"]`, one event and one checkpoint a step.

python -m tests.jobs.counting URL LEASE_S STEP_S
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.worker import Worker
from autoflow.records import Event, Json
from autoflow.store.sql import open_store


async def count(context: JobContext, step_s: float = 0.0) -> Json:
    """Go on behind what is in the record, as a run does."""
    run_id, to = context.job.payload["run_id"], context.job.payload["to"]
    done = len(await asyncio.to_thread(context.store.run_events, run_id))
    for number in range(done + 1, to + 1):
        if context.paused_wanted:
            raise Paused
        context.live(step=number)
        await asyncio.sleep(step_s)
        event = Event(kind="step_finished", visit=number, at=time.time(), data={"seconds": 0, "by": os.getpid()})
        await context.checkpoint(run_id=run_id, events=[event], done=number, total=to, unit="steps")
    return {"counted": to}


async def main(url: str, lease_s: float, step_s: float) -> None:
    store = open_store(url)
    worker = Worker(store, {"run": lambda context: count(context, step_s)}, lease_s=lease_s)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()
    store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
