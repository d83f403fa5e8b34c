"""A training as a whole: it learns, stands still at rate 0, says what it measured, and notices that it collapsed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from pydantic import ValidationError

from autoflow.errors import TrainingError
from autoflow.train.policy import Policy
from autoflow.train.settings import PAPER, AdapterSettings, SamplingSettings, TrainSettings
from autoflow.train.state import TrainState, collapse
from autoflow.train.step import StepResult, rate
from autoflow.train.trainer import Trainer
from tests.train.tiny import llama
from tests.train.trainings import SETTINGS, share_of_b, trainer


def changed(**changes: object) -> TrainSettings:
    return TrainSettings.model_validate({**SETTINGS.model_dump(), **changes})


def weights(ours: Trainer) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in ours.policy.model.named_parameters()}


def run(settings: TrainSettings) -> tuple[Trainer, list[StepResult]]:
    results: list[StepResult] = []
    ours = trainer(settings=settings)
    ours.train(results.append)
    return ours, results


def mean_reward(results: Sequence[StepResult]) -> float:
    return sum(r.figures.reward_mean for r in results) / len(results)


@pytest.mark.parametrize("baseline", ["leave-one-out", "group-mean", "running"])
def test_a_share_of_a_token_is_learned(baseline: str) -> None:
    _, results = run(changed(steps=40, group=32, accumulate=1, micro_batch=32, baseline=baseline, learning_rate=0.05))
    assert mean_reward(results[:3]) < 0.2
    assert mean_reward(results[-5:]) > 0.6


def test_learning_rate_0_changes_nothing() -> None:
    ours = trainer(settings=changed(learning_rate=0.0, weight_decay=0.1))
    before = weights(ours)
    ours.train()
    after = weights(ours)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_only_the_adapter_changes() -> None:
    ours = trainer()
    before = weights(ours)
    ours.train()
    moved = {name for name, p in weights(ours).items() if not torch.equal(p, before[name])}
    assert moved == set(ours.policy.trainable())


def test_a_heavy_kl_holds_the_model_where_it_was() -> None:
    free, held = (run(changed(steps=25, kl_weight=weight, learning_rate=0.02))[1][-1].figures for weight in (0.0, 20.0))
    assert held.kl < 0.2 * free.kl


def test_figures_say_what_was_measured() -> None:
    ours, results = run(SETTINGS)
    for number, result in enumerate(results):
        figures, samples = result.figures, result.samples
        rewards = [s.reward for s in samples]
        assert figures.step == number + 1
        assert rewards == share_of_b([s.text for s in samples])
        assert figures.reward_mean == pytest.approx(sum(rewards) / 6)
        assert figures.reward_best == max(rewards)
        assert figures.length == pytest.approx(sum(s.tokens for s in samples) / 6)
        assert figures.ended == pytest.approx(sum(s.ended for s in samples) / 6)
        assert figures.distinct == len({s.text for s in samples})
        assert sum(s.advantage for s in samples) == pytest.approx(0, abs=1e-9)
        assert figures.drift < 1e-4
        assert figures.entropy > 0
        assert figures.peak_memory_bytes > 50e6
        assert figures.seconds >= figures.sampling_s + figures.update_s
    assert results[0].figures.kl == pytest.approx(0, abs=1e-6)
    assert results[-1].figures.kl > 1e-6
    assert ours.state.step == SETTINGS.steps


def test_the_rate_rises_linearly_and_stays() -> None:
    rates = [rate(changed(learning_rate=0.4, warmup=4), step) for step in range(6)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert rate(changed(learning_rate=0.4, warmup=0), 0) == 0.4


def test_the_running_baseline_is_of_earlier_steps_only() -> None:
    settings = changed(group=1, accumulate=1, baseline="running", baseline_decay=0.5, steps=3)
    _, results = run(settings)
    r = [result.figures.reward_mean for result in results]
    expected = [r[0], r[1] - r[0], r[2] - (r[0] + r[1]) / 2]
    assert [result.samples[0].advantage for result in results] == pytest.approx(expected)


def test_a_model_that_says_one_thing_only_is_stopped_with_a_word_on_what_to_change() -> None:
    greedy = {**SETTINGS.sampling.model_dump(), "top_k": 1}
    settings = changed(sampling=greedy, steps=30, accumulate=1, collapse_steps=4, learning_rate=0.0)
    ours = trainer(settings=settings)
    ours.work = ours.work.__class__([[1, 2]], share_of_b, ours.work.decode, ours.work.ends)
    reason = ours.train()
    assert ours.state.step == 4
    assert reason is not None
    assert "the same text" in reason
    assert "raise the temperature (1)" in reason


def test_one_text_a_step_but_another_each_time_is_no_collapse() -> None:
    settings, state = changed(collapse_steps=2), TrainState()
    _, results = run(changed(steps=1))
    for text in ("a", "b", "a"):
        state = state.after(settings, [text] * 6, 0.0)
        assert collapse(settings, state, results[0].figures) is None
    assert collapse(settings, state.after(settings, ["a"] * 6, 0.0), results[0].figures) is not None
    assert collapse(settings, state.after(settings, ["a"] * 5 + ["b"], 0.0), results[0].figures) is None


def test_a_runaway_is_stopped_with_a_word_on_what_to_change() -> None:
    reason = trainer(settings=changed(steps=200, learning_rate=0.5, kl_weight=0.0, kl_limit=0.5)).train()
    assert reason is not None
    assert "run away" in reason
    assert "Lower the learning rate (0.5)" in reason


@pytest.mark.parametrize("rewards", [[0.0], [math.nan] * 6, [math.inf] * 6])
def test_a_reward_that_is_no_number_for_each_text_is_refused(rewards: list[float]) -> None:
    ours = trainer(reward=lambda texts: rewards)
    with pytest.raises(TrainingError, match="reward of step 1 must be 6 finite numbers"):
        ours.step()


def test_a_model_without_such_layers_is_refused() -> None:
    with pytest.raises(TrainingError, match="no layers of the names c_attn"):
        Policy(llama(), AdapterSettings(targets=("c_attn",)))


def test_a_baseline_of_a_group_needs_a_group() -> None:
    with pytest.raises(ValidationError, match="got group=1"):
        TrainSettings(group=1)


def test_the_paper_preset_is_as_published() -> None:
    assert (PAPER.group, PAPER.accumulate, PAPER.samples) == (1, 1, 1)
    assert PAPER.adapter == AdapterSettings(r=8, alpha=16, dropout=0.05, targets=("q_proj", "v_proj"))
    assert PAPER.sampling == SamplingSettings(temperature=1.0, top_p=0.9, top_k=40, max_new_tokens=1024)
    ours, _ = run(changed(**{**PAPER.model_dump(), "steps": 2, "sampling": SETTINGS.sampling}))
    assert ours.state.step == 2
