"""Attention in which the completions of a prompt share what the model read of it.

The model itself stays as transformers made it. Its attention alone is exchanged: where a call brings a layout, that
says who sees whom; where it brings none, everything is as ever. Every completion sees the whole prompt and what comes
before in itself, and nothing of the others, so that the numbers are those of completions which pass one by one.

    Packed     an update: prompt and completions stand behind each other in one row, the prompt once
    Remembered a prompt that was read before the drawing begins
    Growing    a drawing: a row a completion, all with one remembered prompt

Keys and values are never repeated for the query heads that share them: those heads stand as more rows of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "autoflow_shared_prompt"
NO_MASK = torch.empty(1, 1, 1, 1)  # of four dimensions, which transformers passes on as it is; a layout needs none
UNKNOWN = ("sliding_window", "softcap", "s_aux", "position_bias")  # what some models do besides
ROOM = 64  # tokens for which a drawing makes room at first


class Layout(Protocol):
    """Who sees whom."""

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """query: (B, H, S, D); key, value: (B, K, S, D), H a multiple of K -> (B, H, S, D)."""


def install(model: Any) -> None:
    """Have the layers of a model of transformers ask the layout, where a call has one."""
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, *,
    layout: Layout | None = None, **options: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    if layout is None:
        output: Tensor = sdpa_attention_forward(module, query, key, value, attention_mask, **options)[0]
        return output, None
    if unknown := [name for name in UNKNOWN if options.get(name) is not None]:
        raise NotImplementedError(f"A layout knows nothing of {', '.join(unknown)}.")
    scaling = options.get("scaling") or query.shape[-1] ** -0.5
    return layout.attend(module.layer_idx, query, key, value, scaling).transpose(1, 2).contiguous(), None


class Packed:
    """One row: the prompt, then each completion."""

    def __init__(self, prompt: int, completions: Sequence[int]) -> None:
        """Tokens of each; a completion of none is left out."""
        self._lengths = [prompt, *filter(None, completions)]
        self._bias: dict[int, Tensor] = {}  # by length of what asks; the same in all layers, which keep it for long

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        queries, keys, values = (torch.split(x, self._lengths, dim=2) for x in (query, key, value))
        parts = [self._see(queries[0], keys[0], values[0], scaling)]
        for q, k, v in zip(queries[1:], keys[1:], values[1:], strict=True):
            parts.append(self._see(q, torch.cat([keys[0], k], 2), torch.cat([values[0], v], 2), scaling))
        return torch.cat(parts, 2)

    def _see(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        seen = key.shape[2]
        if seen not in self._bias:
            self._bias[seen] = _bias(query, key)
        return _see(query, key, value, scaling, self._bias[seen])


def _bias(query: Tensor, key: Tensor) -> Tensor:
    """(H / K * S, seen): the last of the queries sees every key, the one before it all but the last, and so on."""
    length, seen = query.shape[2], key.shape[2]
    hidden = torch.ones(length, seen, dtype=torch.bool, device=query.device).triu(seen - length + 1)
    bias = torch.zeros(length, seen, dtype=query.dtype, device=query.device).masked_fill(hidden, -torch.inf)
    return bias.repeat(query.shape[1] // key.shape[1], 1)


def _see(query: Tensor, key: Tensor, value: Tensor, scaling: float, bias: Tensor) -> Tensor:
    rows = query.reshape(len(query), key.shape[1], -1, query.shape[3])  # (B, K, H / K * S, D)
    return scaled_dot_product_attention(rows, key, value, attn_mask=bias, scale=scaling).reshape(query.shape)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What each layer keeps of one prompt. keys, values: (1, K, P, D) a layer."""

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        self.keys.append(key)
        self.values.append(value)
        return _see(query, key, value, scaling, _bias(query, key))


class Growing:
    """Rows that grow by a token a call. keys, values: (R, K, room, D) a layer, the first `length` of them taken."""

    def __init__(self, prompt: Remembered, rows: int) -> None:
        self._prompt = prompt
        self._length = 0
        shapes = [(rows, key.shape[1], ROOM, key.shape[3]) for key in prompt.keys]
        self._keys = [key.new_empty(shape) for key, shape in zip(prompt.keys, shapes, strict=True)]
        self._values = [key.new_empty(shape) for key, shape in zip(prompt.keys, shapes, strict=True)]

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """The query of a row is the token that is now read, behind those that were read before."""
        at, rows, shared, size = self._length, len(query), key.shape[1], key.shape[3]
        if at == self._keys[layer].shape[2]:
            self._keys[layer], self._values[layer] = (
                pad(x, (0, 0, 0, at)) for x in (self._keys[layer], self._values[layer])
            )
        own_keys, own_values = self._keys[layer], self._values[layer]
        own_keys[:, :, at], own_values[:, :, at] = key[:, :, 0], value[:, :, 0]
        own_keys, own_values = own_keys[:, :, : at + 1], own_values[:, :, : at + 1]
        each = query.reshape(rows, shared, -1, size)  # (R, K, H / K, D)
        together = each.transpose(0, 1).reshape(shared, -1, size)  # (K, R * H / K, D)
        prompt_keys, prompt_values = self._prompt.keys[layer][0], self._prompt.values[layer][0]
        of_prompt = (together @ prompt_keys.mT).view(shared, rows, -1, prompt_keys.shape[1]).transpose(0, 1)
        scores = torch.cat([of_prompt, each @ own_keys.mT], -1) * scaling  # (R, K, H / K, P + at + 1)
        shares = scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(scores.dtype)
        to_prompt, to_own = torch.split(shares, [prompt_keys.shape[1], at + 1], -1)
        told = to_prompt.transpose(0, 1).reshape(shared, -1, prompt_keys.shape[1]) @ prompt_values
        told = told.view(shared, rows, -1, size).transpose(0, 1)
        output: Tensor = (told + to_own @ own_values).reshape(query.shape)
        return output

    def grown(self) -> None:
        """All layers have read the token."""
        self._length += 1

    def keep(self, rows: Tensor) -> None:
        """Forget all rows but these."""
        self._keys = [keys[rows] for keys in self._keys]
        self._values = [values[rows] for values in self._values]
