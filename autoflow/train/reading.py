"""Reading a prompt once for a group of completions, then what is drawn, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from autoflow.train.policy import Policy, wide
from autoflow.train.shared import Growing, Remembered


class Reading(Protocol):
    """A group in the midst of being drawn."""

    def read(self, tokens: Tensor) -> Tensor:
        """Go on by a token a row: (R, 1) -> logits of the next (R, V)."""

    def keep(self, rows: Tensor) -> None:
        """Forget all rows but these, given by their places among those that are left."""


def read_prompt(policy: Policy, prompt: Sequence[int], group: int) -> tuple[Tensor, Reading]:
    """Logits of the first token of each of `group` rows (R, V), and what goes on from there."""
    ids = torch.tensor([list(prompt)], device=policy.device)
    if policy.shares:
        remembered = Remembered()
        states = policy.states(ids, torch.arange(len(prompt), device=policy.device)[None], remembered)
        return policy.head(states[:, -1]).repeat(group, 1), _Shared(policy, remembered, len(prompt), group)
    out = policy.model(input_ids=ids, logits_to_keep=1, use_cache=True)
    out.past_key_values.batch_repeat_interleave(group)
    return wide(out.logits[:, -1]).repeat(group, 1), _Repeated(policy, out.past_key_values, len(prompt))


class _Shared:
    """The prompt stays where it is; each row has what itself said."""

    def __init__(self, policy: Policy, prompt: Remembered, length: int, rows: int) -> None:
        self._policy, self._length = policy, length
        self._growing = Growing(prompt, rows)

    def read(self, tokens: Tensor) -> Tensor:
        states = self._policy.states(tokens, torch.full_like(tokens, self._length), self._growing)
        self._length += 1
        self._growing.grown()
        return self._policy.head(states[:, -1])

    def keep(self, rows: Tensor) -> None:
        self._growing.keep(rows)


class _Repeated:
    """Every row has the prompt for itself, in the memory that the model brings along."""

    def __init__(self, policy: Policy, cache: Any, length: int) -> None:
        self._policy, self._cache, self._length = policy, cache, length

    def read(self, tokens: Tensor) -> Tensor:
        places = torch.full_like(tokens, self._length)
        self._length += 1
        out = self._policy.model(input_ids=tokens, position_ids=places, past_key_values=self._cache, use_cache=True)
        return wide(out.logits[:, -1])

    def keep(self, rows: Tensor) -> None:
        self._cache.batch_select_indices(rows)
