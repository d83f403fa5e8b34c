"""Completions that share what was read of their prompt: the same numbers as when each passes alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
)

from autoflow.train import loss, shared
from autoflow.train.loss import add_gradients
from autoflow.train.policy import Policy
from autoflow.train.sampling import Samples, sample
from autoflow.train.settings import AdapterSettings, SamplingSettings
from autoflow.train.shared import Growing, Remembered
from tests.train.seen import seen
from tests.train.tiny import ENDS, llama, policy, seeded

CUT = SamplingSettings(temperature=0.8, top_k=6, top_p=0.95, max_new_tokens=8)
PROMPTS = [[1, 2, 3, 4], [5]]  # one of a single token, before which nothing stands
ADVANTAGE = [1.0, -0.5, 0.25, 2.0, -1.0, 0.5, 0.1, -0.3]


def drawn(ours: Policy, limit: int = 8) -> Samples:
    how = CUT.model_copy(update={"max_new_tokens": limit})
    return sample(ours, PROMPTS, group=4, settings=how, ends=ENDS, generator=seeded(2))


def gradients(ours: Policy, samples: Samples, micro_batch: int) -> dict[str, Tensor]:
    for weight in ours.trainable().values():
        weight.grad = None
    add_gradients(ours, samples, ADVANTAGE, temperature=0.8, kl_weight=0.1, micro_batch=micro_batch)
    return {name: w.grad.clone() for name, w in ours.trainable().items() if w.grad is not None}


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "recomputed"])
@pytest.mark.parametrize("micro_batch", [1, 3, 8])
def test_the_gradient_is_that_of_completions_which_pass_each_with_its_prompt(
    micro_batch: int, checkpointing: bool
) -> None:
    ours = policy(9, dtype=torch.float64, checkpointing=checkpointing, dropout=0.3)
    plain = policy(9, dtype=torch.float64, checkpointing=checkpointing, dropout=0.3, sharing=False)
    assert (ours.shares, plain.shares) == (True, False)
    samples = drawn(ours)
    samples.mask[2, 1:] = 0  # of a completion of one token nothing is read
    with ours.thinned(seeded(1)), plain.thinned(seeded(1)):
        together, apart = gradients(ours, samples, micro_batch), gradients(plain, samples, 1)
    assert together.keys() == apart.keys()
    for name in apart:
        torch.testing.assert_close(together[name], apart[name], rtol=1e-5, atol=1e-6)


def test_the_same_tokens_are_drawn_with_the_same_log_probabilities() -> None:
    first, second = (drawn(policy(9, dtype=torch.float64, sharing=sharing), 30) for sharing in (True, False))
    assert torch.equal(first.ids, second.ids)
    torch.testing.assert_close(first.logprobs, second.logprobs, rtol=1e-9, atol=1e-9)


def test_a_completion_outgrows_the_room_made_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = drawn(policy(9, dtype=torch.float64), 30)
    assert whole.ids.shape[1] > 5
    monkeypatch.setattr(shared, "ROOM", 2)
    assert torch.equal(drawn(policy(9, dtype=torch.float64), 30).ids, whole.ids)


def test_a_completion_sees_nothing_of_its_neighbours() -> None:
    ours = policy(9, dtype=torch.float64)
    prompt, one, other, third = (torch.tensor(ids) for ids in ([1, 2, 3], [4, 5, 6], [7, 8, 1], [2, 2, 2, 2, 2]))
    with torch.no_grad():
        alone = ours.states_before(prompt, [one])
        beside = ours.states_before(prompt, [third, one, other])[5:8]
    torch.testing.assert_close(alone, beside, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (4, 1)], ids=["own", "pairs", "one"])
def test_growing_is_attention_over_everything_that_was_read(heads: tuple[int, int]) -> None:
    many, few = heads
    generator, size = seeded(), 8

    def random(rows: int, count: int, length: int) -> Tensor:
        return torch.randn(rows, count, length, size, generator=generator, dtype=torch.float64)

    prompt = Remembered()
    prompt.attend(0, random(1, many, 5), random(1, few, 5), random(1, few, 5), 0.3)
    growing = Growing(prompt, 3)
    keys, values = (x.expand(3, -1, -1, -1) for x in (prompt.keys[0], prompt.values[0]))
    for length in range(4):
        query, key, value = random(len(keys), many, 1), random(len(keys), few, 1), random(len(keys), few, 1)
        keys, values = torch.cat([keys, key], 2), torch.cat([values, value], 2)
        told = growing.attend(0, query, key, value, 0.3)
        growing.grown()
        each = [x.repeat_interleave(many // few, 1) for x in (keys, values)]
        by_hand = (query @ each[0].mT * 0.3).softmax(-1) @ each[1]
        torch.testing.assert_close(told, by_hand, rtol=1e-9, atol=1e-9)
        if length == 1:
            growing.keep(torch.tensor([0, 2]))
            keys, values = keys[[0, 2]], values[[0, 2]]


def test_logits_pass_the_head_in_pieces_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = policy(9, dtype=torch.float64)
    samples = drawn(ours)
    whole = gradients(ours, samples, 4)
    monkeypatch.setattr(loss, "ROOM", 9 * 2)
    pieces = gradients(ours, samples, 4)
    for name in whole:
        torch.testing.assert_close(pieces[name], whole[name], rtol=1e-9, atol=1e-12)


def gpt2() -> GPT2LMHeadModel:
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=9, n_embd=16, n_layer=2, n_head=2, n_positions=64, bos_token_id=None, eos_token_id=0)
    )


def narrow() -> MistralForCausalLM:
    """Its tokens see four tokens back and no further."""
    return MistralForCausalLM(
        MistralConfig(
            vocab_size=9, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, sliding_window=4, pad_token_id=None,
        )
    )  # fmt: skip


class Capped(LlamaForCausalLM):
    """Its logits are more than a matrix of its states."""

    def forward(self, *args: object, **options: object) -> object:
        out = super().forward(*args, **options)
        out.logits = 0.3 * torch.tanh(out.logits / 0.3)
        return out


def capped() -> Capped:
    return Capped(LlamaConfig(**llama(9).config.to_dict()))


@pytest.mark.parametrize("model", [narrow, capped])
def test_a_model_that_does_more_than_is_known_is_trained_without_sharing(model: Callable[[], PreTrainedModel]) -> None:
    ours = Policy(model(), AdapterSettings(dropout=0.0), checkpointing=False)
    assert not ours.shares
    samples = drawn(ours)
    torch.testing.assert_close(seen(ours, samples, 0.8).logprobs, samples.logprobs, rtol=1e-4, atol=1e-4)


def test_a_model_of_another_kind_shares_too() -> None:
    samples, gradient = [], []
    for sharing in (True, False):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            ours = Policy(gpt2(), AdapterSettings(targets=("c_attn",), dropout=0.0), sharing=sharing)
        assert ours.shares is sharing
        samples.append(drawn(ours))
        gradient.append(gradients(ours, samples[0], 8))
    assert torch.equal(samples[0].ids, samples[1].ids)
    for name in gradient[0]:
        torch.testing.assert_close(gradient[0][name], gradient[1][name], rtol=1e-3, atol=1e-5)
