"""What the header of a GGUF file says: enough to refuse a damaged file, and to tell what a model will need.

Reads the metadata and the list of tensors, never the weights. Follows version 2 and 3 of the format.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from autoflow.errors import ModelNotFound

MAGIC = b"GGUF"
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 1 << 24  # a text or list longer than this is damage, not data
# Tensor type -> (weights a block, bytes a block). A type that is not listed is taken as empty: fewer files refused.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    20: (32, 18), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 30: (1, 2),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GgufInfo:
    """The part of a header that AutoFlow uses."""

    architecture: str
    size: int  # bytes of the file
    layers: int
    heads: int
    kv_heads: int
    weights: int  # numbers in all tensors
    kv_bytes_per_token: int  # of the attention cache at 16 bits
    trained_context: int  # tokens; 0 where the file does not say
    chat_template: str  # "" where the file has none: a base model that cannot hold a chat

    @property
    def knows_tools(self) -> bool:
        return "tools" in self.chat_template


def read_gguf(path: Path) -> GgufInfo:
    """Read and check a header.

    Raises ModelNotFound: there is no such file, it is no GGUF file, or it is cut short.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except FileNotFoundError:
        raise ModelNotFound(f"There is no model file {path}.", "Was it moved or removed?") from None
    except OSError as error:
        raise ModelNotFound(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    except (struct.error, EOFError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise _damaged(path) from error


def _read(path: Path, file: BinaryIO) -> GgufInfo:
    size = path.stat().st_size
    if file.read(4) != MAGIC:
        raise ModelNotFound(f"{path} is not a GGUF file.", "AutoFlow runs models in the GGUF format of llama.cpp.")
    version, tensors, pairs = struct.unpack("<IQQ", _exactly(file, 20))
    if version not in (2, 3):
        raise ModelNotFound(f"{path} is of version {version} of the GGUF format; versions 2 and 3 can be read.")
    meta = {_text(file): _value(file, _number(file, "<I")) for _ in range(_sane(pairs))}
    weights, end = _tensors(file, tensors, int(meta.get("general.alignment", 32)))
    if end > size:
        raise _damaged(path, f"it has {size:,} of at least {end:,} bytes")
    return _info(meta, size, weights)


def _info(meta: dict[str, Any], size: int, weights: int) -> GgufInfo:
    architecture = str(meta.get("general.architecture", ""))

    def number(key: str, default: int = 0) -> int:
        value = meta.get(f"{architecture}.{key}", default)
        return int(max(value)) if isinstance(value, list) else int(value)

    heads = number("attention.head_count", 1)
    head_size = number("embedding_length") // max(heads, 1)
    keys = number("attention.key_length", head_size) + number("attention.value_length", head_size)
    layers, kv_heads = number("block_count"), number("attention.head_count_kv", heads)
    return GgufInfo(
        architecture=architecture,
        size=size,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        weights=weights,
        kv_bytes_per_token=2 * layers * kv_heads * keys,
        trained_context=number("context_length"),
        chat_template=str(meta.get("tokenizer.chat_template", "")),
    )


def _tensors(file: BinaryIO, count: int, alignment: int) -> tuple[int, int]:
    """How many numbers all tensors hold, and where the last one ends, in bytes from the start of the file."""
    numbers = last = 0
    for _ in range(_sane(count)):
        _text(file)
        dims = struct.unpack(f"<{(n := _sane(_number(file, '<I')))}Q", _exactly(file, 8 * n))
        kind, offset = struct.unpack("<IQ", _exactly(file, 12))
        weights, size = _BLOCKS.get(kind, (1, 0))
        total = 1
        for dim in dims:
            total *= dim
        numbers += total
        last = max(last, offset + total // weights * size)
    start = -(-file.tell() // alignment) * alignment
    return numbers, start + last


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", _exactly(file, 12))
        if inner in _SCALARS:
            return _numbers(file, _SCALARS[inner], _sane(count))
        return [_value(file, inner) for _ in range(_sane(count))]
    return _number(file, _SCALARS[kind]) if kind in _SCALARS else _refuse(kind)


def _refuse(kind: int) -> Any:
    raise ValueError(f"unknown metadata type {kind}")


def _numbers(file: BinaryIO, form: str, count: int) -> list[Any]:
    width = struct.calcsize(form)
    return [item for (item,) in struct.iter_unpack(form, _exactly(file, width * count))]


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, _exactly(file, struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> str:
    return _exactly(file, _sane(_number(file, "<Q"))).decode("utf-8", "replace")


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise EOFError
    return data


def _sane(count: int) -> int:
    if count > _LONGEST:
        raise ValueError(f"{count} items")
    return count


def _damaged(path: Path, detail: str = "its header cannot be read") -> ModelNotFound:
    return ModelNotFound(f"The model file {path} is damaged or incomplete: {detail}.", "Remove it and get it again.")
