"""Layers that multiply in bfloat16: which they are, and that what is trained stays near what float32 trains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoflow.train.loss import add_gradients
from autoflow.train.policy import HalfLinear, Policy
from autoflow.train.sampling import sample
from autoflow.train.settings import SamplingSettings
from tests.train.seen import seen
from tests.train.tiny import ENDS, policy, seeded

HOW = SamplingSettings(top_k=0, top_p=1.0, max_new_tokens=8)
ADVANTAGE = [1.0, -0.5, 0.25, 2.0, -1.0, 0.5, 0.1, -0.3]


def gradient(ours: Policy) -> Tensor:
    """Of the same samples for both."""
    samples = sample(policy(9), [[1, 2, 3]], group=8, settings=HOW, ends=ENDS, generator=seeded(2))
    add_gradients(ours, samples, ADVANTAGE, temperature=1.0, kl_weight=0.1, micro_batch=4)
    return torch.cat([w.grad.flatten() for w in ours.trainable().values() if w.grad is not None])


def test_a_frozen_layer_is_halved_and_head_and_adapter_are_not() -> None:
    ours = policy(9, half=True)
    kinds = {name: type(m) for name, m in ours.model.named_modules() if isinstance(m, nn.Linear | HalfLinear)}
    exact = {name for name, kind in kinds.items() if kind is nn.Linear}
    assert all("lora_" in name or name.endswith("lm_head") for name in exact)
    assert len(kinds) - len(exact) == 2 * 7  # of two layers: four of attention, three behind it
    assert all(weight.dtype is torch.float32 for weight in ours.trainable().values())
    assert ours.shares


def test_a_halved_layer_gives_what_the_layer_gave_but_for_rounding() -> None:
    layer = nn.Linear(64, 32)
    x = torch.randn(5, 64, generator=seeded())
    exact, rounded = layer(x), HalfLinear(layer)(x)
    assert rounded.dtype is torch.float32
    assert 1e-5 < float((exact - rounded).abs().max()) < 0.02


def test_the_gradient_points_where_that_of_float32_points() -> None:
    exact, rounded = gradient(policy(9)), gradient(policy(9, half=True))
    assert not torch.equal(exact, rounded)
    assert float(torch.cosine_similarity(exact, rounded, dim=0)) > 0.98


def test_what_was_drawn_is_near_what_the_update_sees() -> None:
    ours = policy(9, half=True)
    samples = sample(ours, [[1, 2, 3]], group=8, settings=HOW, ends=ENDS, generator=seeded(2))
    assert float((seen(ours, samples, 1.0).logprobs - samples.logprobs).abs().max()) < 0.05
