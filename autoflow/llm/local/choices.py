"""What can be chosen to run by transformers: bases with what each takes, and adapters. Reads headers, loads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autoflow.errors import AutoFlowError
from autoflow.llm.catalogue_entry import Entry
from autoflow.llm.gguf import GgufInfo, read_gguf
from autoflow.llm.local.gguf_adapter import shape_of
from autoflow.llm.local.names import file_mark, find_base
from autoflow.llm.local.origin import KIND
from autoflow.llm.local.shelf import Adapter, list_adapters

# Kinds of GGUF files that transformers reads and that hold a chat.
_READ = frozenset({
    "llama", "mistral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "falcon", "phi3", "stablelm", "starcoder2",
    "nemotron", "gemma2", "gemma3", "gemma4", "lfm2", "gpt_oss", "deci", "minimax_m2",
})  # fmt: skip
_BYTES, _ON_DISK = 4, 2  # a weight: in memory without a GPU, and unpacked


@dataclass(frozen=True, slots=True)
class LocalBase:
    """A model of the catalogue, run by transformers."""

    name: str  # as it is chosen: local:NAME
    memory: int  # bytes, without a GPU, for the weights alone; 0: the file is not here yet
    disk: int  # bytes that it takes once it is unpacked, besides the file
    here: bool
    problem: str = ""  # why it cannot run so, in words


def local_base(entry: Entry) -> LocalBase | None:
    """How a model of the catalogue runs as `local:`; None where it is not one that answers."""
    if entry.kind != "chat":
        return None
    name, path = KIND + entry.name, entry.local_path()
    if path is None:
        return LocalBase(name, 0, 0, here=False)
    try:
        info = _header(path, file_mark(path))
    except AutoFlowError as error:
        return LocalBase(name, 0, 0, here=True, problem=str(error))
    takes = (info.weights * _BYTES, info.weights * _ON_DISK)
    if info.architecture not in _READ:
        return LocalBase(name, *takes, here=True, problem=f"transformers reads no GGUF file of {info.architecture}.")
    if not info.chat_template:
        return LocalBase(name, *takes, here=True, problem="It is a base model without a chat template.")
    return LocalBase(name, *takes, here=True)


@lru_cache(maxsize=64)
def _header(path: Path, mark: str) -> GgufInfo:
    """Read once a file, as it holds a vocabulary; `mark` tells it from others that take its place."""
    return read_gguf(path)


def local_models(entries: Iterable[Entry]) -> list[str]:
    """Bases that are here and can run so, and adapters, each also on llama.cpp where that reads it."""
    bases = [base.name for entry in entries if (base := local_base(entry)) and base.here and not base.problem]
    adapters = [adapter for adapter in list_adapters() if adapter.model]
    return [*bases, *(adapter.model for adapter in adapters), *filter(None, map(embedded_name, adapters))]


def embedded_name(adapter: Adapter) -> str:
    """The adapter on its base in llama.cpp, which is faster; "" where that does not read one of them."""
    if not adapter.model:
        return ""
    try:
        base = find_base(adapter.base)
        if base.path is None or base.path.is_dir():
            return ""
        shape_of(base, _header(base.path, file_mark(base.path)))
    except AutoFlowError:
        return ""
    return f"embedded:{adapter.base}+{adapter.name}"
