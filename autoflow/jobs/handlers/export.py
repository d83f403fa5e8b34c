"""Kind `export`: write an adapter in a form that others take into the folder of exports. A stop leaves nothing.

Result: {"adapter", "form", "path", "size", "mark"}; the mark is that of the weights, which may change later.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from autoflow.jobs.context import JobContext
from autoflow.jobs.payloads import ExportPayload, payload_of
from autoflow.llm.download import Progress
from autoflow.llm.local.export import export, export_path
from autoflow.llm.local.names import ADAPTER_WEIGHTS, file_mark
from autoflow.llm.local.shelf import Adapter, find_adapter
from autoflow.records import Json
from autoflow.report.card import card_of

TELL_S = 0.5  # between two looks at how far it is


async def handle(context: JobContext) -> Json:
    """Returns the result above. Raises ModelError, StorageUnavailable: why it cannot be had in this form."""
    asked = payload_of(context.job, ExportPayload)
    adapter = await asyncio.to_thread(find_adapter, asked.adapter)
    target = export_path(adapter.name, asked.form)
    stop, told = threading.Event(), [Progress(0, 0)]

    def write() -> Path:
        return export(
            adapter, asked.form, target, card=card_of(context.store, adapter, asked.form), replace=True,
            progress=lambda now: told.__setitem__(0, now), cancelled=stop.is_set,
        )  # fmt: skip

    work = asyncio.create_task(asyncio.to_thread(write))
    try:
        await _tell(context, work, told)
        path = await asyncio.shield(work)
    finally:
        stop.set()
        await asyncio.wait([work])
    return {
        "adapter": adapter.name, "form": asked.form, "path": str(path), "size": _size(path), "mark": mark_of(adapter),
    }  # fmt: skip


async def _tell(context: JobContext, work: asyncio.Task[Path], told: list[Progress]) -> None:
    """A checkpoint where there is progress, until the work is done."""
    seen = told[0]
    while not work.done():
        await asyncio.wait([work], timeout=TELL_S)
        if told[0] != seen:
            seen = told[0]
            await context.checkpoint(
                done=seen.done, total=seen.total or None, unit=seen.unit, message=seen.message
            )  # fmt: skip


def mark_of(adapter: Adapter) -> str:
    """Tells these weights from others that take the name later."""
    return file_mark(adapter.folder / ADAPTER_WEIGHTS)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
