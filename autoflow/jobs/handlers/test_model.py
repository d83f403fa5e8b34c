"""Kind `test-model`: send a model a few small real requests, and keep what came of it with its connection.

Result: what `autoflow.llm.probe.test_llm` reports, with "at". A model that cannot be opened (no key, no file) is a test
with `ok` false, not a job that failed.
"""

from __future__ import annotations

import asyncio
import time

from autoflow.errors import ModelError, NotFound, SettingsError
from autoflow.jobs.context import JobContext, JobsAndRecords
from autoflow.jobs.payloads import TestModelPayload, payload_of
from autoflow.llm.probe import test_llm
from autoflow.llm.registry import open_llm
from autoflow.records import Json


async def handle(context: JobContext) -> Json:
    name = payload_of(context.job, TestModelPayload).model
    report = {**await _report(context.store, name), "at": time.time()}
    await asyncio.to_thread(_keep, context.store, name, report)
    return report


async def _report(store: JobsAndRecords, name: str) -> Json:
    try:
        llm = open_llm(name, connections=store.get_connection, cache=False)  # an answer from the disk tests nothing
    except (ModelError, SettingsError) as error:
        return {"ok": False, "latency_s": None, "model": "", "features": {}, "error": str(error)}
    try:
        return await test_llm(llm)
    finally:
        await llm.aclose()


def _keep(store: JobsAndRecords, name: str, report: Json) -> None:
    try:
        connection = store.get_connection(name.partition(":")[2] or name)
    except NotFound:
        return  # a model of the catalogue: the job holds the result
    store.save_connection(connection.model_copy(update={"test": report}))
