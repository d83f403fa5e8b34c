"""Drawing completions from the very weights that are trained, with what the update must know of the drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from autoflow.train.policy import Policy
from autoflow.train.reading import read_prompt
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

    def together(self, most: int) -> Iterator[range]:
        """The rows in order, in parts of one prompt and at most `most` rows."""
        start = 0
        for stop in range(1, len(self) + 1):
            last = stop == len(self) or not torch.equal(self.prompt_ids[stop], self.prompt_ids[start])
            if last or stop - start == most:
                yield range(start, stop)
                start = stop

    def prompt(self, row: int) -> Tensor:
        """(P,) the tokens of its prompt, without padding."""
        return self.prompt_ids[row][self.prompt_mask[row].bool()]

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
        prompts: token ids; one after the other, each is read once for its group.
        ends: tokens that end a completion.
        generator: of the device of the policy; all chance comes from it.
        constraint: what may be drawn. Must allow an end token where a completion may end.
    """
    parts = []
    for number, prompt in enumerate(prompts):
        drawing = _Drawing(policy, prompt, group, settings, ends, generator, constraint, number * group)
        while drawing.step():
            pass
        parts.append(drawing.columns())
    ids, mask = left_padded(prompts, policy.device)
    tokens, drawn, logprobs = (_stacked(column) for column in zip(*(part[:3] for part in parts), strict=True))
    bits = [part[3] for part in parts if part[3] is not None]
    ended = torch.isin(tokens, torch.tensor(sorted(ends), device=policy.device)) & drawn.bool()
    return Samples(
        prompt_ids=ids.repeat_interleave(group, 0), prompt_mask=mask.repeat_interleave(group, 0), ids=tokens,
        mask=drawn, logprobs=logprobs, keep=_stacked(bits, ANY) if bits else None, ended=ended.any(-1),
    )  # fmt: skip


def _stacked(parts: Sequence[Tensor], fill: int = 0) -> Tensor:
    """(R, T, ...) each, T of their own -> (sum of R, greatest T, ...)."""
    longest = max(part.shape[1] for part in parts)
    sides = [0, 0] * (parts[0].dim() - 2)
    return torch.cat([pad(part, (*sides, 0, longest - part.shape[1]), value=fill) for part in parts])


class _Drawing:
    """Completions of one prompt as they grow, one token a step. One that ended leaves the batch, and costs no more."""

    def __init__(
        self, policy: Policy, prompt: Sequence[int], group: int, settings: SamplingSettings, ends: frozenset[int],
        generator: torch.Generator, constraint: Constraint | None, first: int,
    ) -> None:  # fmt: skip
        self._settings, self._generator, self._constraint, self._first = settings, generator, constraint, first
        self._ends = torch.tensor(sorted(ends), device=policy.device, dtype=torch.long)
        self._rows = torch.arange(group, device=policy.device)  # (R,) those that go on
        self._logits, self._reading = read_prompt(policy, prompt, group)  # (R, V)
        self._drawn: list[list[int]] = [[] for _ in self._rows]
        self._columns: list[tuple[Tensor, Tensor, Tensor, Tensor | None]] = []  # a step: rows, tokens, logprobs, keep

    def step(self) -> bool:
        """Draw one token for each completion that goes on. Returns whether any still does."""
        keep = kept(self._logits, self._settings, self._allowed())
        logprobs = log_probabilities(self._logits, self._settings.temperature, keep)
        tokens = self._choose(logprobs)  # (R, 1)
        bits = None if keep is None else pack(keep)
        self._columns.append((self._rows, tokens[:, 0], logprobs.gather(-1, tokens)[:, 0], bits))
        for row, token in zip(self._rows.tolist(), tokens[:, 0].tolist(), strict=True):
            self._drawn[row].append(token)
        living = (~torch.isin(tokens[:, 0], self._ends)).nonzero()[:, 0]
        if not len(living) or len(self._columns) == self._settings.max_new_tokens:
            return False
        if len(living) < len(self._rows):
            self._rows, tokens = self._rows[living], tokens[living]
            self._reading.keep(living)
        self._logits = self._reading.read(tokens)
        return True

    def _choose(self, logprobs: Tensor) -> Tensor:
        """logprobs: (R, V) -> (R, 1). Of the `top_k` only, where there is such a limit: to choose of all takes long."""
        most = min(self._settings.top_k or logprobs.shape[-1], logprobs.shape[-1])
        best, ids = logprobs.topk(most, dim=-1)
        return ids.gather(-1, torch.multinomial(best.exp(), 1, generator=self._generator))

    def _allowed(self) -> Tensor | None:
        if self._constraint is None:
            return None
        rows = [self._constraint(self._first + row, self._drawn[row]) for row in self._rows.tolist()]
        return torch.stack(rows).to(self._logits.device)

    def columns(self) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """ids, mask, logprobs and keep, as `Samples` has them."""
        shape, like = (len(self._drawn), len(self._columns)), self._logits
        ids = torch.zeros(shape, dtype=torch.long, device=like.device)
        mask, logprobs = torch.zeros_like(ids), torch.zeros(shape, dtype=like.dtype, device=like.device)
        bits = self._columns[0][3]
        keep = None if bits is None else bits.new_full((*shape, bits.shape[-1]), ANY)
        for column, (rows, tokens, logprob, packed) in enumerate(self._columns):
            ids[rows, column], mask[rows, column], logprobs[rows, column] = tokens, 1, logprob
            if keep is not None and packed is not None:
                keep[rows, column] = packed
        return ids, mask, logprobs, keep
