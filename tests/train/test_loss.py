"""Baselines and KL against values by hand; what the loss must not see; parts that add up to the whole."""

from __future__ import annotations

import dataclasses
from math import log

import pytest
import torch
from torch import Tensor

from autoflow.train.loss import add_gradients, advantages, divergence
from autoflow.train.policy import Policy
from autoflow.train.sampling import Samples, sample
from autoflow.train.settings import SamplingSettings
from tests.train.seen import seen
from tests.train.tiny import ENDS, llama, policy, seeded

CUT = SamplingSettings(temperature=0.8, top_k=6, top_p=0.95, max_new_tokens=8)
PROMPTS = [[1, 2, 3, 4], [5]]


def drawn(ours: Policy) -> Samples:
    samples = sample(ours, PROMPTS, group=4, settings=CUT, ends=ENDS, generator=seeded(2))
    assert len({int(n) for n in samples.mask.sum(-1)}) > 2
    return samples


def gradients(ours: Policy, samples: Samples, micro_batch: int = 8, kl_weight: float = 0.1) -> dict[str, Tensor]:
    for weight in ours.trainable().values():
        weight.grad = None
    advantage = [1.0, -0.5, 0.25, 2.0, -1.0, 0.5, 0.1, -0.3]
    add_gradients(ours, samples, advantage, temperature=0.8, kl_weight=kl_weight, micro_batch=micro_batch)
    return {name: w.grad.clone() for name, w in ours.trainable().items() if w.grad is not None}


def test_baselines_by_hand() -> None:
    rewards = [1.0, 0.0, 0.5, 2.0, 2.0, 5.0]  # two groups of three
    assert advantages(rewards, group=3, baseline="leave-one-out") == pytest.approx([0.75, -0.75, 0, -1.5, -1.5, 3])
    assert advantages(rewards, group=3, baseline="group-mean") == pytest.approx([0.5, -0.5, 0, -1, -1, 2])
    assert advantages(rewards, group=3, baseline="running", running=0.5) == pytest.approx([0.5, -0.5, 0, 1.5, 1.5, 4.5])
    assert advantages([0.7], group=1, baseline="none", running=9.0) == [0.7]


def test_divergence_by_hand() -> None:
    ours, theirs = torch.tensor([0.5, 0.25, 0.25]).log(), torch.tensor([0.25, 0.25, 0.5]).log()
    assert float(divergence(ours, theirs, 1.0)) == pytest.approx(0.5 * log(2) + 0.25 * log(0.5))
    # temperature 0.5 squares what is likely: (4, 1, 1) / 6 and (1, 1, 4) / 6
    assert float(divergence(ours, theirs, 0.5)) == pytest.approx((4 * log(4) + 0 - log(4)) / 6)
    assert float(divergence(ours, ours, 1.0)) == 0


def test_kl_and_entropy_are_those_of_the_models_by_hand() -> None:
    ours = policy(9, dtype=torch.float64)
    samples, base = drawn(ours), llama(9, dtype=torch.float64)
    figures = seen(ours, samples, 0.8)
    row, tokens = 5, samples.tokens(5)
    with torch.no_grad():
        ids = torch.tensor([PROMPTS[1] + tokens])
        p = (ours.model(ids).logits[0, :-1] / 0.8).softmax(-1)
        q = (base(ids).logits[0, :-1] / 0.8).softmax(-1)
    torch.testing.assert_close(figures.kl[row, : len(tokens)], (p * (p / q).log()).sum(-1))
    assert (figures.kl[samples.mask == 1] > 1e-4).all()
    p = torch.where(p.argsort(-1, descending=True).argsort(-1) < 6, p, 0)  # top-k, then top-p of what it leaves
    p = p / p.sum(-1, keepdim=True)
    best, ids = p.sort(-1, descending=True)
    p = torch.zeros_like(p).scatter(-1, ids, torch.where(best.cumsum(-1) - best < 0.95, best, 0))
    p = p / p.sum(-1, keepdim=True)
    torch.testing.assert_close(figures.entropy[row, : len(tokens)], torch.special.entr(p).sum(-1))


def test_the_kl_of_a_fresh_adapter_is_zero_and_so_is_its_gradient() -> None:
    ours = policy(9, moved=False)
    samples = drawn(ours)
    assert seen(ours, samples, 0.8).kl.abs().max() < 1e-6


def test_the_gradient_of_kl_pulls_towards_the_base_model() -> None:
    ours = policy(9)
    samples = drawn(ours)
    before = seen(ours, samples, 0.8).kl.sum()
    for weight in ours.trainable().values():
        weight.grad = None
    add_gradients(ours, samples, [0.0] * 8, temperature=0.8, kl_weight=1.0, micro_batch=8)
    with torch.no_grad():
        for weight in ours.trainable().values():
            weight -= 0.002 * weight.grad
    assert seen(ours, samples, 0.8).kl.sum() < before


def test_tokens_after_the_end_change_nothing() -> None:
    ours = policy(9)
    samples = drawn(ours)
    noise = torch.randint(0, 9, samples.ids.shape, generator=seeded(7))
    other = dataclasses.replace(samples, ids=torch.where(samples.mask == 1, samples.ids, noise))
    assert not torch.equal(other.ids, samples.ids)
    first, second = gradients(ours, samples), gradients(ours, other)
    assert all(torch.equal(first[name], second[name]) for name in first)
    figures, again = (seen(ours, s, 0.8) for s in (samples, other))
    for field in ("logprobs", "kl", "entropy"):
        assert torch.equal(getattr(figures, field), getattr(again, field))
        assert (getattr(figures, field)[samples.mask == 0] == 0).all()


def test_the_end_token_itself_is_trained() -> None:
    ours = policy(9)
    samples = drawn(ours)
    row = int(samples.ended.nonzero()[0])
    mask = samples.mask.clone()
    mask[row, int(mask[row].sum()) - 1] = 0
    first, second = gradients(ours, samples), gradients(ours, dataclasses.replace(samples, mask=mask))
    assert any(not torch.allclose(first[name], second[name], atol=1e-4) for name in first)


@pytest.mark.parametrize("micro_batch", [1, 2, 3, 5])
def test_micro_batches_add_up_to_one_batch(micro_batch: int) -> None:
    ours = policy(9, dtype=torch.float64)
    samples = drawn(ours)
    whole, parts = gradients(ours, samples), gradients(ours, samples, micro_batch)
    for name in whole:
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-5, atol=1e-7)  # as layer norms are of float32


def test_recomputing_activations_gives_the_same_gradient() -> None:
    """With a dropout mask in place, which the second computation must meet again."""
    results, passes = [], []
    for checkpointing in (False, True):
        ours = policy(9, checkpointing=checkpointing, dropout=0.3)
        counted: list[None] = []
        with ours.thinned(seeded(1)):
            samples = drawn(ours)
            for name, module in ours.model.named_modules():
                if name.endswith("layers.0.self_attn"):
                    module.register_forward_hook(lambda *_, count=counted: count.append(None))
            results.append(gradients(ours, samples))
        passes.append(len(counted))
    for name in results[0]:
        torch.testing.assert_close(results[0][name], results[1][name])
    assert passes == [4, 6]  # policy and base for each of two prompts; on the way back the policy's once more


def test_the_base_model_gets_no_gradient_and_no_dropout_of_its_own_acts() -> None:
    ours = policy(9)
    gradients(ours, drawn(ours))
    assert all("lora_" in name for name in ours.trainable())
    assert all(p.grad is None for name, p in ours.model.named_parameters() if "lora_" not in name)
    assert not any(module.training for module in ours.model.modules())
