"""How much of a model fits: the context a slot gets, how many slots, and what that takes of memory.

One model is loaded under one plan, so that everybody who asks for it shares it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoflow.errors import ModelRequestError
from autoflow.llm.gguf import GgufInfo, read_gguf

CONTEXT = 8192  # tokens a slot, unless the model was trained on fewer or somebody asks for more
SLOTS = 4  # answers at once: on two cores four together come at about twice the tokens a second of one
LEAST_CONTEXT = 2048
OVERHEAD = 300 << 20  # bytes: the library, work buffers, the cache of prompts


@dataclass(frozen=True, slots=True)
class ModelKey:
    """What is asked of the server: a file, and how much it shall read. The field `gguf` of a request."""

    path: Path
    context: int | None = None  # tokens a slot; None: what is sensible
    adapter: Path | None = None  # a GGUF file as well

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.path.name} with the adapter {self.adapter.parent.name}" if self.adapter else self.path.name

    def fields(self) -> dict[str, Any]:
        return {"path": str(self.path), "context": self.context, "adapter": str(self.adapter) if self.adapter else None}

    @classmethod
    def of(cls, payload: Any) -> ModelKey:
        """Read a request. Raises ModelRequestError: it names no file."""
        try:
            path, context = Path(payload["gguf"]["path"]), payload["gguf"].get("context")
            adapter = Path(payload["gguf"].get("adapter") or path)
            if path.is_absolute() and adapter.is_absolute():
                return cls(path, int(context) if context else None, adapter if adapter != path else None)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        raise ModelRequestError("A request to the model server names the file of its model: `gguf.path`, absolute.")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is loaded."""

    context: int  # tokens a slot
    slots: int
    memory: int  # bytes, estimated; measured once it is loaded


def plan(key: ModelKey, limit: int) -> Plan:
    """The largest plan that fits: first fewer slots, then, where nobody asked for a context, a shorter one.

    Args:
        limit: bytes that all models together may take.
    Raises: ModelNotFound: no usable file. ModelRequestError: not even the smallest plan fits.
    """
    info = read_gguf(key.path)
    if not info.chat_template:
        raise ModelRequestError(
            f"{key.path.name} is a base model without a chat template and cannot be talked to.",
            "Take an instruct model.",
        )
    adapter = read_gguf(key.adapter).size if key.adapter else 0
    smallest = None
    for context in _contexts(key, info):
        for slots in (SLOTS, SLOTS // 2, 1):
            smallest = Plan(context, slots, _memory(info, context * slots) + adapter)
            if smallest.memory <= limit:
                return smallest
    raise _too_large(key, smallest.memory if smallest else 0, limit)


def _contexts(key: ModelKey, info: GgufInfo) -> list[int]:
    if key.context:
        return [min(key.context, info.trained_context or key.context)]
    longest = min(CONTEXT, info.trained_context or CONTEXT)
    return [longest] + [shorter for shorter in (4096, LEAST_CONTEXT) if shorter < longest]


def _memory(info: GgufInfo, tokens: int) -> int:
    return info.size + info.kv_bytes_per_token * tokens + OVERHEAD


def _too_large(key: ModelKey, needed: int, limit: int) -> ModelRequestError:
    return ModelRequestError(
        f"{key.path.name} needs about {needed / 1e9:.1f} GB of memory; embedded models may take {limit / 1e9:.1f} GB.",
        "Raise AUTOFLOW_MEMORY_LIMIT_GB, ask for a shorter context, or take a smaller model.",
    )
