"""An adapter in the form that llama.cpp reads: a GGUF file with the two matrices of each layer.

llama.cpp turns pairs of neighbouring numbers where transformers turns halves (the rotary positions), so for models of
Llama's kind whoever made the base's GGUF file reordered the rows of q and k. The rows of B are reordered likewise; A
stays, as it is on the other side. Models of Qwen's kind are kept in the order that they were trained in.

Left out: mixtures of experts, whose many layers GGUF keeps as one, and models with fused layers (Phi-3): an adapter of
these would have to be cut apart or joined first.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoflow.errors import ModelNotFound, ModelRequestError
from autoflow.llm.gguf import GgufInfo, read_gguf
from autoflow.llm.local.lora import Lora, Pair, read_lora
from autoflow.llm.local.names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, Base, file_mark

if TYPE_CHECKING:
    from autoflow.llm.local.tensors import Array

# model_type of transformers -> architecture in GGUF
_ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
_REORDERED = frozenset({"llama"})  # architectures whose q and k are


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a base it takes to know."""

    architecture: str  # in GGUF
    layers: int
    heads: int
    kv_heads: int


def shape_of(base: Base, header: GgufInfo | None = None) -> Shape:
    """What there is to know of a base.

    Args:
        header: of its GGUF file, where that has been read.
    Raises: ModelNotFound: its files are not here. ModelRequestError: it is of a kind that is not supported."""
    if base.path is None:
        raise ModelRequestError(
            f"{base.name} is a model of the hub, which llama.cpp does not read.",
            "Name a GGUF file of it as the base, or put the adapter into another form.",
        )
    if base.path.is_dir():
        return _of_folder(base.name, base.path)
    info = header or read_gguf(base.path)
    return _supported(base.name, Shape(info.architecture, info.layers, info.heads, info.kv_heads))


def _of_folder(name: str, folder: Path) -> Shape:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
        heads = int(config["num_attention_heads"])
        kind, layers = str(config["model_type"]), int(config["num_hidden_layers"])
        shape = Shape(_ARCHITECTURES.get(kind, kind), layers, heads, int(config.get("num_key_value_heads") or heads))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelNotFound(f"The file config.json of {name} cannot be read.") from error
    return _supported(name, shape)


def _supported(name: str, shape: Shape) -> Shape:
    if shape.architecture not in _ARCHITECTURES.values():
        known = ", ".join(sorted(set(_ARCHITECTURES.values())))
        raise ModelRequestError(
            f"An adapter for {name} cannot be written for llama.cpp: it is of the kind {shape.architecture}, and those "
            f"of {known} are known.",
            "Take the peft folder or the merged model instead.",
        )
    return shape


def write_gguf(folder: Path, shape: Shape, target: Path, card: str = "") -> None:
    """Write the adapter in `folder` as a GGUF file.

    Args:
        card: its model card, which goes into the file.
    Raises: ModelNotFound: damaged. ModelRequestError: it holds what GGUF has no form for. OSError: no room.
    """
    from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, GGUFWriter, get_tensor_name_map

    lora = read_lora(folder)
    kind = next(arch for arch in MODEL_ARCH if MODEL_ARCH_NAMES[arch] == shape.architecture)
    names = get_tensor_name_map(kind, shape.layers)
    writer = GGUFWriter(target, shape.architecture)
    writer.add_type("adapter")
    writer.add_name(folder.name)
    if card:
        writer.add_description(card)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", lora.alpha)
    for pair in lora.pairs():
        known = names.get_name(pair.module)
        if known is None:
            raise ModelRequestError(f"llama.cpp has no layer {pair.module} in models of {shape.architecture}.")
        writer.add_tensor(f"{known}.weight.lora_a", pair.a)
        writer.add_tensor(f"{known}.weight.lora_b", _b(pair, lora, shape))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _b(pair: Pair, lora: Lora, shape: Shape) -> Array:
    """B as llama.cpp wants it: it scales by alpha / r, so what another scale is is put into the matrix."""
    b = pair.b
    usual = lora.alpha / pair.a.shape[0]
    if pair.scale != usual:
        if not usual:
            raise ModelRequestError(f"The adapter {lora.folder.name} has an alpha of 0, which llama.cpp cannot undo.")
        b = b * (pair.scale / usual)
    if shape.architecture in _REORDERED and pair.module.endswith((".q_proj", ".k_proj")):
        return _reordered(b, shape.heads if pair.module.endswith(".q_proj") else shape.kv_heads)
    return b


def _reordered(b: Array, heads: int) -> Array:
    """In each head, from first half and second half to pairs of one of each. b: (out, r) -> (out, r)."""
    rows, rank = b.shape
    if rows % (2 * heads):
        raise ModelRequestError(f"An adapter of {rows} rows does not fit a base of {heads} heads.")
    return b.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank).copy()


def kept_gguf(folder: Path, base: Base) -> Path:
    """The adapter's GGUF file, kept in its folder and made where there is none. Raises as `write_gguf`, ModelNotFound.

    Named after the weights, so that an adapter saved anew is written anew.
    """
    mark = file_mark(folder / ADAPTER_WEIGHTS, folder / ADAPTER_CONFIG)
    target = folder / f"llama-{mark}.gguf"
    if target.is_file():
        return target
    shape = shape_of(base)
    beside = folder / f".{target.name}-{secrets.token_hex(4)}"
    try:
        write_gguf(folder, shape, beside)
        for old in folder.glob("llama-*.gguf"):
            old.unlink(missing_ok=True)
        beside.replace(target)
    except OSError as error:
        raise ModelNotFound(f"The adapter {folder.name} cannot be written for llama.cpp: {error}.") from error
    finally:
        beside.unlink(missing_ok=True)
    return target
