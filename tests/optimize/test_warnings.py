"""Each warning on studies whose figures can be worked out by hand, and silence where there is nothing to say."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autoflow.optimize.view import StudyView
from autoflow.optimize.warnings import StudyWarning, warnings
from autoflow.records import Totals
from autoflow.study import (
    MANUAL,
    PLAIN,
    Candidate,
    Method,
    Outcome,
    Rating,
    RewardSpec,
    Split,
    Study,
    StudySpec,
    StudyStop,
    SuiteSpec,
)

VAL, TEST = ("v1", "v2", "v3", "v4"), ("t1", "t2", "t3", "t4")


def study(
    *, rounds: int = 1, best: int | None = None, stop: StudyStop | None = None, method: Method = "in-context"
) -> StudyView:
    """The manual workflow, the plain prompt, and a candidate of each of `rounds` rounds; nothing was run yet."""
    spec = StudySpec(
        method=method, suite=SuiteSpec(name="table"), generator="scripted:g", interpreter="scripted:i",
        reward=RewardSpec(),
    )  # fmt: skip
    splits: dict[Split, tuple[str, ...]] = {"train": (), "val": VAL, "test": TEST}
    texts = [(MANUAL, 0), (PLAIN, 0), *(("other words", n) for n in range(1, rounds + 1))]
    candidates = [
        Candidate(number=n, round=r, text="A:::terminal:::x:::\n", operator=o) for n, (o, r) in enumerate(texts)
    ]
    record = Study(id="st_000000000001", name="s", spec=spec, splits=splits, rounds=rounds, best=best, stop=stop)
    return StudyView(record, candidates)


def ran(
    view: StudyView, candidate: int, split: Split, scores: Sequence[float], answers: Sequence[str] | None = None,
    judge: int = 0,
) -> StudyView:  # fmt: skip
    tasks = VAL if split == "val" else TEST
    words = answers or ["an answer"] * len(scores)
    view.add(
        outcomes=[
            Outcome(candidate=candidate, task=task, split=split, score=score, stop="terminal", answer=answer,
                    judge=Totals(calls=judge))
            for task, score, answer in zip(tasks, scores, words, strict=True)
        ]
    )  # fmt: skip
    return view


def kinds(found: Sequence[StudyWarning]) -> list[str]:
    return [warning.kind for warning in found]


def test_a_study_without_runs_or_with_a_small_gain_is_not_warned_of() -> None:
    assert warnings(study()) == []
    view = study(best=2)
    ran(view, 0, "val", [0.2, 0.3, 0.4, 0.5])
    ran(view, 2, "val", [0.5, 0.6, 0.7, 0.8])
    ran(view, 2, "test", [0.45, 0.55, 0.7, 0.8])
    assert warnings(view) == []


class TestOverfit:
    def test_validation_far_above_test_is_told_with_both_scores(self) -> None:
        view = study(best=2)
        ran(view, 2, "val", [0.9, 0.8, 0.9, 0.8])
        ran(view, 2, "test", [0.6, 0.5, 0.7, 0.6])
        (found,) = warnings(view)
        assert found.kind == "overfit"
        assert (
            "Candidate 2 scores 0.85 on validation, by which it was chosen, but 0.60 on the sealed test."
            in found.message
        )

    @pytest.mark.parametrize(
        ("test", "told"),
        [
            # validation: mean 0.85, squared error 0.0033 / 4 = 0.00083; a gap is sure beyond two standard errors
            ((0.76, 0.76, 0.76, 0.76), False),  # a gap of 0.09 is sure (2 x 0.029 = 0.058), and not worth a word
            ((0.74, 0.74, 0.74, 0.74), True),  # 0.11
            ((1.0, 0.2, 1.0, 0.4), False),  # 0.20, but 2 x sqrt(0.0425 + 0.00083) = 0.42
        ],
    )  # fmt: skip
    def test_it_is_told_only_where_it_is_large_and_sure(self, test: Sequence[float], told: bool) -> None:
        view = study(best=2)
        ran(view, 2, "val", [0.9, 0.8, 0.9, 0.8])
        ran(view, 2, "test", test)
        assert kinds(warnings(view)) == ["overfit"] * told

    def test_a_test_that_is_harder_for_the_manual_workflow_as_well_is_said_to_be(self) -> None:
        view = study(best=2)
        for number, val, test in ((0, 0.5, 0.3), (2, 0.9, 0.6)):
            ran(view, number, "val", [val] * 4)
            ran(view, number, "test", [test] * 4)
        (found,) = warnings(view)
        assert "The manual workflow falls as well, from 0.50 to 0.30: these test tasks are harder." in found.message

    def test_nothing_is_said_before_the_test_was_opened(self) -> None:
        assert warnings(ran(study(), 2, "val", [1.0] * 4)) == []


class TestShrinking:
    def test_reward_up_while_answers_shrink_is_told_with_the_ones_that_shrank_most(self) -> None:
        view = study()
        ran(view, 0, "val", [0.2] * 4, ["a" * 100] * 4)
        ran(view, 2, "val", [0.6] * 4, ["b" * 10, "b" * 20, "b" * 60, "b" * 90])
        (found,) = warnings(view)
        assert found.kind == "shrinking"  # the median of 0.1, 0.2, 0.6 and 0.9 is 0.4
        assert "The reward rose by 0.40 from candidate 0 (manual workflow) to candidate 2" in found.message
        assert "answers shrank to 40% of their length" in found.message
        assert [(e.task, len(e.before), len(e.after)) for e in found.examples] == [
            ("v1", 100, 10), ("v2", 100, 20), ("v3", 100, 60),
        ]  # fmt: skip
        assert found.examples[0].names == ("candidate 0", "candidate 2")

    @pytest.mark.parametrize(
        ("scores", "length"),
        [(0.2, 10), (0.1, 10), (0.6, 60)],  # no gain; a loss; a gain with answers of 60 %
    )
    def test_it_is_not_told_without_a_gain_or_where_answers_kept_their_length(self, scores: float, length: int) -> None:
        view = study(best=2)
        ran(view, 0, "val", [0.2] * 4, ["a" * 100] * 4)
        ran(view, 2, "val", [scores] * 4, ["b" * length] * 4)
        assert warnings(view) == []

    def test_runs_that_came_to_no_answer_are_left_out(self) -> None:
        view = study(best=2)
        ran(view, 0, "val", [0.2] * 4, ["a" * 100, "", "", "a" * 100])
        ran(view, 2, "val", [0.6] * 4, ["b"] * 4)
        assert warnings(view) == []  # two tasks are too few


class TestNoGain:
    @pytest.mark.parametrize(("rounds", "told"), [(2, False), (3, True), (5, True)])
    def test_three_rounds_that_beat_no_first_candidate_are_told(self, rounds: int, told: bool) -> None:
        view = ran(study(rounds=rounds), 1, "val", [0.5] * 4)
        found = warnings(view)
        assert kinds(found) == ["no-gain"] * told
        if told:
            assert f"{rounds} rounds found nothing better than candidate 1 (plain prompt)." in found[0].message

    def test_rounds_are_counted_from_the_last_gain(self) -> None:
        view = ran(study(rounds=5), 1, "val", [0.5] * 4)
        ran(view, 3, "val", [0.6] * 4)  # of round 2
        (found,) = warnings(view)
        assert "The last 3 rounds found nothing better than candidate 3." in found.message
        ran(view, 4, "val", [0.7] * 4)  # of round 3
        assert warnings(view) == []

    def test_a_perfect_one_cannot_be_bettered(self) -> None:
        assert warnings(ran(study(rounds=5, stop="perfect"), 1, "val", [1.0] * 4)) == []


class TestJudge:
    def ratings(self, *values: float) -> list[Rating]:
        places = [(0, task) for task in VAL] + [(1, task) for task in VAL]
        return [Rating(candidate=c, task=t, value=v, rater="person") for (c, t), v in zip(places, values, strict=False)]

    def judged(self, judge: int = 1) -> StudyView:
        view = ran(study(), 0, "val", [0.0, 0.25, 0.5, 0.75], judge=judge)
        return ran(view, 1, "val", [1.0, 0.0, 0.25, 0.5], judge=judge)

    def test_a_judge_that_orders_answers_the_other_way_is_told_with_the_worst_cases(self) -> None:
        found = warnings(self.judged(), self.ratings(1.0, 0.75, 0.5, 0.25, 0.0))
        assert kinds(found) == ["judge"]
        assert "on the 5 answers that both rated" in found[0].message
        assert "rank correlation -1.00" in found[0].message  # 0, .25, .5, .75, 1 against 1, .75, .5, .25, 0
        assert "0.60 off on average" in found[0].message  # (1 + 0.5 + 0 + 0.5 + 1) / 5
        assert [(e.task, e.after) for e in found[0].examples] == [
            ("v1", "The judge gave 0.00, people gave 1.00."),
            ("v1", "The judge gave 1.00, people gave 0.00."),
            ("v2", "The judge gave 0.25, people gave 0.75."),
        ]

    def test_a_judge_that_agrees_or_was_checked_too_little_is_not_told(self) -> None:
        assert warnings(self.judged(), self.ratings(0.0, 0.25, 0.5, 0.75, 1.0)) == []
        assert warnings(self.judged(), self.ratings(1.0, 0.75, 0.5, 0.25)) == []

    def test_answers_that_no_judge_scored_are_not_held_against_it(self) -> None:
        assert warnings(self.judged(judge=0), self.ratings(1.0, 0.75, 0.5, 0.25, 0.0)) == []


def test_a_comparison_searches_nothing_and_is_not_warned_of() -> None:
    view = study(method="evaluate", rounds=5)
    ran(view, 0, "val", [0.5] * 4)
    assert warnings(view) == []
