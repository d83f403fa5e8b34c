"""What is known of a model: its files, where they can be had, what it is good for."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from autoflow.records import Record
from autoflow.settings import settings


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

    def url(self, path: str) -> str:
        return f"{settings().hub_url.rstrip('/')}/{self.hub}/resolve/{self.revision}/{quote(path)}"


class PackageSource(Record):
    """Packages whose wheels hold the files.

    `member` is a pattern for the path inside a wheel; `{path}` stands for the file's own. Where there are several
    packages, the one file is cut in pieces of `piece_size` bytes (the last is shorter), one a package, in order.
    """

    packages: tuple[str, ...] = Field(min_length=1)
    member: str
    piece_size: int | None = Field(default=None, gt=0)

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


class AddressSource(Record):
    """Where the authors of a model keep its one file, if no hub has it. Its hash must be known: anybody may answer."""

    address: str = Field(pattern=r"^https?://\S+$")

    @property
    def title(self) -> str:
        return f"the address {self.address}"

    def url(self, path: str) -> str:
        return self.address


Source = HubSource | PackageSource | AddressSource


class Entry(Record):
    """One model."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    title: str
    kind: Literal["chat", "embedding", "vision"] = "chat"
    licence: str = "unknown"
    files: tuple[ModelFile, ...] = Field(min_length=1)
    location: str | None = None  # an absolute path of the user's own file; it is not ours to move or remove
    chat_template: str = ""  # a word about it
    tools: bool | None = None  # whether the chat template knows tools; None: not looked at yet
    context: int | None = Field(default=None, ge=256)  # tokens; None: what is sensible
    made_from: str = ""  # repository of the hub with the weights that its file was made from
    memory_gb: float | None = None  # once loaded, about
    good_for: str = ""
    sources: tuple[Source, ...] = ()
    shipped: bool = False

    @model_validator(mode="after")
    def _pieces_make_one_file(self) -> Entry:
        for source in self.sources:
            if isinstance(source, PackageSource) and len(source.packages) > 1:
                pieces = -(-self.size // (source.piece_size or self.size))
                if len(self.files) > 1 or pieces != len(source.packages):
                    raise ValueError("the pieces in the packages do not make the one file")
        return self

    @model_validator(mode="after")
    def _an_address_has_one_file_of_known_hash(self) -> Entry:
        from_address = any(isinstance(source, AddressSource) for source in self.sources)
        if from_address and (len(self.files) > 1 or self.files[0].sha256 is None):
            raise ValueError("an address gives one file, whose hash must be known")
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
