"""Decoding a batch of rows side by side, until each has ended or nobody wants it any more.

A row's text depends on its neighbours by nothing but rounding: it has its own source of chance, its own limit, and
padding on the left that is masked. How the processor adds up differs with the number of rows, by about 5e-5 in 32 bits
and far more in 16: where two tokens are as near as that, a row alone and the same row in a batch may part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from autoflow.errors import ModelError
from autoflow.llm.local.faults import explain
from autoflow.llm.local.load import Loaded
from autoflow.llm.local.row import Row

CHUNK = 512  # tokens of the prompts read at once: bounds the memory, and how long a cancelled batch goes on


def decode(loaded: Loaded, rows: Sequence[Row]) -> None:
    """Answer all rows. What goes wrong is told to them, not raised."""
    alive = list(rows)
    try:
        with torch.inference_mode():
            _Batch(loaded, alive).run()
    except Exception as error:  # of any kind: who asked waits for an answer or an error
        said = explain(error, loaded.name)
        for row in alive:
            row.job.tell(said)


class _Batch:
    """Rows that are decoded together; those that end leave it. `rows` is the caller's list, kept to those alive.

    mask: (B, T), 1 on tokens, 0 on padding; logits: (B, V), of the next token.
    """

    def __init__(self, loaded: Loaded, rows: list[Row]) -> None:
        self._loaded = loaded
        self._rows = rows
        self._cache: Any = None
        self._mask = torch.empty(0)
        self._logits = torch.empty(0)

    def run(self) -> None:
        if self._read_prompts():
            while tokens := self._step():
                self._feed(torch.tensor(tokens, device=self._loaded.device).unsqueeze(1))

    def _read_prompts(self) -> bool:
        """Read all prompts, padded to one length. Returns: whether anybody still wants an answer."""
        longest = max(len(row.prompt) for row in self._rows)
        short = [longest - len(row.prompt) for row in self._rows]
        padded = [[self._loaded.pad] * n + row.prompt for row, n in zip(self._rows, short, strict=True)]
        masks = [[0] * n + [1] * (longest - n) for n in short]
        tokens = torch.tensor(padded, device=self._loaded.device)  # (B, T)
        self._mask = torch.tensor(masks, device=self._loaded.device)
        whole = self._mask
        for start in range(0, longest, CHUNK):
            if all(row.job.cancelled.is_set() for row in self._rows):
                return False
            self._mask = whole[:, : start + CHUNK]
            self._forward(tokens[:, start : start + CHUNK])
        return True

    def _feed(self, tokens: torch.Tensor) -> None:
        """Args: tokens: (B, 1)."""
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)], dim=1)
        self._forward(tokens)

    def _forward(self, tokens: torch.Tensor) -> None:
        """Args: tokens: (B, N), the last N of the mask's T."""
        places = (self._mask.cumsum(dim=1) - 1).clamp(min=0)  # (B, T), padding does not count
        out = self._loaded.model(
            input_ids=tokens,
            attention_mask=self._mask,
            position_ids=places[:, -tokens.shape[1] :],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache, self._logits = out.past_key_values, out.logits[:, -1]

    def _step(self) -> list[int]:
        """The next token of each row that goes on; the others leave."""
        tokens, going = [], []
        logits = self._logits if self._loaded.device == "cpu" else self._logits.float().cpu()
        for at, row in enumerate(self._rows):
            token = None if row.job.cancelled.is_set() else _next(row, logits[at])
            if token is not None:
                tokens.append(token)
                going.append(at)
        if tokens and len(going) < len(self._rows):
            kept = torch.tensor(going, device=self._loaded.device)
            self._cache.batch_select_indices(kept)
            self._mask = self._mask[kept]
        self._rows[:] = [self._rows[at] for at in going]
        return tokens


def _next(row: Row, logits: torch.Tensor) -> int | None:
    """The next token, None where the row has ended. A constraint that fails ends its own row only."""
    try:
        token = row.choose(logits)
        return None if row.take(token) else token
    except ModelError as error:
        row.job.tell(error)
        return None
