"""The policy gradient against the exact one, of a model small enough to write down all that it can say.

Tolerances are those of float32, in which the layer norms of the model compute whatever the dtype of its weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from autoflow.train.loss import add_gradients, advantages
from autoflow.train.policy import Policy
from autoflow.train.sampling import Samples, left_padded, sample
from autoflow.train.settings import Baseline, SamplingSettings
from autoflow.train.truncation import pack
from tests.train.enumeration import PROMPT, Completion, completions, exact_gradient
from tests.train.tiny import ENDS, policy, seeded

WHOLE = SamplingSettings(top_k=0, top_p=1.0, max_new_tokens=3)
CUT = SamplingSettings(temperature=1.5, top_k=4, top_p=0.9, max_new_tokens=3)
WAYS = pytest.mark.parametrize("how", [WHOLE, CUT], ids=["whole", "cut"])


def reward(tokens: tuple[int, ...]) -> float:
    return tokens.count(3) - 0.5 * tokens.count(1) + 0.3 * len(tokens) + 1.0


def batch(found: Sequence[Completion]) -> Samples:
    """Completions as if they had been drawn."""
    longest = max(len(c.tokens) for c in found)
    ids = torch.tensor([list(c.tokens) + [4] * (longest - len(c.tokens)) for c in found])
    mask = torch.tensor([[1] * len(c.tokens) + [0] * (longest - len(c.tokens)) for c in found])
    anything = torch.ones(5, dtype=torch.bool)
    keep = torch.stack([torch.stack([*c.keeps, *[anything] * (longest - len(c.keeps))]) for c in found])
    prompt, prompt_mask = left_padded([PROMPT] * len(found), torch.device("cpu"))
    zeros = torch.zeros(ids.shape, dtype=torch.float64)
    return Samples(prompt, prompt_mask, ids, mask, zeros, pack(keep), mask[:, -1] == 0)


def gradient(ours: Policy, samples: Samples, advantage: Sequence[float], how: SamplingSettings) -> Tensor:
    """Of the mean reward, upwards: the loss goes down where the reward goes up."""
    for weight in ours.trainable().values():
        weight.grad = None
    add_gradients(ours, samples, advantage, temperature=how.temperature, kl_weight=0, micro_batch=len(samples))
    return -torch.cat([w.grad.flatten() for w in ours.trainable().values() if w.grad is not None])


@WAYS
def test_all_completions_weighted_by_their_probability_give_the_exact_gradient(how: SamplingSettings) -> None:
    ours = policy(dtype=torch.float64, checkpointing=False)
    found = completions(ours, how)
    assert len(found) > 15
    assert float(sum(c.probability for c in found)) == pytest.approx(1, abs=1e-12)
    weighted = [len(found) * float(c.probability) * reward(c.tokens) for c in found]
    exact = exact_gradient(ours, how, reward)
    assert exact.norm() > 0.01
    torch.testing.assert_close(
        gradient(ours, batch(found), weighted, how), exact, rtol=1e-4, atol=1e-5 * float(exact.norm())
    )


@WAYS
def test_a_constant_reward_has_no_gradient_so_that_a_baseline_may_be_subtracted(how: SamplingSettings) -> None:
    ours = policy(dtype=torch.float64, checkpointing=False)
    found = completions(ours, how)
    weighted = [len(found) * float(c.probability) for c in found]
    assert gradient(ours, batch(found), weighted, how).abs().max() < 1e-5


@pytest.mark.parametrize("baseline", ["leave-one-out", "none"])
@WAYS
def test_the_mean_over_many_draws_is_the_exact_gradient(how: SamplingSettings, baseline: Baseline) -> None:
    """60 independent estimates from groups of 64: their mean within its standard error, in every direction."""
    ours = policy(dtype=torch.float64, checkpointing=False)
    exact = exact_gradient(ours, how, reward)
    estimates = _estimates(ours, how, baseline)
    mean, error = estimates.mean(0), estimates.std(0) / len(estimates) ** 0.5
    z = (mean - exact) / error.clamp(min=1e-12)
    assert z.abs().max() < 4.5  # of some hundred weights
    along = estimates @ exact / exact.norm() ** 2  # 1 where the estimate is right
    assert abs(along.mean() - 1) < 4 * along.std() / 60**0.5
    assert along.std() / 60**0.5 < 0.1  # and the test can tell 1 from 0.5


def _estimates(ours: Policy, how: SamplingSettings, baseline: Baseline) -> Tensor:
    """(60, weights): the gradients of 60 groups of 64."""
    samples = sample(ours, [PROMPT] * 60, group=64, settings=how, ends=ENDS, generator=seeded(5))
    rewards = [reward(tuple(samples.tokens(row))) for row in range(len(samples))]
    advantage = advantages(rewards, group=64, baseline=baseline)
    starts = range(0, len(samples), 64)
    return torch.stack([gradient(ours, samples.part(s, s + 64), advantage[s : s + 64], how) for s in starts])


def test_ignoring_the_truncation_would_give_another_gradient() -> None:
    """The test above can fail: log-probabilities over the whole vocabulary are not those of what was drawn."""
    ours = policy(dtype=torch.float64, checkpointing=False)
    found = completions(ours, CUT)
    weighted = [len(found) * float(c.probability) * reward(c.tokens) for c in found]
    samples = batch(found)
    naive = Samples(
        samples.prompt_ids, samples.prompt_mask, samples.ids, samples.mask, samples.logprobs, None, samples.ended
    )
    exact = exact_gradient(ours, CUT, reward)
    assert (gradient(ours, naive, weighted, CUT) - exact).norm() > 0.05 * exact.norm()


def test_leave_one_out_has_less_variance_than_no_baseline() -> None:
    ours = policy(dtype=torch.float64, checkpointing=False)
    with_baseline, without = (_estimates(ours, WHOLE, b).var(0).sum() for b in ("leave-one-out", "none"))
    assert with_baseline < 0.7 * without
