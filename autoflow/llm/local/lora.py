"""The two thin matrices that an adapter puts beside each layer it adapts: W + scale * B A."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoflow.errors import ModelNotFound, ModelRequestError
from autoflow.llm.local.names import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from autoflow.llm.local.tensors import Held, read_header, read_tensor

if TYPE_CHECKING:
    from autoflow.llm.local.tensors import Array

_KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
# What an adapter may have besides, and what that is in words; none of it is a pair of matrices.
_MORE = {
    "use_dora": "the lengths of whole rows (DoRA)",
    "modules_to_save": "whole layers in place of the model's",
    "fan_in_fan_out": "layers that are kept on their side",
    "lora_bias": "biases",
    "trainable_token_indices": "tokens of its own",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One adapted layer."""

    module: str  # as the model names it: model.layers.0.self_attn.q_proj
    a: Array  # (r, in)
    b: Array  # (out, r)
    scale: float

    def delta(self) -> Array:
        """What is added to the layer's weights: (out, in)."""
        return self.scale * (self.b @ self.a)


@dataclass(frozen=True, slots=True)
class Lora:
    """An adapter's shape; its matrices are read when they are asked for."""

    folder: Path
    config: dict[str, Any]
    where: dict[str, tuple[Held, Held]]  # module -> A, B

    @property
    def alpha(self) -> float:
        return float(self.config["lora_alpha"])

    def pairs(self) -> Iterator[Pair]:
        """Each adapted layer, as they lie in the file. Raises ModelNotFound: damaged."""
        with (self.folder / ADAPTER_WEIGHTS).open("rb") as file:
            for module, (a, b) in self.where.items():
                try:
                    yield Pair(module, read_tensor(file, a), read_tensor(file, b), self._scale(module, a.shape[0]))
                except (ValueError, EOFError) as error:
                    raise ModelNotFound(
                        f"The weights of {module} in the adapter {self.folder.name} cannot be read: {error}."
                    ) from error

    def _scale(self, module: str, rank: int) -> float:
        patterns = dict(self.config.get("alpha_pattern") or {})
        alpha = next((a for p, a in patterns.items() if re.match(rf"(?:.*\.)?(?:{p})$", module)), self.alpha)
        return float(alpha) / (math.sqrt(rank) if self.config.get("use_rslora") else rank)


def read_lora(folder: Path) -> Lora:
    """An adapter whose every weight belongs to a pair.

    Raises: ModelNotFound: damaged. ModelRequestError: it holds more than pairs, and could only be copied in part.
    """
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_text("utf-8"))
        float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelNotFound(f"The file {ADAPTER_CONFIG} of the adapter {folder.name} cannot be read.") from error
    if more := [words for field, words in _MORE.items() if config.get(field)]:
        raise _more(folder.name, more[0])
    if config.get("bias", "none") != "none":
        raise _more(folder.name, "biases")
    halves: dict[str, dict[str, Held]] = {}
    for key, held in read_header(folder / ADAPTER_WEIGHTS).items():
        if not (found := _KEY.fullmatch(key)) or len(held.shape) != 2:
            raise _more(folder.name, f"{key}, which is no matrix of a pair")
        halves.setdefault(found[1], {})[found[2]] = held
    for module, half in halves.items():
        if len(half) != 2 or half["A"].shape[0] != half["B"].shape[1]:
            raise ModelNotFound(f"The weights of {module} in the adapter {folder.name} do not fit together.")
    return Lora(folder, config, {module: (half["A"], half["B"]) for module, half in halves.items()})


def _more(name: str, what: str) -> ModelRequestError:
    return ModelRequestError(
        f"The adapter {name} holds {what}: that can be asked as local:, and not be put into another form.",
        "Download it as a peft folder instead.",
    )
