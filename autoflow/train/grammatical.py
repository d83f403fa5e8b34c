"""A grammar as what may be drawn next, for each of the completions that are drawn side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autoflow.llm.base import Grammar
from autoflow.llm.local.constraint import Allowed, vocabulary
from autoflow.llm.local.load import Loaded


class Grammatical:
    """A `Constraint` of sampling. A completion that the grammar can add nothing to may only end."""

    def __init__(self, grammar: Grammar, loaded: Loaded) -> None:
        self._grammar = grammar
        self._size = int(loaded.model.config.get_text_config().vocab_size)
        self._tokens = vocabulary(loaded.tokenizer, self._size, loaded.ends)
        self._ends = torch.zeros(self._size, dtype=torch.bool)
        self._ends[sorted(loaded.ends)] = True
        self._anything = torch.zeros(self._size)
        self._rows: dict[int, _Row] = {}

    def __call__(self, row: int, drawn: Sequence[int]) -> Tensor:
        """(V,) bool, on the CPU."""
        if not drawn:
            self._rows[row] = _Row(Allowed(self._grammar, self._tokens))
        ours = self._rows[row]
        ours.take(drawn)
        return self._ends if ours.over else ours.allowed.mask(self._anything) == 0


class _Row:
    """How far one completion is."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed = allowed
        self.over = False
        self._taken = 0

    def take(self, drawn: Sequence[int]) -> None:
        for token in drawn[self._taken :]:
            self.over = self.over or self.allowed.take(token)
        self._taken = len(drawn)
