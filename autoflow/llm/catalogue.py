"""Which models there are, and the user's own among them.

Shipped entries are in `catalogue.json` beside this file, users' own in `models.json` in the data folder. A model is one
or more files in `MODELS_DIR/NAME/`; it is there when all of its files are there with their sizes (their hashes were
checked on the way in, see `download.py`). A file that a user added stays where it is.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from autoflow.errors import DownloadError, ModelNotFound, SettingsError, SourcesUnreachable
from autoflow.llm.catalogue_entry import Entry, HubSource, ModelFile
from autoflow.llm.flock import FileLock
from autoflow.llm.gguf import read_gguf
from autoflow.records import Record
from autoflow.settings import settings

__all__ = ["Catalogue", "Entry", "add_file", "add_hub", "catalogue", "local_path", "remove"]

_T = TypeVar("_T", bound=Record)
SHIPPED = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models, the shipped ones first."""

    entries: tuple[Entry, ...]

    def find(self, name: str) -> Entry:
        """Raises ModelNotFound: no such name; the hint names those that are near."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        names = [entry.name for entry in self.entries]
        near = difflib.get_close_matches(name, names, n=1)
        raise ModelNotFound(
            f"The catalogue knows no model {name}.",
            f"Did you mean {near[0]}?" if near else f"It knows {', '.join(names)}; more with: autoflow models add",
        )


def catalogue() -> Catalogue:
    """The shipped models and the user's own, read anew every time. Raises SettingsError: models.json is damaged."""
    return Catalogue(shipped() + tuple(own_entries().values()))


def local_path(name: str) -> Path | None:
    """Where a model lies; None where it is not on this machine. Raises ModelNotFound: no such name."""
    entry = next((entry for entry in shipped() if entry.name == name), None)  # whatever became of the user's list
    return (entry or catalogue().find(name)).local_path()


@lru_cache(maxsize=1)
def shipped() -> tuple[Entry, ...]:
    """The models that come with AutoFlow."""
    listed = json.loads(SHIPPED.read_text("utf-8"))["models"]
    return tuple(Entry(**entry, shipped=True) for entry in listed)


def own_file() -> Path:
    return settings().home / "models.json"


def own_entries() -> Mapping[str, Entry]:
    """The user's own, by name. Raises SettingsError: the file is damaged."""
    try:
        listed = json.loads(own_file().read_text("utf-8"))["models"]
        entries = [Entry.model_validate(entry) for entry in listed]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise SettingsError(
            f"The list of your own models {own_file()} cannot be read: {_first_line(error)}.",
            "Mend it, or move it away and add the models again.",
        ) from error
    return {entry.name: entry for entry in entries}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def add_file(path: Path, name: str) -> Entry:
    """Add a GGUF file of the user's; it stays where it is. Reads all of it, for its hash.

    Raises: ModelNotFound: no file, no GGUF file, or a damaged one. SettingsError: the name is taken or not a name.
    """
    path = path.expanduser().resolve()
    info = read_gguf(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return _add(
        name,
        title=path.stem,
        files=[{"path": path.name, "size": info.size, "sha256": sha256}],
        location=str(path),
        chat_template="from the file" if info.chat_template else "none: a base model",
        tools=info.knows_tools,
        good_for="A file of your own.",
    )


def add_hub(repo: str, file: str, name: str) -> Entry:
    """Add a GGUF file of the hub; it is downloaded when it is asked for. Asks the hub how large it is, and its hash.

    Raises: SourcesUnreachable: the hub does not answer. DownloadError: it has no such file. SettingsError: the name is
        taken or not a name.
    """
    if not file.endswith(".gguf"):
        raise DownloadError(f"{file} is not a GGUF file.", "Name a file of the repository that ends in .gguf.")
    _checked(ModelFile, f"{file!r} is no path in a repository.", path=file, size=1)
    cure = "It is written OWNER/NAME, such as Qwen/Qwen2.5-7B-Instruct-GGUF."
    source = _checked(HubSource, f"{repo!r} is no repository of the hub.", cure, hub=repo)
    if settings().offline:
        raise SourcesUnreachable("The hub is not asked: AUTOFLOW_OFFLINE is set.")
    return _add(
        name,
        title=f"{repo}, {file}",
        files=[{"path": file} | _ask_hub(source, file)],
        sources=[source.model_dump()],
        good_for="A file of the hub that you added.",
    )


def remove(name: str) -> None:
    """Free the disk of a model, and forget it where it is the user's own. A file added by path is never deleted.

    Raises: ModelNotFound: no such name. DownloadError: it is being downloaded, or the folder is read-only.
    """
    entry = catalogue().find(name)
    lock = FileLock(parts_dir() / f"{name}.lock")
    try:
        if not lock.try_acquire():
            raise DownloadError(f"{name} is being downloaded.", "Stop the download first.")
        for folder in (entry.folder, parts_dir() / name):
            if folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        raise DownloadError(f"{entry.folder} cannot be removed: {error.strerror}.") from error
    finally:
        lock.release()
    if not entry.shipped:
        with _editing() as own:
            own.pop(name, None)


def parts_dir() -> Path:
    """Where downloads lie until they are whole."""
    return settings().models / ".parts"


def _ask_hub(source: HubSource, file: str) -> dict[str, object]:
    """Size and, where the hub tells it, hash of a file."""
    import httpx

    limit = settings().hub_timeout_s
    try:
        reply = httpx.head(source.url(file), timeout=limit, follow_redirects=False)
        if reply.is_redirect and "x-linked-size" not in reply.headers:
            reply = httpx.head(source.url(file), timeout=limit, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourcesUnreachable(
            f"The hub at {settings().hub_url} did not answer within {limit:g} s.",
            "Try again, or add a GGUF file that lies on this machine.",
        ) from error
    size = reply.headers.get("x-linked-size") or reply.headers.get("content-length") or ""
    if reply.is_error or not size.isdigit():
        raise DownloadError(
            f"The hub has no file {file} in {source.hub}, or does not show it ({reply.status_code}).",
            "Check the spelling; repositories behind a login cannot be used.",
        )
    digest = reply.headers.get("x-linked-etag", "").strip('"').lower()
    known = len(digest) == 64 and all(c in "0123456789abcdef" for c in digest)
    return {"size": int(size), "sha256": digest if known else None}


def _add(name: str, **fields: object) -> Entry:
    if any(entry.name == name for entry in catalogue().entries):
        raise SettingsError(
            f"There is a model named {name} already.", "Choose another name, or remove that model first."
        )
    cure = "A name has letters, digits, dots, dashes and underscores, and begins with a letter or digit."
    entry = _checked(Entry, f"{name!r} is no name for a model.", cure, name=name, **fields)
    with _editing() as own:
        own[name] = entry
    return entry


def _checked(kind: type[_T], message: str, hint: str = "", **fields: object) -> _T:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise SettingsError(message, hint) from error


@contextmanager
def _editing() -> Iterator[dict[str, Entry]]:
    """The user's own entries, written back whole; one process at a time."""
    file = own_file()
    lock = FileLock(file.with_suffix(".lock"))
    try:
        while not lock.try_acquire():
            time.sleep(0.05)
        own = dict(own_entries())
        yield own
        listed = [entry.model_dump(mode="json", exclude_defaults=True) for entry in own.values()]
        _replace(file, json.dumps({"models": listed}, indent=2) + "\n")
    except OSError as error:
        raise SettingsError(f"The list of your own models {file} cannot be written: {error.strerror}.") from error
    finally:
        lock.release()


def _replace(file: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as out:
        out.write(text)
    Path(out.name).replace(file)
