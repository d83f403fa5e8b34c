"""Rewards, reckoned by hand: what each term gives, graded penalties, and means over tasks."""

from __future__ import annotations

import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.optimize.reward import is_valid, mean_terms, reward, run_terms, text_terms
from autoflow.records import Totals
from autoflow.study import Outcome, RewardSpec

ALL = RewardSpec(score=2.0, valid=0.5, tokens=0.1, steps=0.01, seconds=0.2, stopped=-0.25, errors=-0.75, no_steps=-3.0)


def outcome(score: float = 0.5, task: str = "a", stop: str = "terminal", **more: object) -> Outcome:
    return Outcome.model_validate({"candidate": 0, "task": task, "score": score, "stop": stop} | more)


def test_reward_is_the_mean_score_unless_told_otherwise() -> None:
    found = [outcome(0.25, "a"), outcome(1.0, "b"), outcome(0.0, "c", "max-steps")]
    assert reward(RewardSpec(), found) == pytest.approx(1.25 / 3)
    assert run_terms(RewardSpec(), found[0]) == {"score": 0.25}


def test_every_term_of_a_run_that_reached_its_end() -> None:
    run = outcome(0.5, steps=3, totals=Totals(prompt_tokens=1500, completion_tokens=500, seconds=4.0))
    terms = run_terms(ALL, run)
    assert terms == pytest.approx({"score": 1.0, "valid": 0.5, "tokens": -0.2, "steps": -0.03, "seconds": -0.8})
    assert reward(ALL, [run]) == pytest.approx(sum(terms.values()))


def test_terms_without_a_weight_are_left_out_and_a_score_may_count_nothing() -> None:
    spec = RewardSpec(score=0.0, steps=1.0)
    assert run_terms(spec, outcome(1.0, steps=2)) == {"steps": -2.0}


@pytest.mark.parametrize("stop", ["max-steps", "undecided", "model-error", "max-time", "tool-error"])
def test_run_that_stopped_early_gets_one_term_alone(stop: str) -> None:
    run = outcome(0.0, stop=stop, steps=9, totals=Totals(prompt_tokens=9000))
    assert run_terms(ALL, run) == {"stopped": -0.25}
    assert run_terms(RewardSpec(), run) == {"stopped": 0.0}


def test_text_with_errors_and_text_without_a_step_are_worth_less_the_worse_they_are() -> None:
    assert run_terms(ALL, outcome(stop="invalid-workflow")) == {"errors": -0.75}
    assert text_terms(ALL, no_steps=False) == {"errors": -0.75}
    assert text_terms(ALL, no_steps=True) == {"no steps": -3.0}
    spec = RewardSpec()
    assert spec.no_steps < spec.errors < spec.stopped <= reward(spec, [outcome(0.0)])


@pytest.mark.parametrize(
    ("run", "valid"),
    [
        (outcome(), True),
        (outcome(parts={"valid": 1.0}), True),
        (outcome(parts={"valid": 0.0}), False),
        (outcome(parts={"other": 0.0}), True),
        (outcome(stop="max-steps", parts={"valid": 1.0}), False),
    ],
)
def test_valid_is_an_end_with_an_answer_that_the_suite_can_use(run: Outcome, valid: bool) -> None:
    assert is_valid(run) is valid
    assert run_terms(RewardSpec(score=0, valid=1.0), run) == (
        {"valid": float(valid)} if run.stop == "terminal" else {"stopped": 0.0}
    )


def test_repeats_of_a_task_count_as_one_task() -> None:
    found = [outcome(1.0, "a", repeat=n) for n in range(9)] + [outcome(0.0, "b")]
    assert reward(RewardSpec(), found) == 0.5


def test_a_term_that_some_runs_lack_counts_as_nothing_there() -> None:
    spec = RewardSpec(stopped=-1.0)
    terms = mean_terms(spec, [outcome(1.0, "a"), outcome(0.0, "b", "max-steps")])
    assert terms == {"score": 0.5, "stopped": -0.5}


def test_no_outcomes_have_no_mean() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        reward(RewardSpec(), [])


runs = st.builds(
    outcome, st.floats(0, 1), st.sampled_from("abc"), st.sampled_from(["terminal", "max-steps", "invalid-workflow"]),
    steps=st.integers(0, 50),
    totals=st.builds(
        Totals, prompt_tokens=st.integers(0, 10**6), completion_tokens=st.integers(0, 10**6), seconds=st.floats(0, 1e4)
    ),
)  # fmt: skip


@given(st.lists(runs, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_terms_add_up_to_the_reward_in_whatever_order_the_runs_came(
    found: list[Outcome], chance: random.Random
) -> None:
    by_hand = mean(
        mean(sum(run_terms(ALL, o).values()) for o in found if o.task == task)
        for task in sorted({o.task for o in found})
    )
    assert reward(ALL, found) == pytest.approx(by_hand, abs=1e-9)
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert mean_terms(ALL, shuffled) == mean_terms(ALL, found)  # to the last bit: who is best must not depend on it
