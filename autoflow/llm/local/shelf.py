"""The adapters on this machine: what each is, where it came from, and whether its files are whole.

Looks at JSON and at the header of the weights, so that a list of them costs nothing. A folder that is no adapter, or
half of one, is listed with the reason in words: it was put there by somebody.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoflow.errors import AutoFlowError, ModelNotFound, SettingsError, StorageUnavailable
from autoflow.llm.local.names import (
    ADAPTER_CONFIG,
    ADAPTER_NAME,
    ADAPTER_WEIGHTS,
    adapter_folder,
    checked_adapter_name,
    find_base,
    split_name,
)
from autoflow.llm.local.origin import KIND, ORIGIN, Origin, read_origin, read_text
from autoflow.llm.local.tensors import read_header
from autoflow.settings import settings


@dataclass(frozen=True, slots=True)
class Adapter:
    """One folder of adapters."""

    name: str
    folder: Path
    origin: Origin
    size: int = 0  # bytes of the weights
    rank: int | None = None
    alpha: float | None = None
    targets: tuple[str, ...] = ()  # names of the layers that it adapts
    whole: bool = False  # its files can be used
    problem: str = ""  # why it cannot be asked, in words

    @property
    def model(self) -> str:
        """As it is chosen; "" where it cannot be asked."""
        return "" if self.problem else f"{self.origin.base}+{self.name}"

    @property
    def base(self) -> str:
        """The name of its base without the kind; "" where nothing says it."""
        return self.origin.base.removeprefix(KIND)


def list_adapters() -> list[Adapter]:
    """All of them, by name, damaged ones included."""
    try:
        folders = sorted(path for path in settings().adapters.iterdir() if not path.name.startswith("."))
    except OSError:
        return []  # none was made yet
    return [look_at(folder) for folder in folders if folder.is_dir()]


def find_adapter(name: str) -> Adapter:
    """One by its name, or by that of the model, `local:BASE+NAME`. Raises ModelNotFound, SettingsError: none."""
    return look_at(adapter_folder(name.rpartition("+")[2].removeprefix(KIND)))


def look_at(folder: Path) -> Adapter:
    """What a folder holds. Raises nothing: what is wrong with it is in `problem`."""
    origin = Origin()
    try:
        checked_adapter_name(folder.name)
        config = _config(folder)
        origin = read_origin(folder, config)
        weights = folder / ADAPTER_WEIGHTS
        found = Adapter(
            folder.name, folder, origin, size=weights.stat().st_size if weights.is_file() else 0,
            rank=_number(config, "r", int), alpha=_number(config, "lora_alpha", float), targets=_targets(config),
        )  # fmt: skip
        problem, whole = _problem(found, config)
    except AutoFlowError as error:
        return Adapter(folder.name, folder, origin, problem=str(error))
    except (OSError, ValueError) as error:
        words = f"The folder {folder.name} cannot be read: {error}."
        return Adapter(folder.name, folder, origin, problem=words)
    return replace(found, problem=problem, whole=whole)


def _problem(found: Adapter, config: Mapping[str, Any]) -> tuple[str, bool]:
    """(why it cannot be asked, whether its files are whole all the same)."""
    kind = config.get("peft_type")
    if kind != "LORA":
        return f"It is an adapter of type {str(kind)[:40]}; AutoFlow asks those of type LORA.", False
    try:
        adapter_folder(found.name)
        read_header(found.folder / ADAPTER_WEIGHTS)
    except AutoFlowError as error:
        return str(error), False
    try:
        return _problem_of_base(found), True
    except AutoFlowError as error:
        return str(error), True


def _problem_of_base(found: Adapter) -> str:
    """Raises AutoFlowError: there is no such base. One of the catalogue may still have to be downloaded."""
    told = found.origin.base
    if not told:
        return f"Nothing in it says which base it was trained on. It can be asked as local:BASE+{found.name}."
    if not told.startswith(KIND) or split_name(found.base)[1]:
        return f"It names {told[:100]} as its base, which is none: a base is written local:NAME."
    base = find_base(found.base)
    of_the_catalogue = base.path is not None and base.path.parent == base.converted
    if base.path is None or base.path.exists() or of_the_catalogue:
        return ""
    return f"Its base {base.path} is no longer there."


def _config(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads(read_text(folder / ADAPTER_CONFIG))
    except FileNotFoundError:
        raise ModelNotFound(
            f"The folder has no file {ADAPTER_CONFIG}.", "It is no adapter, or was copied half."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelNotFound(f"Its file {ADAPTER_CONFIG} cannot be read.", "Copy or save it again.") from error
    if not isinstance(told, dict):
        raise ModelNotFound(f"Its file {ADAPTER_CONFIG} holds no configuration.", "Copy or save it again.")
    return told


def _number(config: Mapping[str, Any], field: str, kind: type[Any]) -> Any:
    value = config.get(field)
    return kind(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _targets(config: Mapping[str, Any]) -> tuple[str, ...]:
    told = config.get("target_modules")
    return tuple(sorted(str(one)[:80] for one in told)) if isinstance(told, list) else (str(told)[:80],) if told else ()


def set_base(name: str, base: str) -> Adapter:
    """Say which base an adapter was trained on, as `local:NAME`; whether it fits is told when it is asked.

    Raises: ModelNotFound: no such adapter or base. SettingsError: it is no base. StorageUnavailable: read-only.
    """
    found = look_at(_folder(name))
    base = base if base.startswith(KIND) else KIND + base
    changed = replace(found, origin=found.origin.model_copy(update={"base": base}))
    if problem := _problem_of_base(changed):
        raise SettingsError(problem, "Name the base as local:NAME.")
    try:
        text = changed.origin.model_dump_json(indent=2, exclude_none=True)
        (found.folder / ORIGIN).write_text(text + "\n", "utf-8")
    except OSError as error:
        raise StorageUnavailable(f"The base of {name} cannot be kept: {error.strerror or error}.") from error
    return look_at(found.folder)


def rename_adapter(name: str, new: str) -> Adapter:
    """Give an adapter another name.

    Raises: ModelNotFound. SettingsError: it is no name, or it is taken. StorageUnavailable: the folder is read-only.
    """
    folder = _folder(name)
    target = settings().adapters / checked_adapter_name(new)
    if target.exists():
        raise SettingsError(f"There is an adapter named {new} already.", "Choose another name, or remove that one.")
    try:
        folder.rename(target)
    except OSError as error:
        raise StorageUnavailable(f"The adapter {name} cannot be renamed: {error.strerror or error}.") from error
    return look_at(target)


def remove_adapter(name: str) -> None:
    """Remove an adapter, a damaged one as well. Raises: ModelNotFound. StorageUnavailable: the folder is read-only."""
    folder = _folder(name)
    gone = folder.with_name(f".gone-{secrets.token_hex(4)}")
    try:
        folder.rename(gone)  # at once: half a folder is never listed
        if gone.is_symlink():
            gone.unlink()
        else:
            shutil.rmtree(gone)
    except OSError as error:
        raise StorageUnavailable(f"The adapter {name} cannot be removed: {error.strerror or error}.") from error


def _folder(name: str) -> Path:
    """The folder of this name, whatever it holds; it must be one of those that are listed. Raises ModelNotFound."""
    if not name or name.startswith(".") or os.path.basename(name) != name or not (settings().adapters / name).is_dir():
        raise ModelNotFound(f"There is no adapter {name} in {settings().adapters}.")
    return settings().adapters / name


def is_adapter(name: str) -> bool:
    """Whether an adapter bears this name."""
    return bool(ADAPTER_NAME.fullmatch(name)) and (settings().adapters / name).is_dir()
