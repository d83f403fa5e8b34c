"""Which tokens may be drawn, and how likely each then is: the same arithmetic for sampling and for the update.

Top-k, top-p and a constraint leave a set of tokens at each position; the rest has probability 0, and those kept are
scaled up. A policy gradient must differentiate these probabilities. The set itself is a step function of the weights,
so that its own gradient is 0 almost everywhere; but it must be the set of the sampling. Found again from the logits of
another pass it could differ in a token of equal rank and lose the one that was drawn. So sets are kept: a bit a token
of the vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autoflow.train.settings import SamplingSettings


def kept(logits: Tensor, settings: SamplingSettings, allowed: Tensor | None = None) -> Tensor | None:
    """The tokens that may be drawn.

    Args:
        logits: (R, V), as the model gave them.
        allowed: (R, V) bool, what a constraint permits; at least one a row.
    Returns: (R, V) bool, or None where every token may be drawn.
    """
    size = logits.shape[-1]
    k = min(settings.top_k or size, size)
    if k == size and settings.top_p >= 1:
        return allowed
    scaled = logits / settings.temperature
    if allowed is not None:
        scaled = scaled.masked_fill(~allowed, -torch.inf)
    best, ids = scaled.topk(k, dim=-1)  # (R, k), in order
    share = best.softmax(-1)
    mass_before = share.cumsum(-1) - share
    fits = (mass_before < settings.top_p) & (best > -torch.inf)
    return torch.zeros_like(logits, dtype=torch.bool).scatter(-1, ids, fits)


def log_probabilities(logits: Tensor, temperature: float, keep: Tensor | None = None) -> Tensor:
    """Of each token as it is drawn; -inf for those not kept. logits, keep: (..., V) -> (..., V)."""
    scaled = logits / temperature
    if keep is not None:
        scaled = scaled.masked_fill(~keep, -torch.inf)
    return scaled.log_softmax(-1)


def pack(keep: Tensor) -> Tensor:
    """(..., V) bool -> (..., ceil(V / 8)) uint8."""
    padded = torch.nn.functional.pad(keep.to(torch.uint8), (0, -keep.shape[-1] % 8))
    weights = 2 ** torch.arange(8, dtype=torch.uint8, device=keep.device)
    return (padded.reshape(*keep.shape[:-1], -1, 8) * weights).sum(-1, dtype=torch.uint8)


def unpack(bits: Tensor, size: int) -> Tensor:
    """The inverse of `pack`, for a vocabulary of `size` tokens."""
    places = torch.arange(8, dtype=torch.uint8, device=bits.device)
    return ((bits.unsqueeze(-1) >> places) & 1).flatten(-2)[..., :size].bool()
