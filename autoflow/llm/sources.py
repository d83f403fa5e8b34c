"""What the two kinds of source have in common: a part file that grows, and what the disk may refuse.

A part file is always a beginning of the whole, whichever source it came from, so that what one try got is never fetched
again.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoflow.errors import DownloadError
from autoflow.llm.catalogue_entry import ModelFile

BLOCK = 1 << 20  # bytes read or written at a time


class SourceFailed(Exception):
    """This source did not give the file; the message says why. The next source is tried."""


@dataclass(frozen=True, slots=True)
class Part:
    """What there is of a file so far."""

    file: ModelFile
    path: Path
    tick: Callable[[int], None]  # told how many bytes are there whenever that changes; may raise to stop

    @property
    def have(self) -> int:
        """Bytes."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def whole(self) -> bool:
        return self.have == self.file.size

    def cut(self, size: int) -> None:
        """Forget what lies beyond `size` bytes."""
        if self.have > size:
            with self.path.open("r+b") as out:
                out.truncate(size)


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into a DownloadError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full(folder) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DownloadError(
                f"The models folder {folder} cannot be written: {error.strerror}.",
                "Allow it, or set AUTOFLOW_MODELS_DIR to a folder of your own.",
            ) from error
        raise DownloadError(
            f"The models folder {folder} cannot be used: {error.strerror or error}.",
            "Set AUTOFLOW_MODELS_DIR to another folder.",
        ) from error


def full(folder: Path) -> DownloadError:
    return DownloadError(
        f"The disk that holds the models folder {folder} is full.",
        "Free some space, or set AUTOFLOW_MODELS_DIR to a folder on another disk; what has arrived is kept.",
    )
