"""Every completion that a tiny model can write, and the exact gradient of its mean reward, by means of its own:
one pass a prefix, without cache, padding, batches or any function of the code under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from autoflow.train.policy import Policy
from autoflow.train.settings import SamplingSettings
from tests.train.tiny import END

PROMPT = [1, 2]


@dataclass(frozen=True)
class Completion:
    tokens: tuple[int, ...]
    probability: Tensor  # scalar, with a gradient
    keeps: tuple[Tensor, ...]  # (V,) bool a position


def next_tokens(policy: Policy, prefix: tuple[int, ...], how: SamplingSettings) -> tuple[Tensor, Tensor]:
    """Probabilities (V,) and the tokens that may be drawn (V,), as the definition of top-k and top-p has it."""
    logits = policy.model(torch.tensor([PROMPT + list(prefix)])).logits[0, -1] / how.temperature
    order = logits.detach().argsort(descending=True).tolist()[: how.top_k or len(logits)]
    share = {token: float(logits[token].detach().exp()) for token in order}
    total, mass, keep = sum(share.values()), 0.0, torch.zeros(len(logits), dtype=torch.bool)
    for token in order:
        keep[token] = True
        mass += share[token] / total
        if mass >= how.top_p and how.top_p < 1:
            break
    weights = torch.where(keep, logits.exp(), 0.0)
    return weights / weights.sum(), keep


def completions(policy: Policy, how: SamplingSettings) -> list[Completion]:
    """All of them; their probabilities add up to 1."""
    found: list[Completion] = []
    open_ones = [Completion((), torch.tensor(1.0, dtype=torch.float64), ())]
    while open_ones:
        one = open_ones.pop()
        probabilities, keep = next_tokens(policy, one.tokens, how)
        for token in keep.nonzero()[:, 0].tolist():
            longer = Completion((*one.tokens, token), one.probability * probabilities[token], (*one.keeps, keep))
            whole = token == END or len(longer.tokens) == how.max_new_tokens
            (found if whole else open_ones).append(longer)
    return found


def exact_gradient(policy: Policy, how: SamplingSettings, reward: Callable[[tuple[int, ...]], float]) -> Tensor:
    """d E[reward] / d (weights of the adapter), flat."""
    mean = sum(c.probability * reward(c.tokens) for c in completions(policy, how))
    assert isinstance(mean, Tensor)
    return torch.cat([g.flatten() for g in torch.autograd.grad(mean, list(policy.trainable().values()))])
