"""Finding, starting and ending the model server of this data folder."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

import autoflow
from autoflow.errors import ModelUnavailable
from autoflow.llm.flock import FileLock, locked
from autoflow.settings import settings

ALREADY_RUNNING = 3  # exit status: another server of this data folder holds the lock
START_S = 60.0  # a cold start on a slow disk
HEALTH_S = 5.0  # to answer /health; it does nothing but that, whatever the models do
HUNG_S = 20.0  # a server that holds the lock but does not answer for this long is ended
LOG_BYTES = 5_000_000  # the log is begun anew beyond this, the old one kept once
MODULE = "autoflow.llm.model_server"

OnStatus = Callable[[str], None]
_started: list[subprocess.Popen[bytes]] = []  # kept so that ended servers are reaped


def server_dir() -> Path:
    return settings().server_dir or settings().home / "server"


def log_file() -> Path:
    return (settings().server_dir or settings().logs) / "model-server.log"


@dataclass(frozen=True, slots=True)
class ServerState:
    """Where the server is and what it wants to hear. Its file can be read by its user only."""

    pid: int
    port: int
    token: str
    version: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @staticmethod
    def file() -> Path:
        return server_dir() / "state.json"

    @classmethod
    def read(cls) -> ServerState | None:
        """What the last server wrote; None where there is nothing usable."""
        try:
            return cls(**json.loads(cls.file().read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self) -> None:
        folder = self.file().parent
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:  # mode 0600
            json.dump(asdict(self), file)
        Path(file.name).replace(self.file())

    def remove(self) -> None:
        """Forget it, unless another server has written since."""
        if ServerState.read() == self:
            self.file().unlink(missing_ok=True)


async def ensure_server(on_status: OnStatus | None = None) -> ServerState:
    """The running server, started where there is none.

    Args:
        on_status: told in words what is waited for.
    Raises ModelUnavailable: it cannot be started; the message says where its log is.
    """
    state = await answering()
    if state:
        return state
    say = on_status or (lambda words: None)
    try:
        async with locked(server_dir() / "start.lock", lambda s: say(f"Waiting for the model server, {s:.0f} s")):
            return await answering() or await _start(say)
    except OSError as error:
        raise ModelUnavailable(
            f"The model server cannot use the folder {server_dir()}: {error.strerror or error}.",
            "It must be a folder that you may write to; AUTOFLOW_HOME says where it lies.",
        ) from error


async def answering() -> ServerState | None:
    """The state of a server that answers and is of this version, else None. An older one is told to end."""
    state = ServerState.read()
    if state is None:
        return None
    try:
        async with local_client(state, HEALTH_S) as client:
            health = (await client.get("/health")).raise_for_status().json()
            if health["version"] == autoflow.__version__:
                return state
            await client.post("/shutdown")
    except (httpx.HTTPError, ValueError, KeyError):
        pass
    return None


def local_client(state: ServerState, timeout_s: float | None) -> httpx.AsyncClient:
    """A client of the server. No proxy, and no certificates: they cost 20 ms to load, and this is plain HTTP."""
    return httpx.AsyncClient(
        base_url=state.url,
        headers=state.headers,
        timeout=timeout_s,
        trust_env=False,
        verify=False,  # noqa: S501
    )


async def _start(say: OnStatus) -> ServerState:
    began = time.monotonic()
    process = _spawn()
    while (waited := time.monotonic() - began) < START_S:
        say(f"Starting the model server, {waited:.0f} s")
        await asyncio.sleep(0.1)
        state = ServerState.read()
        if state and (state.pid == process.pid or process.poll() is not None) and await answering():
            return state
        if process.poll() == ALREADY_RUNNING:
            if waited > HUNG_S and state:
                _kill(state.pid)
            await asyncio.sleep(0.5)
            process = _spawn()
        elif process.poll() is not None:
            break
    process.kill()
    raise ModelUnavailable(
        f"The model server could not be started: {last_words() or 'it said nothing'}", f"Its log is {log_file()}."
    )


def _spawn() -> subprocess.Popen[bytes]:
    """Start a server in its own session, so that it outlives whoever started it."""
    _started[:] = [process for process in _started if process.poll() is None]
    with _open_log() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    _started.append(process)
    return process


def _open_log() -> Any:
    path = log_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def last_words() -> str:
    """The last line of the server's log, "" where there is none."""
    try:
        lines = log_file().read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _kill(pid: int) -> None:
    """End a server that does not answer, if the process is one still."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if MODULE in process.cmdline():
            process.kill()


def server_models() -> list[dict[str, Any]] | None:
    """What the running server has loaded (see `Child.describe`), None where no server runs. Starts nothing; blocks."""
    models: list[dict[str, Any]] | None = _ask("GET", "/models", "models")
    return models


def unload_models() -> int:
    """Drop every idle model of the running server. Returns: how many."""
    return _ask("POST", "/unload", "unloaded") or 0


def _ask(method: str, path: str, field: str) -> Any:
    state = ServerState.read()
    if state is None:
        return None
    try:
        with httpx.Client(trust_env=False, verify=False) as client:  # noqa: S501
            reply = client.request(method, state.url + path, headers=state.headers, timeout=HEALTH_S)
            return reply.raise_for_status().json()[field]
    except (httpx.HTTPError, ValueError, KeyError):
        return None


def stop_server(wait_s: float = 10.0) -> bool:
    """End the running server: asked first, killed where it does not end in time. Returns: whether one ran."""
    state = ServerState.read()
    lock = FileLock(server_dir() / "lock")
    if state is None or lock.try_acquire():
        lock.release()
        return False
    _ask("POST", "/shutdown", "ending")
    deadline = time.monotonic() + wait_s
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            _kill(state.pid)
            deadline += wait_s
        time.sleep(0.05)
    lock.release()
    state.remove()
    return True
