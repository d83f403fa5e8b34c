"""What stands behind `local:`: the base model's files, and the folder of an adapter. Loads nothing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from autoflow.errors import ModelNotFound, SettingsError
from autoflow.llm.catalogue import catalogue
from autoflow.settings import settings

ADAPTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class Base:
    """A base model: a repository of the hub where `hub` is set, else a GGUF file or a folder of safetensors."""

    name: str  # as the user wrote it
    path: Path | None = None
    hub: str = ""
    converted: Path | None = None  # GGUF only: the folder under which its safetensors are kept

    @property
    def mark(self) -> str:
        """Tells these weights from others that take the name later."""
        if self.path is None:
            return self.hub
        files = sorted(self.path.glob("*.safetensors")) if self.path.is_dir() else [self.path]
        return file_mark(*files)


def file_mark(*files: Path) -> str:
    """A short mark of files by place, size and time, whatever way leads there; "" where one is not there."""
    try:
        found = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError:
        return ""
    return hashlib.blake2b(repr(found).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def split_name(text: str) -> tuple[str, str | None]:
    """`BASE+ADAPTER` -> (base, adapter). A folder may have a plus in its name. Raises SettingsError: no name."""
    if "+" not in text or Path(text).expanduser().exists():
        return text, None
    base, _, adapter = text.rpartition("+")
    return base, checked_adapter_name(adapter)


def checked_adapter_name(name: str) -> str:
    """Raises SettingsError: it could lead out of the folder of adapters, or is no name."""
    if not ADAPTER_NAME.fullmatch(name):
        raise SettingsError(
            f"`{name}` is no name for an adapter.",
            "A name has letters, digits, dots, dashes and underscores, and begins with a letter or digit.",
        )
    return name


def adapter_folder(name: str) -> Path:
    """Where an adapter lies. Raises: SettingsError: no name. ModelNotFound: not there, or without safetensors."""
    folder = settings().adapters / checked_adapter_name(name)
    if not folder.is_dir():
        raise ModelNotFound(f"There is no adapter {name} in {settings().adapters}.", _known_adapters())
    for file in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        if not (folder / file).is_file():
            raise ModelNotFound(
                f"The adapter {name} has no file {file}.", "Adapters are read from safetensors only; save it as such."
            )
    return folder


def adapter_names() -> list[str]:
    """Every adapter that is whole, by name."""
    folders = settings().adapters.glob("*/" + ADAPTER_WEIGHTS)
    return sorted(f.parent.name for f in folders if ADAPTER_NAME.fullmatch(f.parent.name))


def _known_adapters() -> str:
    names = adapter_names()
    return f"There are {', '.join(names)}." if names else "None has been trained or put there yet."


def find_base(name: str) -> Base:
    """The base model of a name: of the catalogue, else a path, else of the hub.

    Raises: ModelNotFound: it is none of these. SettingsError: the model is not made for talking.
    """
    path = Path(name).expanduser()
    entry = next((entry for entry in catalogue().entries if entry.name == name), None)
    if entry is not None:
        if entry.kind != "chat":
            raise SettingsError(f"The model {name} cannot be talked to.", "Choose one that answers.")
        return Base(name, entry.local_path() or entry.folder / entry.file, converted=entry.folder)
    if path.is_file() or name.endswith(".gguf"):
        return Base(name, path.absolute(), converted=settings().models / ".converted" / path.stem)
    if path.is_dir():
        return Base(name, path.absolute())
    if _HUB_NAME.fullmatch(name):
        return Base(name, hub=name)
    if "/" in name or name.startswith((".", "~")):
        raise ModelNotFound(f"There is no folder or file {name}.", "Was it moved or removed?")
    catalogue().find(name)
    raise AssertionError(name)  # the catalogue had said that it does not know it
