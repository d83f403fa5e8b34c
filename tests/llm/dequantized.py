"""A GGUF file with the same weights in 16 bits, unpacked: what transformers computes with, for llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def dequantized(source: Path, target: Path, *, matrices: type[np.floating[Any]] = np.float16) -> Path:
    """Write all of `source`, its matrices as floats of this kind, vectors in 32 bits."""
    from gguf import GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize

    reader = GGUFReader(source)
    writer = GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in ("general.architecture", "general.file_type"):
            kinds: Any = field.types
            inner = kinds[1] if kinds[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), kinds[0], inner)
    for tensor in reader.tensors:
        weights = dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, weights.astype(matrices if len(tensor.shape) > 1 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
