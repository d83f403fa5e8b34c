"""The web app's entry: the pages under security headers, a health route, and the worker started beside them.

Start it with `make run`, `autoflow serve` or `streamlit run app.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pages.ui.security import SecurityHeaders
from pages.ui.vendor import ROUTES

WORKER_CHECK_S = 20.0  # how often the app looks whether its worker still lives


async def health(_: Request) -> JSONResponse:
    """Alive, and able to read the database: for load balancers and for people."""
    from autoflow.jobs.supervisor import worker_status
    from pages.ui.services import store

    try:
        await asyncio.to_thread(store().list_jobs, limit=1)
        worker = await asyncio.to_thread(worker_status)
    except Exception as error:  # whatever is wrong, the answer must say so instead of failing itself
        return JSONResponse({"ok": False, "error": f"{type(error).__name__}: {error}"}, status_code=503)
    return JSONResponse({"ok": True, "worker": worker.running})


def worker_first() -> None:
    from pages.ui.services import fetch_default_model, missing_tools

    fetch_default_model()
    missing_tools()  # asks whether the hub is there, so that no page has to wait for the answer


def worker_again() -> None:
    from pages.ui.services import keep_worker_alive

    keep_worker_alive()


async def keep_worker() -> None:
    """Start the worker, and start it again whenever it is gone; the default model is its first job.

    Imports, too, are the thread's: they take long enough to hold up the first page.
    """
    task = worker_first
    while True:
        with contextlib.suppress(Exception):  # a broken data folder is told by the pages; try again later
            await asyncio.to_thread(task)
        task = worker_again
        await asyncio.sleep(WORKER_CHECK_S)


def told(error: Exception) -> bool:
    """What a page did not catch itself: the shell does, but for callbacks and for fragments that are drawn anew."""
    from pages.ui.services import tell

    return tell(error)


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    keeper = asyncio.create_task(keep_worker())
    gc.collect()
    gc.freeze()  # Streamlit collects all generations after each rerun: what never dies need not be looked at
    try:
        yield None
    finally:
        keeper.cancel()


app = st.App(
    "pages/ui/shell.py",
    lifespan=lifespan,
    routes=[Route("/health", health), *ROUTES],
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=told,
)
