"""The model server: one process a data folder, shared by the app, the workers and the command line.

It listens on 127.0.0.1 and wants a bearer token; both stand in its state file, which only its user can read. One a data
folder and not one a machine, because the models and their settings belong to a data folder; who wants one a machine
(the usual case) has one data folder.

    GET  /health                version, process, seconds idle
    GET  /models                what is loaded: memory, requests in flight
    POST /load {"gguf"}         JSON lines: {"state": "waiting" | "loading", "seconds"} ..., "ready" or "failed"
    POST /v1/chat/completions   as OpenAI's, with the field `gguf` for the file of the model, see `ModelKey`
    POST /unload                drop every model that is not in use
    POST /shutdown              give requests in flight half a minute to end, then stop

Run as `python -m autoflow.llm.model_server`; `server_process.py` starts it on demand. It ends itself when it has been
idle for `AUTOFLOW_IDLE_STOP_S`.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import autoflow
from autoflow.errors import AutoFlowError, ModelRequestError
from autoflow.llm.flock import FileLock
from autoflow.llm.model_plan import ModelKey
from autoflow.llm.model_pool import ModelPool
from autoflow.llm.model_relay import ChatRelay, error_reply, json_of, reply_for
from autoflow.llm.server_process import ALREADY_RUNNING, ServerState, log_file, server_dir
from autoflow.settings import Settings, settings

log = logging.getLogger("autoflow.model_server")
ENDING_S = 30  # that requests in flight are given when it is told to end
KEPT_S = 60  # that an idle connection is kept: longer than clients keep theirs, or one is closed under a request
SOON_S = 0.02  # a load that takes longer is reported
TICK_S = 0.5  # between two reports of a load that takes its time
MEMORY_SHARE = 0.8  # of the machine's memory, where the limit that was set is larger


class ModelServer:
    """The routes over one pool."""

    def __init__(self, pool: ModelPool, idle_stop_s: float) -> None:
        self.pool = pool
        self.idle_stop_s = idle_stop_s
        self.relay = ChatRelay(pool)
        self.stop = asyncio.Event()

    def app(self, token: str) -> ASGIApp:
        routes = [
            Route("/health", self.health),
            Route("/models", self.models),
            Route("/load", self.load, methods=["POST"]),
            Route("/v1/chat/completions", self.relay, methods=["POST"]),
            Route("/unload", self.unload, methods=["POST"]),
            Route("/shutdown", self.shutdown, methods=["POST"]),
        ]
        return BearerOnly(Starlette(routes=routes, lifespan=self._lifespan), token)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        watch = asyncio.create_task(self._stop_when_idle())
        yield
        watch.cancel()
        await self.pool.close()
        await self.relay.aclose()

    async def _stop_when_idle(self) -> None:
        while self.pool.busy or time.monotonic() - self.pool.used_at < self.idle_stop_s:  # noqa: ASYNC110
            await asyncio.sleep(min(1.0, self.idle_stop_s / 4))
        log.info("idle for %s s: ending", self.idle_stop_s)
        self.stop.set()

    async def health(self, request: Request) -> JSONResponse:
        idle = 0.0 if self.pool.busy else time.monotonic() - self.pool.used_at
        return JSONResponse({"version": autoflow.__version__, "pid": os.getpid(), "idle_s": round(idle, 1)})

    async def models(self, request: Request) -> JSONResponse:
        return JSONResponse({"models": self.pool.describe(), "limit": self.pool.limit})

    async def load(self, request: Request) -> Response:
        try:
            key = ModelKey.of(await json_of(request))
        except ModelRequestError as error:
            return reply_for(error)
        return StreamingResponse(self._load(key), media_type="application/jsonl")

    async def _load(self, key: ModelKey) -> AsyncIterator[str]:
        started = time.monotonic()
        task = asyncio.create_task(self._ready(key))
        try:
            wait_s = SOON_S
            while not task.done():
                await asyncio.wait((task,), timeout=wait_s)
                wait_s = TICK_S
                if not task.done():
                    state = "waiting" if self.pool.waits(key) else "loading"
                    yield _line(state=state, seconds=round(time.monotonic() - started, 1))
            yield _line(**task.result() | {"state": "ready"})
        except AutoFlowError as error:
            yield _line(state="failed", kind=type(error).__name__, message=error.message, hint=error.hint)
        finally:
            task.cancel()

    async def _ready(self, key: ModelKey) -> dict[str, Any]:
        async with self.pool.use(key) as child:
            return child.describe()

    async def unload(self, request: Request) -> JSONResponse:
        return JSONResponse({"unloaded": await self.pool.unload()})

    async def shutdown(self, request: Request) -> JSONResponse:
        self.stop.set()
        return JSONResponse({"ending": True})


class BearerOnly:
    """Refuses everybody who does not know the token: other users of the machine, and pages in a browser."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                await error_reply(401, "The model server wants its bearer token.")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _line(**fields: Any) -> str:
    return json.dumps(fields) + "\n"


def memory_limit(chosen: Settings) -> int:
    """Bytes that models may take together: the setting, or most of a machine that has less."""
    return int(min(chosen.memory_limit_gb * 1e9, MEMORY_SHARE * psutil.virtual_memory().total))


async def serve(chosen: Settings) -> None:
    """Serve until told to stop or idle for long."""
    pool = ModelPool(memory_limit(chosen), chosen.threads or os.cpu_count() or 1, log_file())
    server = ModelServer(pool, chosen.idle_stop_s)
    token = secrets.token_urlsafe(32)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            server.app(token),
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="on",
            timeout_keep_alive=KEPT_S,
            timeout_graceful_shutdown=ENDING_S,
        )
        web = uvicorn.Server(config)
        serving = asyncio.create_task(web.serve(sockets=[listening]))
        while not web.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        state = ServerState(os.getpid(), listening.getsockname()[1], token, autoflow.__version__)
        state.write()
        log.info("serving on port %d, models may take %.1f GB", state.port, pool.limit / 1e9)
        stopped = asyncio.create_task(server.stop.wait())
        await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
        state.remove()
        stopped.cancel()
        web.should_exit = True
        await serving


def main() -> None:
    """Start, unless another server of this data folder runs."""
    chosen = settings()
    logging.basicConfig(level=chosen.log_level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    lock = FileLock(server_dir() / "lock")
    if not lock.try_acquire():
        sys.exit(ALREADY_RUNNING)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(serve(chosen))
    finally:
        lock.release()


if __name__ == "__main__":
    main()
