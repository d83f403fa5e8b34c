"""REINFORCE with a baseline, and a price for leaving the base model.

    loss = mean over samples of  - advantage * sum of log p(token)  +  kl_weight * sum of KL(policy, base)

both sums over the drawn tokens, the end token among them. The first term's gradient is, in expectation, that of the
mean reward: log-probabilities are summed and not divided by the length, which would favour long failures over short
ones. One update is made of each sample, so that no ratio to older weights is needed.

KL is exact over the vocabulary, not estimated from the drawn token: both models' logits are at hand, and the estimate
(k3, say) would add noise for nothing. It compares the two whole distributions at the temperature of the sampling, also
where truncation or a constraint cut what was drawn, so that the tail of the vocabulary is held in place too.

Left out: what an early token does to the KL of later positions. To credit it for that takes the KL of whole completions
before the first gradient, which is one pass more; a penalty that is to hold the model near needs no more than each
position's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autoflow.train.policy import Policy
from autoflow.train.sampling import Samples
from autoflow.train.settings import Baseline
from autoflow.train.truncation import log_probabilities, unpack

ROOM = 2**23  # logits at a time, with several numbers each: those of a whole group would take gigabytes


@dataclass(frozen=True, slots=True)
class Drawn:
    """Tokens as they were drawn, of several completions behind each other."""

    ids: Tensor  # (N,)
    logprobs: Tensor  # (N,)
    keep: Tensor | None  # (N, ceil(V / 8)) bits of the tokens that might have been drawn; None: every token

    @classmethod
    def of(cls, samples: Samples, rows: range) -> Drawn:
        here = slice(rows.start, rows.stop)
        spoken = samples.mask[here].bool()
        keep = None if samples.keep is None else samples.keep[here][spoken]
        return cls(samples.ids[here][spoken], samples.logprobs[here][spoken], keep)

    def __getitem__(self, piece: slice) -> Drawn:
        return Drawn(self.ids[piece], self.logprobs[piece], None if self.keep is None else self.keep[piece])


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """All (N,), in nats. `logprobs` and `kl` carry gradients, `kl` only where it is asked to."""

    logprobs: Tensor
    kl: Tensor
    entropy: Tensor  # of what was drawn from


@dataclass(frozen=True, slots=True)
class Sums:
    """Over the tokens of a step."""

    tokens: int = 0
    kl: float = 0.0
    entropy: float = 0.0
    drift: float = 0.0  # greatest, not a sum

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.tokens + other.tokens,
            self.kl + other.kl,
            self.entropy + other.entropy,
            max(self.drift, other.drift),
        )


def advantages(rewards: Sequence[float], *, group: int, baseline: Baseline, running: float = 0.0) -> list[float]:
    """How much better than expected each sample was.

    Args:
        rewards: of the samples, those of a group together.
        running: mean of the rewards of earlier steps.
    Returns: reward minus baseline. The baseline is the mean of the other samples of the group (leave-one-out), of the
        whole group (group-mean: the same direction, shorter by (group - 1) / group), `running`, or 0 (none).
    """
    if baseline in ("running", "none"):
        return [reward - (running if baseline == "running" else 0.0) for reward in rewards]
    result = []
    for start in range(0, len(rewards), group):
        ours = rewards[start : start + group]
        total = sum(ours)
        if baseline == "group-mean":
            result += [reward - total / group for reward in ours]
        else:
            result += [reward - (total - reward) / (group - 1) for reward in ours]
    return result


def divergence(policy_logits: Tensor, base_logits: Tensor, temperature: float) -> Tensor:
    """KL(policy, base) in nats, exact over the vocabulary; >= 0. Both (..., V) -> (...)."""
    ours = log_probabilities(policy_logits, temperature)
    theirs = log_probabilities(base_logits, temperature)
    return (ours.exp() * (ours - theirs)).sum(-1)


def token_figures(
    policy: Policy, states: Tensor, base: Tensor, drawn: Drawn, temperature: float, *, kl_gradient: bool
) -> TokenFigures:
    """What the states from which tokens were drawn say of them.

    Args:
        states, base: (N, hidden), of policy and base model; see `Policy.states_before`.
    """
    logits = policy.head(states)  # (N, V)
    with torch.no_grad(), policy.base():
        of_base = policy.head(base)
    keep = None if drawn.keep is None else unpack(drawn.keep, logits.shape[-1])
    drawn_from = log_probabilities(logits, temperature, keep)
    with torch.set_grad_enabled(kl_gradient and torch.is_grad_enabled()):
        kl = divergence(logits, of_base, temperature)
    return TokenFigures(
        logprobs=drawn_from.gather(-1, drawn.ids.unsqueeze(-1)).squeeze(-1),
        kl=kl,
        entropy=_entropy(drawn_from.detach()),
    )


def _entropy(logprobs: Tensor) -> Tensor:
    """(..., V), -inf where the probability is 0 -> (...)."""
    return -(logprobs.exp() * logprobs.clamp(min=torch.finfo(logprobs.dtype).min)).sum(-1)


def add_gradients(
    policy: Policy,
    samples: Samples,
    advantage: Sequence[float],
    *,
    temperature: float,
    kl_weight: float,
    micro_batch: int,
) -> Sums:
    """Add the gradient of the loss to the adapter's, a few samples at a time.

    Every part is divided by the number of all samples, so that the parts add up to the gradient of one batch.

    Args:
        advantage: (B,), one a sample.
        micro_batch: samples that pass together; less where a group ends, as they share its prompt.
    Returns: what was seen on the way, for the figures.
    """
    sums = Sums()
    for rows in samples.together(micro_batch):
        completions = [samples.ids[row, : int(samples.mask[row].sum())] for row in rows]
        prompt, drawn = samples.prompt(rows[0]), Drawn.of(samples, rows)
        states = policy.states_before(prompt, completions)
        with torch.no_grad(), policy.base():
            base = policy.states_before(prompt, completions)
        weights = [advantage[row] for row, completion in zip(rows, completions, strict=True) for _ in completion]
        cut = states.detach().requires_grad_()  # the way back has two parts: through the head, then through the layers
        for piece in _pieces(len(cut), policy.vocabulary):
            part = drawn[piece]
            figures = token_figures(policy, cut[piece], base[piece], part, temperature, kl_gradient=kl_weight > 0)
            gain = figures.logprobs.new_tensor(weights[piece]) * figures.logprobs - kl_weight * figures.kl
            (-gain.sum() / len(samples)).backward()  # type: ignore[no-untyped-call]
            sums += _seen(part, figures)
        states.backward(cut.grad)  # type: ignore[no-untyped-call]
    return sums


def _pieces(tokens: int, vocabulary: int) -> list[slice]:
    """Parts of the tokens for whose logits there is room."""
    size = max(1, ROOM // vocabulary)
    return [slice(start, start + size) for start in range(0, tokens, size)]


def _seen(part: Drawn, figures: TokenFigures) -> Sums:
    return Sums(
        tokens=len(part.ids),
        kl=float(figures.kl.detach().sum()),
        entropy=float(figures.entropy.sum()),
        drift=float((figures.logprobs.detach() - part.logprobs).abs().max()),
    )
