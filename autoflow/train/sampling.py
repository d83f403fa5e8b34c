"""Drawing completions from the very weights that are trained, with what the update must know of the drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autoflow.train.policy import Policy, positions, wide
from autoflow.train.settings import SamplingSettings
from autoflow.train.truncation import kept, log_probabilities, pack

# What a completion may go on with: (its number in the batch, its tokens so far) -> (V,) bool, at least one True.
Constraint = Callable[[int, Sequence[int]], Tensor]
ANY = 255  # eight tokens that may be drawn


@dataclass(frozen=True, slots=True)
class Samples:
    """B completions of at most T tokens, of prompts of at most P tokens. V: size of the vocabulary.

    prompt_ids, prompt_mask: (B, P), padded at the left.
    ids, mask: (B, T), padded at the right; mask 1 on drawn tokens, the end token among them.
    logprobs: (B, T), of each token as it was drawn; 0 on padding.
    keep: (B, T, ceil(V / 8)) bits of the tokens that might have been drawn; None: every token.
    ended: (B,) bool, an end token was drawn; else the limit of tokens was reached.
    """

    prompt_ids: Tensor
    prompt_mask: Tensor
    ids: Tensor
    mask: Tensor
    logprobs: Tensor
    keep: Tensor | None
    ended: Tensor

    def __len__(self) -> int:
        return self.ids.shape[0]

    def part(self, start: int, stop: int) -> Samples:
        """Some of the completions, without columns that are padding in all of them."""
        rows = slice(start, stop)
        longest = max(1, int(self.mask[rows].sum(-1).max()))
        prompt = max(1, int(self.prompt_mask[rows].sum(-1).max()))
        return Samples(
            prompt_ids=self.prompt_ids[rows, -prompt:],
            prompt_mask=self.prompt_mask[rows, -prompt:],
            ids=self.ids[rows, :longest],
            mask=self.mask[rows, :longest],
            logprobs=self.logprobs[rows, :longest],
            keep=None if self.keep is None else self.keep[rows, :longest],
            ended=self.ended[rows],
        )

    def tokens(self, row: int) -> list[int]:
        """What was drawn for one completion."""
        ids: list[int] = self.ids[row, : int(self.mask[row].sum())].tolist()
        return ids


def left_padded(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """ids, mask: (B, P), mask 1 on tokens. The id of padding does not matter, as the mask hides it."""
    longest = max(map(len, prompts))
    ids = [[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


@torch.no_grad()
def sample(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    *,
    group: int,
    settings: SamplingSettings,
    ends: frozenset[int],
    generator: torch.Generator,
    constraint: Constraint | None = None,
) -> Samples:
    """Draw `group` completions of each prompt; those of a prompt stand together.

    Args:
        prompts: token ids; each is read once, and what the model remembers of it is repeated for its group.
        ends: tokens that end a completion.
        generator: of the device of the policy; all chance comes from it.
        constraint: what may be drawn. Must allow an end token where a completion may end.
    """
    drawing = _Drawing(policy, prompts, group, settings, ends, generator, constraint)
    for _ in range(settings.max_new_tokens):
        if not drawing.step():
            break
    return drawing.samples()


class _Drawing:
    """Completions as they grow, one token a step. A completion that ended leaves the batch, and costs nothing more."""

    def __init__(
        self, policy: Policy, prompts: Sequence[Sequence[int]], group: int, settings: SamplingSettings,
        ends: frozenset[int], generator: torch.Generator, constraint: Constraint | None,
    ) -> None:  # fmt: skip
        self._policy, self._settings, self._generator, self._constraint = policy, settings, generator, constraint
        self._ends = torch.tensor(sorted(ends), device=policy.device, dtype=torch.long)
        self._ids, self._mask = left_padded(prompts, policy.device)
        self._attended = self._mask.repeat_interleave(group, 0)  # (R, P + tokens so far)
        self._rows = torch.arange(len(self._attended), device=policy.device)  # (R,) those that go on
        self._group = group
        self._logits, self._cache = self._read_prompts()  # (R, V)
        self._drawn: list[list[int]] = [[] for _ in self._rows]
        self._columns: list[tuple[Tensor, Tensor, Tensor | None]] = []  # a step: rows, logprobs, keep
        self._ended = torch.zeros(len(self._rows), dtype=torch.bool, device=policy.device)

    def _read_prompts(self) -> tuple[Tensor, Any]:
        out = self._policy.model(
            input_ids=self._ids, attention_mask=self._mask, position_ids=positions(self._mask),
            logits_to_keep=1, use_cache=True,
        )  # fmt: skip
        out.past_key_values.batch_repeat_interleave(self._group)
        return wide(out.logits[:, -1]).repeat_interleave(self._group, 0), out.past_key_values

    def step(self) -> bool:
        """Draw one token for each completion that goes on. Returns whether any still does."""
        keep = kept(self._logits, self._settings, self._allowed())
        logprobs = log_probabilities(self._logits, self._settings.temperature, keep)
        tokens = torch.multinomial(logprobs.exp(), 1, generator=self._generator)  # (R, 1)
        self._columns.append((self._rows, logprobs.gather(-1, tokens)[:, 0], None if keep is None else pack(keep)))
        for row, token in zip(self._rows.tolist(), tokens[:, 0].tolist(), strict=True):
            self._drawn[row].append(token)
        ends = torch.isin(tokens[:, 0], self._ends)
        self._ended[self._rows[ends]] = True
        return self._go_on(tokens, (~ends).nonzero()[:, 0])

    def _allowed(self) -> Tensor | None:
        if self._constraint is None:
            return None
        rows = [self._constraint(row, self._drawn[row]) for row in self._rows.tolist()]
        return torch.stack(rows).to(self._policy.device)

    def _go_on(self, tokens: Tensor, living: Tensor) -> bool:
        """tokens: (R, 1); living: indices of the rows that did not end."""
        if not len(living) or len(self._columns) == self._settings.max_new_tokens:
            return False
        if len(living) < len(self._rows):
            self._rows, self._attended, tokens = self._rows[living], self._attended[living], tokens[living]
            self._cache.batch_select_indices(living)
        place = self._attended.sum(-1, keepdim=True)  # (R, 1) position of the token
        self._attended = torch.cat([self._attended, torch.ones_like(tokens)], -1)
        out = self._policy.model(
            input_ids=tokens, attention_mask=self._attended, position_ids=place,
            past_key_values=self._cache, use_cache=True,
        )  # fmt: skip
        self._logits = wide(out.logits[:, -1])
        return True

    def samples(self) -> Samples:
        count, longest, device = len(self._drawn), len(self._columns), self._policy.device
        ids = torch.zeros(count, longest, dtype=torch.long, device=device)
        mask = torch.zeros_like(ids)
        logprobs = torch.zeros(count, longest, dtype=self._logits.dtype, device=device)
        bits = self._columns[0][2]
        keep = (
            None if bits is None else torch.full((count, longest, bits.shape[-1]), ANY, dtype=bits.dtype, device=device)
        )
        for column, (rows, logprob, packed) in enumerate(self._columns):
            mask[rows, column] = 1
            logprobs[rows, column] = logprob
            if keep is not None and packed is not None:
                keep[rows, column] = packed
        for row, drawn in enumerate(self._drawn):
            ids[row, : len(drawn)] = torch.tensor(drawn, device=device)
        group = self._group
        return Samples(
            prompt_ids=self._ids.repeat_interleave(group, 0), prompt_mask=self._mask.repeat_interleave(group, 0),
            ids=ids, mask=mask, logprobs=logprobs, keep=keep, ended=self._ended,
        )  # fmt: skip
