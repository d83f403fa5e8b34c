"""What a training has come to: shares of its samples, and the signs of one that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autoflow.optimize.training_view import TrainingPoint, best_step, in_words, point_of, signs, told
from autoflow.store import open_store
from autoflow.study import StudySample, TrainingStep
from autoflow.train.settings import TrainSettings
from tests.training import trained
from tests.trainings import new_training

Samples = list[dict[str, Any]]
ERROR = {"text": "prose", "error": "There is no step."}
COPY = {"text": "copy", "copied": True}
RAN = {"text": "ran", "candidate": 2, "score": 0.6, "reached": 0.5}
RAN_BADLY = {"text": "ran badly", "candidate": 3, "score": 0.2, "reached": 1.0}
LOOPS = {"text": "loops", "candidate": 4, "score": 0.0, "reached": 0.0}
WAITS = {"text": "waits"}


def step(number: int, samples: Samples, **figures: float) -> TrainingStep:
    base = {"reward": 0.0, "advantage": 0.0, "tokens": 5, "ended": True}
    made = trained(number, samples=[StudySample.model_validate(base | one) for one in samples])
    return made.model_copy(update={"figures": made.figures.model_copy(update=figures)})


def points(count: int, samples: Samples = [ERROR, RAN], **figures: float) -> list[TrainingPoint]:  # noqa: B006
    """Steps that nothing is to be said of, but for the `figures`."""
    fine = {"kl": 0.1, "drift": 0.0, "ended": 1.0, "reward_spread": 0.4, "distinct": len({s["text"] for s in samples})}
    return [point_of(step(n, samples, **fine | figures)) for n in range(1, count + 1)]


def titles(found: list[TrainingPoint], **settings: Any) -> list[str]:
    return [sign.title for sign in signs(found, TrainSettings(**settings))]


@pytest.mark.parametrize(
    ("samples", "sound", "counts", "runs", "score"),
    [
        ([ERROR, ERROR], 0.0, 0.0, 0.0, None),
        ([ERROR, COPY], 0.5, 0.0, 0.0, None),
        ([ERROR, COPY, RAN, RAN_BADLY], 0.75, 0.5, 0.375, 0.4),
        ([WAITS, ERROR], 0.5, 0.5, None, None),
        ([RAN, RAN], 1.0, 1.0, 0.5, 0.6),
        ([], 0.0, 0.0, 0.0, None),
    ],
)
def test_shares_are_of_all_samples_and_the_score_of_those_that_were_run(
    samples: Samples, sound: float, counts: float, runs: float | None, score: float | None
) -> None:
    found = point_of(step(1, samples))
    assert (found.sound, found.counts, found.runs) == (sound, counts, runs)
    assert found.score == pytest.approx(score)


def test_the_last_step_is_told_in_words_and_for_programs() -> None:
    found = [point_of(step(1, [ERROR], reward_mean=0.5)), point_of(step(2, [RAN, ERROR], reward_mean=-0.25))]
    assert in_words(found[-1]) == (
        "reward −0.25, best sample 0.50; 50 % without errors, 50 % count, 25 % run to an end; score 0.60"
    )
    last = told(found)
    assert last is not None
    assert (last["step"], last["best_step"], last["best_reward_mean"]) == (2, 1, 0.5)
    assert (last["without_errors"], last["run_to_an_end"], last["score"]) == (0.5, 0.25, 0.6)
    assert (told(points(1, kl=1.5)) or {})["signs"]
    assert (told(points(1, kl=1.5), ended=True) or {})["signs"] == []
    assert (told([]), best_step([])) == (None, None)


def test_nothing_is_said_of_a_training_that_goes_well_or_has_ended() -> None:
    assert titles(points(30)) == []
    ended = [point_of(step(1, [ERROR], kl=9.0).model_copy(update={"ending": "It ran away."}))]
    assert signs(ended) == []


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (lambda: points(2, [RAN, RAN], reward_spread=0.0), "Every sample is the same text"),
        (lambda: points(1, kl=1.2), "The model runs away from its base"),
        (lambda: points(3, [RAN] * 7 + [ERROR]), "Samples grow alike"),
        (lambda: points(3, reward_spread=0.0), "All samples earn the same"),
        (lambda: points(5, [ERROR, LOOPS]), "No run comes to an answer"),
        (lambda: points(3, ended=0.3), "Most samples are cut off"),
        (lambda: points(1, drift=0.5), "Drawing and learning disagree"),
    ],
)
def test_each_thing_that_goes_wrong_has_its_sign(found: Callable[[], list[TrainingPoint]], title: str) -> None:
    assert titles(found()) == [title]


def test_runs_that_end_now_and_then_are_no_sign() -> None:
    some = [*points(4, [ERROR, LOOPS]), point_of(step(5, [LOOPS, RAN], kl=0, drift=0, ended=1))]
    assert titles(some) == []
    assert titles(points(5, [ERROR, WAITS])) == []  # nothing was run yet
    assert titles(points(5, [ERROR, COPY])) == []


def test_one_sample_a_step_is_alike_only_where_steps_are() -> None:
    """A batch of one has one text and no spread at every step."""
    different = [point_of(step(n, [{**RAN, "text": f"text {n}"}], kl=0, drift=0, ended=1)) for n in range(1, 9)]
    assert titles(different) == []
    assert titles(points(3, [RAN], reward_spread=0.0)) == ["Every sample is the same text"]


def test_a_reward_that_was_gained_and_lost_is_told_and_one_that_jumps_is_not() -> None:
    def rewards(*values: float, spread: float = 0.1) -> list[TrainingPoint]:
        made = points(len(values), reward_spread=spread)
        return [point_of(step(p.step, [ERROR, RAN], kl=0, drift=0, ended=1, reward_spread=spread, reward_mean=value))
                for p, value in zip(made, values, strict=True)]  # fmt: skip

    risen = [n / 10 for n in range(10)]
    assert titles(rewards(*risen, *[0.1] * 5)) == ["The reward has fallen"]
    assert titles(rewards(*risen, *[0.8] * 5)) == []
    assert titles(rewards(*risen, *[0.1] * 5, spread=3.0)) == []  # no more than chance
    assert titles(rewards(*reversed(risen))) == []  # nothing had been gained


def test_limits_are_those_of_the_training() -> None:
    assert titles(points(1, kl=1.2), kl_limit=5.0) == []
    assert "After 3 such steps" in signs(points(2, [RAN, RAN]), TrainSettings(collapse_steps=3))[0].message


def test_a_training_of_many_steps_is_read_from_its_store() -> None:
    store = open_store()
    writer = new_training(store, steps=30)
    for number in range(1, 31):
        writer.train(number)
    found = [point_of(one) for one in store.training_steps(writer.study.id)]
    assert [p.step for p in found] == list(range(1, 31))
    assert found[-1].counts > found[0].counts
    assert all(p.counts <= p.sound and (p.runs or 0.0) <= p.counts for p in found)
    assert [p.step for p in map(point_of, store.training_steps(writer.study.id, after=28))] == [29, 30]
