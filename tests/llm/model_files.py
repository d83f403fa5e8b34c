"""Small model files and wheels for tests, made by hand."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path


def gguf(
    *, template: str | None = "{{ messages }}", tensors: int = 2, version: int = 3, context: int = 2048,
    architecture: str = "llama",
) -> bytes:  # fmt: skip
    """A GGUF file that is whole: a header, and `tensors` tensors of 64 zeros."""
    pairs: dict[str, str | int] = {
        "general.architecture": architecture,
        f"{architecture}.block_count": 2,
        f"{architecture}.embedding_length": 64,
        f"{architecture}.attention.head_count": 4,
        f"{architecture}.attention.head_count_kv": 2,
        f"{architecture}.context_length": context,
    }
    if template is not None:
        pairs["tokenizer.chat_template"] = template
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs))
    for key, value in pairs.items():
        head += _text(key)
        head += struct.pack("<I", 8) + _text(value) if isinstance(value, str) else struct.pack("<II", 4, value)
    for number in range(tensors):
        head += _text(f"blk.{number}.weight") + struct.pack("<IQIQ", 1, 64, 0, number * 256)
    return head + bytes(-len(head) % 32) + bytes(256 * tensors)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def wheel(folder: Path, package: str, members: Mapping[str, bytes], version: str = "1.0") -> Path:
    """A wheel that pip is willing to download."""
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
