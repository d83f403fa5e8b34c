"""Safetensors files as they lie on the disk: where each tensor is, and one tensor at a time, by numpy alone.

For what touches adapters without running them: lists of them, copies in other forms. torch takes seconds to import, and
the package safetensors has no word for 16-bit brain floats without it.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from autoflow.errors import ModelNotFound

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

WIDTHS = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4,
    "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip
FLOATS = frozenset({"F32", "F16", "BF16"})  # that are computed with
_LONGEST = 100 << 20  # bytes of a header, as the format has it
_PIECE = 16 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """Where one tensor lies in its file."""

    kind: str  # F32, BF16, ...
    shape: tuple[int, ...]
    start: int  # byte of the file
    size: int  # bytes

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, Held]:
    """The tensors of a file by name, in the order in which they lie.

    Raises ModelNotFound: there is no such file, it is cut short, or no safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            (length,) = struct.unpack("<Q", file.read(8))
            if not 2 <= length <= _LONGEST:
                raise ValueError("its header has no sensible length")
            told = json.loads(file.read(length))
        found = {name: _held(about, 8 + length) for name, about in told.items() if name != "__metadata__"}
    except FileNotFoundError:
        raise ModelNotFound(f"There is no file {path}.", "Was it moved or removed?") from None
    except OSError as error:
        raise ModelNotFound(f"The file {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, struct.error, RecursionError, MemoryError) as error:
        raise _damaged(path, "its header cannot be read") from error
    end = max((held.start + held.size for held in found.values()), default=8 + length)
    if end != size:
        raise _damaged(path, f"it has {size:,} of {end:,} bytes")
    return dict(sorted(found.items(), key=lambda item: item[1].start))


def _held(about: Any, base: int) -> Held:
    shape, (start, end) = tuple(int(n) for n in about["shape"]), about["data_offsets"]
    held = Held(about["dtype"], shape, base + start, end - start)
    if start < 0 or min(shape, default=0) < 0 or held.size != held.count * WIDTHS[held.kind]:
        raise ValueError("a tensor's size and shape do not agree")
    return held


def _damaged(path: Path, detail: str) -> ModelNotFound:
    return ModelNotFound(f"The file {path.name} is damaged or incomplete: {detail}.", "Copy or save it again.")


def read_tensor(file: BinaryIO, held: Held) -> Array:
    """One tensor in 32 bits. Raises ValueError: it holds no floats of 16 or 32 bits. EOFError: the file ended."""
    import numpy as np

    if held.kind not in FLOATS:
        raise ValueError(f"it holds {held.kind}, no floats of 16 or 32 bits")
    file.seek(held.start)
    data = file.read(held.size)
    if len(data) != held.size:
        raise EOFError
    if held.kind == "BF16":  # the upper half of a 32-bit float
        found = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        found = np.frombuffer(data, "<f4" if held.kind == "F32" else "<f2").astype(np.float32)
    return found.reshape(held.shape)


def as_bytes(tensor: Array, kind: str) -> bytes:
    """A tensor in the form it is kept in, rounded to the nearest. Raises ValueError: a number does not fit."""
    import numpy as np

    if kind == "BF16":
        bits = tensor.view(np.uint32)
        kept = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")  # of two that are as near, the even one
        return kept.tobytes()
    with np.errstate(over="ignore"):
        kept = tensor.astype("<f4" if kind == "F32" else "<f2")
    if not np.isfinite(kept).all():
        raise ValueError(f"a number of it is too large for {kind}")
    return kept.tobytes()


def write_file(path: Path, tensors: Mapping[str, Held], data: Iterable[bytes]) -> None:
    """Write a file of the same tensors, piece by piece.

    Args:
        tensors: as `read_header` gives them.
        data: the bytes of all of them, in that order.
    """
    told: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, held in tensors.items():
        told[name] = {"dtype": held.kind, "shape": list(held.shape), "data_offsets": [at, at + held.size]}
        at += held.size
    header = json.dumps(told).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(header)) + header)
        for piece in data:
            out.write(piece)


def pieces_of(file: BinaryIO, held: Held) -> Iterator[bytes]:
    """The bytes of a tensor as they are, a few at a time. Raises EOFError: the file ended."""
    file.seek(held.start)
    left = held.size
    while left:
        data = file.read(min(left, _PIECE))
        if not data:
            raise EOFError
        left -= len(data)
        yield data
