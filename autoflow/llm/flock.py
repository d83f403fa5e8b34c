"""A lock between processes, on a file. The kernel lets go of it when its holder ends, however it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

POLL_S = 0.2


class FileLock:
    """An exclusive or shared `flock`. Not re-entrant: two objects on one path exclude each other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock if nobody holds it, at once. Raises OSError: the folder cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = self._fd if self._fd is not None else os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._fd is None:
                os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Let go; nothing happens where the lock is not held. The file stays: removing it would race."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


@asynccontextmanager
async def locked(path: Path, on_wait: Callable[[float], None] | None = None) -> AsyncIterator[None]:
    """Hold the lock of `path`, waiting for it without blocking the event loop.

    Args:
        on_wait: called about five times a second while another process holds it, with the seconds waited so far.
    """
    lock = FileLock(path)
    waited = 0.0
    while not lock.try_acquire():
        if on_wait:
            on_wait(waited)
        await asyncio.sleep(POLL_S)
        waited += POLL_S
    try:
        yield
    finally:
        lock.release()
