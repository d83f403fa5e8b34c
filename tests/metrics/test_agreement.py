"""Judge and people: pairs, correlation against scipy, and when a warning is due."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from autoflow.metrics.agreement import agreement, rated_pairs, spearman
from autoflow.records import Totals
from autoflow.study import Outcome, Rating

GRADES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
JUDGED = Totals(calls=1)


def outcome(
    candidate: int, task: str, score: float, repeat: int = 0, judge: Totals = JUDGED, error: str = ""
) -> Outcome:
    return Outcome(
        candidate=candidate, task=task, repeat=repeat, score=score, stop="terminal", judge=judge, error=error
    )  # fmt: skip


def rating(candidate: int, task: str, value: float, rater: str = "a", repeat: int = 0) -> Rating:
    return Rating(candidate=candidate, task=task, value=value, rater=rater, repeat=repeat)


@settings(deadline=None)
@given(st.lists(st.tuples(GRADES, GRADES), min_size=2, max_size=30))
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    found = spearman(one, other)
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(float(stats.spearmanr(one, other).statistic))


def test_only_answers_that_were_judged_and_rated_make_pairs() -> None:
    outcomes = [
        outcome(0, "t1", 0.5), outcome(0, "t1", 1.0, repeat=1), outcome(1, "t1", 0.25), outcome(0, "t2", 0.0),
        outcome(0, "t3", 0.75, judge=Totals()), outcome(0, "t4", 0.0, error="The scorer failed"),
    ]  # fmt: skip
    ratings = [
        rating(0, "t1", 1.0), rating(0, "t1", 0.0, repeat=1), rating(1, "t1", 0.5), rating(0, "t3", 1.0),
        rating(0, "t4", 1.0), rating(7, "t1", 1.0),
    ]  # fmt: skip
    assert rated_pairs(outcomes, ratings) == [(0.5, 1.0), (1.0, 0.0), (0.25, 0.5)]


def test_the_latest_of_one_person_and_the_mean_of_several_count() -> None:
    ratings = [rating(0, "t", 0.0), rating(0, "t", 1.0, "b"), rating(0, "t", 0.5)]
    assert rated_pairs([outcome(0, "t", 1.0)], ratings) == [(1.0, 0.75)]


def test_below_five_pairs_nothing_is_said() -> None:
    assert agreement([(0.0, 1.0)] * 4) is None
    assert agreement([(0.0, 1.0)] * 5) is not None


def test_a_judge_like_people_gets_no_warning() -> None:
    found = agreement([(0.0, 0.25), (0.25, 0.25), (0.5, 0.5), (0.75, 1.0), (1.0, 1.0)])
    assert found is not None
    assert (found.pairs, found.gap, found.lean, found.warning) == (5, 0.1, -0.1, "")
    assert found.rank == pytest.approx(0.9487, abs=1e-4)  # ranks 1 2 3 4 5 and 1.5 1.5 3 4.5 4.5


def test_another_order_is_told_with_its_figure() -> None:
    found = agreement([(0.0, 0.2), (0.1, 0.15), (0.2, 0.1), (0.1, 0.2), (0.2, 0.0)])
    assert found is not None
    assert found.rank is not None
    assert found.rank < 0
    assert "5 answers" in found.warning
    assert f"rank correlation {found.rank:.2f}" in found.warning
    assert "off on average" not in found.warning


@pytest.mark.parametrize(("shift", "side"), [(0.4, "kinder"), (-0.4, "stricter")])
def test_a_judge_that_is_kinder_or_stricter_is_told(shift: float, side: str) -> None:
    found = agreement([(0.5 + shift + n / 50, 0.5 + n / 50) for n in range(5)])
    assert found is not None
    assert f"0.40 off on average, {side} on the whole" in found.warning
    assert "orders them otherwise" not in found.warning


def test_a_judge_that_gives_everybody_the_same_is_judged_by_its_distance() -> None:
    found = agreement([(1.0, n / 4) for n in range(5)])
    assert found is not None
    assert found.rank is None
    assert "0.50 off on average, kinder" in found.warning
