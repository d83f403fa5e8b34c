"""What is drawn, and that its log-probabilities are those of a whole pass over the same tokens."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from autoflow.train.sampling import Samples, sample
from autoflow.train.settings import SamplingSettings
from autoflow.train.truncation import kept, log_probabilities, pack, unpack
from tests.train.seen import seen
from tests.train.tiny import ENDS, policy, seeded

PROMPTS = [[1, 2], [3, 1, 4, 2, 2], [2]]
FREE = SamplingSettings(top_p=1.0, top_k=0, max_new_tokens=12)
CUT = SamplingSettings(temperature=0.7, top_p=0.8, top_k=5, max_new_tokens=12)


def no_repeats(row: int, tokens: Sequence[int]) -> Tensor:
    allowed = torch.ones(9, dtype=torch.bool)
    if tokens:
        allowed[tokens[-1]] = False
    return allowed


def draw(ours: object, settings: SamplingSettings, seed: int = 0, constraint: object = None) -> Samples:
    return sample(
        ours,
        PROMPTS,
        group=4,
        settings=settings,
        ends=ENDS,
        generator=seeded(seed),
        constraint=constraint,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("constraint", [None, no_repeats], ids=["free", "constrained"])
@pytest.mark.parametrize("settings", [FREE, CUT], ids=["whole", "cut"])
@pytest.mark.parametrize("sharing", [True, False], ids=["shared", "repeated"])
def test_log_probabilities_are_those_of_a_whole_pass_without_cache_and_padding(
    sharing: bool, settings: SamplingSettings, constraint: object
) -> None:
    ours = policy(9, dtype=torch.float64, sharing=sharing)
    samples = draw(ours, settings, constraint=constraint)
    assert len({int(n) for n in samples.mask.sum(-1)}) > 2  # some ended early and left the batch
    for row in range(len(samples)):
        prompt, tokens = PROMPTS[row // 4], samples.tokens(row)
        with torch.no_grad():
            logits = ours.model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1]  # (T, V)
        allowed = None
        if constraint:
            allowed = torch.stack([no_repeats(row, tokens[:n]) for n in range(len(tokens))])
        by_hand = log_probabilities(logits, settings.temperature, kept(logits, settings, allowed))
        expected = by_hand.gather(-1, torch.tensor(tokens)[:, None])[:, 0]
        torch.testing.assert_close(samples.logprobs[row, : len(tokens)], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_update_sees_the_distribution_that_was_drawn_from_with_dropout_too(dropout: float) -> None:
    ours = policy(9, dtype=torch.float64, dropout=dropout)
    with ours.thinned(seeded(3)):
        samples = draw(ours, CUT)
        again = seen(ours, samples, CUT.temperature)
        torch.testing.assert_close(again.logprobs, samples.logprobs, rtol=1e-9, atol=1e-9)
    if dropout:
        whole = seen(ours, samples, CUT.temperature).logprobs
        assert not torch.allclose(whole, samples.logprobs, atol=1e-3)


def test_a_completion_ends_with_its_end_token_or_at_the_limit() -> None:
    samples = draw(policy(9), FREE)
    for row in range(len(samples)):
        tokens = samples.tokens(row)
        assert bool(samples.ended[row]) == (tokens[-1] in ENDS)
        assert not set(tokens[:-1]) & ENDS
        assert samples.ended[row] or len(tokens) == FREE.max_new_tokens


def test_a_constraint_is_kept() -> None:
    samples = draw(policy(9), FREE, constraint=no_repeats)
    for row in range(len(samples)):
        tokens = samples.tokens(row)
        assert all(a != b for a, b in itertools.pairwise(tokens))


def test_the_same_seed_draws_the_same_and_another_draws_other() -> None:
    ours = policy(9)
    first, again, other = draw(ours, CUT), draw(ours, CUT), draw(ours, CUT, seed=1)
    assert torch.equal(first.ids, again.ids)
    assert torch.equal(first.logprobs, again.logprobs)
    assert first.ids.shape != other.ids.shape or not torch.equal(first.ids, other.ids)


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    ours = policy(9)
    once = CUT.model_copy(update={"max_new_tokens": 1})
    samples = sample(ours, [[1, 2]], group=4000, settings=once, ends=ENDS, generator=seeded())
    with torch.no_grad():
        logits = ours.model(torch.tensor([[1, 2]])).logits[:, -1]
    expected = log_probabilities(logits, once.temperature, kept(logits, once))[0].exp()
    share = torch.bincount(samples.ids[:, 0], minlength=9) / 4000
    assert (share[expected == 0] == 0).all()
    assert ((share - expected).abs() <= 4 * (expected * (1 - expected) / 4000).sqrt()).all()


def test_top_k_then_top_p_by_hand() -> None:
    logits = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log()
    assert kept(logits, SamplingSettings(top_k=0, top_p=1.0)) is None

    def of(**changes: float) -> list[bool]:
        keep = kept(logits, SamplingSettings.model_validate({"top_k": 0, "top_p": 1.0, **changes}))
        assert keep is not None
        return keep[0].tolist()

    assert of(top_k=2) == [True, True, False, False]
    assert of(top_p=0.65) == [True, True, False, False]  # 0.4 is too little, 0.4 + 0.3 enough
    assert of(top_p=0.75) == [True, True, True, False]
    assert of(top_k=3, top_p=0.75) == [True, True, False, False]  # of the three, the first two hold 0.7 / 0.9
    assert of(top_p=0.01) == [True, False, False, False]
    allowed = torch.tensor([[False, True, False, True]])
    assert kept(logits, SamplingSettings(top_k=3, top_p=1.0), allowed)[0].tolist() == [False, True, False, True]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 49])
def test_bits_unpack_to_what_was_packed(size: int) -> None:
    keep = torch.rand(3, 2, size, generator=seeded()) < 0.5
    bits = pack(keep)
    assert bits.shape == (3, 2, -(-size // 8))
    assert torch.equal(unpack(bits, size), keep)
