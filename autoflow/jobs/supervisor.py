"""Keep one worker alive for a data folder, whoever starts it: the app, a second app, the command line.

The lock file is opened here and locked (`flock`) before the worker is started, and the worker inherits the open file:
there is no moment at which two could start, and the kernel lets go of the lock when the worker ends, however it ends.
The worker ends itself when it had no job and nobody called `ensure_worker` for 15 minutes; an app calls it on every
submit and every few seconds. It is started in a session of its own, so that it outlives the app.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from autoflow import __version__
from autoflow.errors import JobError
from autoflow.records import Json
from autoflow.settings import environment_mark, settings
from autoflow.store.faults import fault

START_S = 2.0  # from the lock to the record of who holds it
STOP_S = 15.0  # what a worker gets to hand back its jobs
_started: list[subprocess.Popen[bytes]] = []  # kept so that those which ended are reaped


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What is known of the worker of this data folder."""

    running: bool
    log: Path  # of the present or the last one
    pid: int | None = None
    since: float | None = None


def ensure_worker(*, renew: bool = False) -> bool:
    """Start the worker unless it runs; True where it was started now.

    Args:
        renew: replace one that was started by another version or under other settings and keys; its jobs go back to
            the queue. For the start of an app.
    Raises: StorageUnavailable: the data folder cannot be written. JobError: the worker cannot be started or stopped.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    lock = _open_lock()
    try:
        if not _try_lock(lock):
            os.utime(lock)  # somebody wants it to live on
            if not renew or _told(lock).get("mark") == _mark():
                return False
            _stop(lock)
        _start(lock)
        return True
    finally:
        os.close(lock)


def worker_status() -> WorkerStatus:
    """Whether the worker runs. Changes nothing; a data folder that is not there yet has none."""
    log = settings().logs / "worker.log"
    try:
        lock = os.open(_lock_path(), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return WorkerStatus(False, log)
    try:
        told = _read(lock)
        if _try_lock(lock, fcntl.LOCK_SH):
            return WorkerStatus(False, log)
        return WorkerStatus(True, log, told.get("pid"), told.get("since"))
    finally:
        os.close(lock)


def stop_worker() -> bool:
    """Stop the worker in order; False where none runs. Raises JobError: it does not end."""
    lock = _open_lock()
    try:
        if _try_lock(lock):
            return False
        _stop(lock)
        return True
    finally:
        os.close(lock)


def _lock_path() -> Path:
    return settings().home / "worker.lock"


def _open_lock() -> int:
    path = _lock_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise fault("folder", str(path.parent), error.strerror or str(error)) from error


def _try_lock(lock: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mark() -> str:
    return f"{__version__} {environment_mark()}"


def _read(lock: int) -> Json:
    try:
        found = json.loads(os.pread(lock, 4096, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(lock: int) -> Json:
    """Who holds the lock; of one that is being started, once it is written."""
    deadline = time.monotonic() + START_S
    while not (told := _read(lock)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return told


def _start(lock: int) -> None:
    """Start the worker, which takes the locked file over, and write into the file who it is."""
    command = [sys.executable, "-m", "autoflow.jobs.worker", "--lock-fd", str(lock)]
    os.ftruncate(lock, 0)  # who held it before is gone, and its number may be another process's by now
    try:
        settings().logs.mkdir(parents=True, exist_ok=True)
        with (settings().logs / "worker.out").open("wb") as output:  # what it prints before it can log
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[lock], start_new_session=True
            )
    except OSError as error:
        raise JobError(
            f"The worker cannot be started: {error}.", "Jobs wait until one runs: autoflow worker"
        ) from error
    _started.append(process)
    told = {"pid": process.pid, "since": time.time(), "mark": _mark()}
    os.pwrite(lock, json.dumps(told).encode(), 0)


def _stop(lock: int) -> None:
    """End the worker that holds the lock, and take it over."""
    pid, asked = None, None
    deadline = time.monotonic() + STOP_S
    while not _try_lock(lock):
        pid = _read(lock).get("pid")
        if isinstance(pid, int) and pid != asked:  # it is that process for certain: it alone holds the lock
            with suppress(ProcessLookupError):  # it ended this moment
                os.kill(pid, signal.SIGTERM)
            asked = pid
        if time.monotonic() > deadline:
            raise JobError(f"The worker (process {pid}) does not end.", f"Look at {settings().logs / 'worker.log'}.")
        time.sleep(0.05)
