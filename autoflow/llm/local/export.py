"""An adapter in the forms that others take: the peft folder as one file, merged into its base, or for llama.cpp.

Everything is written beside its place and moved there whole. A merged model is made tensor by tensor, so that the
memory holds one of them and never the model; it is rounded to the bits that the base is kept in.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from autoflow.errors import ModelNotFound, ModelRequestError, SettingsError, StorageUnavailable
from autoflow.llm.download import OnProgress, Progress, Stopped
from autoflow.llm.local.gguf_adapter import shape_of, write_gguf
from autoflow.llm.local.lora import Pair, read_lora
from autoflow.llm.local.names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, Base, find_base
from autoflow.llm.local.origin import ORIGIN
from autoflow.llm.local.shelf import Adapter
from autoflow.llm.local.tensors import Held, as_bytes, pieces_of, read_header, read_tensor, write_file
from autoflow.settings import settings

Form = Literal["peft", "merged", "gguf"]
FORMS: dict[Form, str] = {  # -> what its name ends in
    "peft": ".zip",
    "merged": "-merged",
    "gguf": ".gguf",
}
CARD = "README.md"
_BESIDE = ("*.json", "*.jinja", "tokenizer.model", "*.txt")  # of a base, what goes along with its weights
_SPARE = 64 << 20  # bytes that are left on the disk
Cancelled = Callable[[], bool]


def export(
    adapter: Adapter, form: Form, target: Path, *, card: str, replace: bool = False,
    progress: OnProgress = lambda _: None, cancelled: Cancelled = lambda: False,
) -> Path:  # fmt: skip
    """Write an adapter to `target`: a file, for `merged` a folder. What is there is replaced when the new one is whole.

    Args:
        card: the model card that goes along.
        replace: a folder that holds something as well.
        cancelled: looked at between tensors; Stopped is raised then, and nothing is left.
    Raises: ModelError: it cannot be had in this form. StorageUnavailable: no room, or read-only. Stopped.
    """
    if not adapter.whole:
        raise ModelNotFound(f"The adapter {adapter.name} cannot be copied: {adapter.problem}")
    try:
        with _beside(target, folder=form == "merged", replace=replace) as made:
            if form == "peft":
                _zip(adapter, made, card)
            elif form == "gguf":
                write_gguf(adapter.folder, shape_of(_base(adapter)), made, card=card)
            else:
                _Merging(adapter, made, progress, cancelled).run(card)
    except OSError as error:
        raise StorageUnavailable(
            f"{target} cannot be written: {error.strerror or error}.", "Is the disk full, or the folder read-only?"
        ) from error
    return target


def export_path(name: str, form: Form) -> Path:
    """Where the worker writes this form of an adapter."""
    return settings().exports / (name + FORMS[form])


def remove_exports(name: str) -> None:
    """Remove what the worker wrote of an adapter that is gone, or has another name. Raises StorageUnavailable."""
    try:
        for form in FORMS:
            path = export_path(name, form)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be removed: {error.strerror or error}.") from error


def _base(adapter: Adapter) -> Base:
    if not adapter.base:
        raise ModelRequestError(
            f"Nothing says which base the adapter {adapter.name} was trained on.",
            f'Write it into its file {ORIGIN}: {{"base": "local:NAME"}}.',
        )
    return find_base(adapter.base)


@contextmanager
def _beside(target: Path, *, folder: bool, replace: bool) -> Iterator[Path]:
    """A place to write, which becomes `target` at the end."""
    if target.is_dir() != folder and target.exists():
        raise SettingsError(f"{target} is there already, and is no {'folder' if folder else 'file'}.", "Name another.")
    if folder and not replace and target.is_dir() and any(target.iterdir()):
        raise SettingsError(f"The folder {target} holds other things.", "Name one that is empty or new.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name[:40]}-") as beside:
        made = Path(beside) / target.name
        if folder:
            made.mkdir()
        yield made
        if folder and target.exists():
            shutil.rmtree(target)
        made.replace(target)


def _zip(adapter: Adapter, made: Path, card: str) -> None:
    """The folder as peft reads it; weights do not become smaller by packing."""
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        config = json.loads((adapter.folder / ADAPTER_CONFIG).read_text("utf-8"))
        if os.path.isabs(str(config.get("base_model_name_or_path") or "")):  # a folder of this machine
            config["base_model_name_or_path"] = hub_name(adapter) or None
        archive.writestr(f"{adapter.name}/{ADAPTER_CONFIG}", json.dumps(config, indent=2) + "\n")
        archive.write(adapter.folder / ADAPTER_WEIGHTS, f"{adapter.name}/{ADAPTER_WEIGHTS}")
        if (adapter.folder / ORIGIN).is_file():
            archive.writestr(f"{adapter.name}/{ORIGIN}", _told_origin(adapter))
        archive.writestr(f"{adapter.name}/{CARD}", card)


def _told_origin(adapter: Adapter) -> str:
    """The origin, without the folders of this machine."""
    told: dict[str, Any] = adapter.origin.model_dump(exclude_none=True)
    if os.path.isabs(adapter.base):
        told["base"] = "local:" + os.path.basename(adapter.base)
    return json.dumps(told, indent=2) + "\n"


def hub_name(adapter: Adapter) -> str:
    """The base as the hub names it; "" where nobody knows."""
    from autoflow.llm.catalogue import catalogue

    if not adapter.base:
        return ""
    entry = next((entry for entry in catalogue().entries if entry.name == adapter.base), None)
    if entry is not None:
        return entry.made_from
    try:
        return find_base(adapter.base).hub
    except (ModelNotFound, SettingsError):
        return ""


class _Merging:
    """The base's weights with what the adapter adds to them, written as they are read."""

    def __init__(self, adapter: Adapter, made: Path, progress: OnProgress, cancelled: Cancelled) -> None:
        self._name = adapter.name
        self._made = made
        self._progress = progress
        self._cancelled = cancelled
        self._lora = read_lora(adapter.folder)
        progress(Progress(0, 0, message="reading the base"))
        self._from = _weights_folder(_base(adapter))
        self._files = {path: read_header(path) for path in sorted(self._from.glob("*.safetensors"))}
        self._total = sum(held.size for tensors in self._files.values() for held in tensors.values())
        self._done = 0

    def run(self, card: str) -> None:
        """Raises ModelRequestError: the adapter is not one of this base. Stopped."""
        self._refuse_strangers()
        if self._total + _SPARE > shutil.disk_usage(self._made).free:
            raise StorageUnavailable(
                f"The merged model takes {self._total / 1e9:.1f} GB, which {self._made.parent.parent} has no room for.",
                "Free some, or name a place on another disk.",
            )
        for pattern in _BESIDE:
            for path in self._from.glob(pattern):
                shutil.copyfile(path, self._made / path.name)
        pairs = {f"{pair.module}.weight": pair for pair in self._lora.pairs()}
        for path, tensors in self._files.items():
            write_file(self._made / path.name, tensors, self._data(path, tensors, pairs))
        (self._made / CARD).write_text(card, "utf-8")

    def _refuse_strangers(self) -> None:
        there = {name for tensors in self._files.values() for name in tensors}
        strange = [module for module in self._lora.where if f"{module}.weight" not in there]
        if strange:
            raise ModelRequestError(
                f"The adapter {self._name} does not fit its base: that has no layer {strange[0]}.",
                "Take the base that it was trained on.",
            )

    def _data(self, path: Path, tensors: dict[str, Held], pairs: dict[str, Pair]) -> Iterator[bytes]:
        with path.open("rb") as file:
            for name, held in tensors.items():
                pieces = [self._merged(name, read_tensor(file, held), held, pairs[name])] if name in pairs else None
                for piece in pieces or pieces_of(file, held):
                    if self._cancelled():
                        raise Stopped(f"Merging {self._name} was stopped.")
                    yield piece
                    self._done += len(piece)
                    self._progress(Progress(self._done, self._total, message="merging"))

    def _merged(self, name: str, weights: Any, held: Held, pair: Pair) -> bytes:
        delta = pair.delta()
        if delta.shape != weights.shape:
            raise ModelRequestError(
                f"The adapter {self._name} does not fit its base: {name} is {weights.shape}, not {delta.shape}.",
                "Take the base that it was trained on.",
            )
        try:
            return as_bytes(weights + delta, held.kind)
        except ValueError as error:
            raise ModelRequestError(f"{name} cannot be merged: {error}.") from error


def _weights_folder(base: Base) -> Path:
    """Where the base's safetensors lie, made or fetched where that is still to do. Raises ModelError."""
    from autoflow.llm.local.load import weights_folder

    return weights_folder(base)
