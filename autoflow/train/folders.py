"""Folders that are there whole or not at all: written beside, flushed to the disk, and renamed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoflow.errors import StorageUnavailable

_STEP = re.compile(r"step-(\d{6,})")
_PARTIAL = ".partial-"


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `target` when the block ends without an error. An older `target` goes first.

    Raises StorageUnavailable: the disk is full or read-only.
    """
    beside = target.parent / f"{_PARTIAL}{target.name}"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        yield beside
        for path in sorted(beside.rglob("*")):
            _flush(path)
        _flush(beside)
        if target.exists():
            shutil.rmtree(target)
        beside.rename(target)
        _flush(target.parent)
    except OSError as error:
        raise StorageUnavailable(
            f"The folder {target} cannot be written: {error}.", "Look at its disk: is it full, or read-only?"
        ) from error


def steps_in(folder: Path) -> dict[int, Path]:
    """The whole folders of steps, by the number of the step, in order."""
    found = {int(m[1]): path for path in folder.glob("step-*") if (m := _STEP.fullmatch(path.name))}
    return dict(sorted(found.items()))


def step_folder(folder: Path, step: int) -> Path:
    return folder / f"step-{step:06d}"


def disk_use(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
