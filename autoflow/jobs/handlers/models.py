"""The model of a job: fetched first where it is one of the catalogue that is not here, closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from autoflow.errors import AutoFlowError
from autoflow.jobs.context import JobContext, Paused
from autoflow.llm.base import LLM
from autoflow.llm.catalogue import catalogue
from autoflow.llm.download import Progress, Stopped, get_model
from autoflow.llm.registry import open_llm


@asynccontextmanager
async def opened(context: JobContext, name: str) -> AsyncIterator[LLM]:
    """Open a model by name; what it is waiting for is shown as live `status`.

    Raises ModelError, SettingsError: see `open_llm`. DownloadError: no source has the model. Paused: while it arrived.
    """
    await _arrived(context, name)

    def show(words: str) -> None:
        context.live(status=words)

    llm = open_llm(name, connections=context.store.get_connection, on_status=show)
    try:
        yield llm
    finally:
        await llm.aclose()


async def _arrived(context: JobContext, name: str) -> None:
    """Wait for the download that is under way, or begin one; nothing where the model is here or no catalogue's."""
    kind, _, entry_name = name.partition(":")
    entry_name = entry_name.partition("+")[0]  # NAME+ADAPTER
    try:
        entry = catalogue().find(entry_name) if kind in ("embedded", "local") else None
    except AutoFlowError:
        return  # opening it tells what is wrong
    if entry is None or entry.local_path() is not None or not entry.sources:
        return

    def show(progress: Progress) -> None:
        share = f"{progress.done / progress.total:.0%} of " if progress.total else ""
        context.live(
            status=f"Waiting for {entry_name} to arrive: {share}{entry.size / 1e6:,.0f} MB. {progress.message}"
        )

    try:
        await get_model(entry_name, progress=show, cancelled=lambda: context.paused_wanted)
    except Stopped:
        raise Paused from None
    context.live(status="")
