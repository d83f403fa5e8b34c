"""Intervals against what is known of them."""

from __future__ import annotations

import itertools
import math
import random
import statistics
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from autoflow.statistics import Comparison, Interval, bootstrap, compare, verdict


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide() -> None:
    chance = random.Random(1)
    values = [chance.gauss(0.5, 0.1) for _ in range(100)]
    found, error = bootstrap(values), statistics.stdev(values) / 10
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_it_holds_the_truth_about_95_times_in_100() -> None:
    chance = random.Random(2)
    held = 0
    for _ in range(100):
        found = bootstrap([float(chance.random() < 0.3) for _ in range(60)])
        held += found.low <= 0.3 <= found.high
    assert 88 <= held <= 100


@pytest.mark.parametrize("values", [[0.4], [0.0, 0.0, 0.0]])
def test_what_does_not_vary_has_no_width(values: list[float]) -> None:
    found = bootstrap(values)
    assert (found.low, found.mean, found.high) == (values[0], values[0], values[0])


def test_it_is_the_same_every_time_and_empty_is_refused() -> None:
    values = [0.1, 0.5, 0.9, 0.2]
    assert bootstrap(values, seed=3) == bootstrap(values, seed=3)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap([])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.875, 1.0]), min_size=2, max_size=60), st.integers(0, 3))
def test_it_is_the_interval_that_scipy_gives(values: list[float], seed: int) -> None:
    assume(max(values) > min(values))
    theirs = stats.bootstrap(
        (np.array(values),), np.mean, n_resamples=10_000, rng=np.random.default_rng(seed)
    ).confidence_interval
    found = bootstrap(values, seed=seed)
    assert (found.low, found.high) == (pytest.approx(theirs.low, abs=1e-9), pytest.approx(theirs.high, abs=1e-9))


def test_of_20_000_tasks_it_is_the_normal_one_in_bounded_memory() -> None:
    chance = random.Random(5)
    values = [chance.choice((0.0, 0.2, 0.5, 1.0)) for _ in range(20_000)]
    tracemalloc.start()
    found = bootstrap(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    error = statistics.stdev(values) / math.sqrt(len(values))
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.15 * error)
    assert peak < 200e6


def compared(differences: list[float]) -> Comparison:
    a = {f"t{n}": 0.5 for n in range(len(differences))}
    return compare(a, {f"t{n}": 0.5 + d for n, d in enumerate(differences)})


def pratt_ranks(differences: list[float]) -> list[float]:
    """Mean rank of each among all by size, zeros included."""
    sizes = [abs(d) for d in differences]
    return [sum(other < size for other in sizes) + (sizes.count(size) + 1) / 2 for size in sizes]


def p_by_trying_all_signs(differences: list[float]) -> float:
    """Share of all ways to give signs in which the sum of positive ranks lies as far out; what is 0 has no sign."""
    ranks = [r for r, d in zip(pratt_ranks(differences), differences, strict=True) if d]
    seen = sum(r for r, d in zip(pratt_ranks(differences), differences, strict=True) if d > 0)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product((0, 1), repeat=len(ranks))]
    below, above = (sum(s <= seen for s in sums), sum(s >= seen for s in sums))
    return min(1.0, 2 * min(below, above) / len(sums))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-0.5, -0.25, 0.0, 0.125, 0.25, 0.5]), min_size=2, max_size=9).filter(any))
def test_p_is_that_of_trying_all_signs(differences: list[float]) -> None:
    assert compared(differences).p == pytest.approx(p_by_trying_all_signs(differences))


def test_p_of_many_tasks_is_the_normal_one_corrected_for_zeros_and_ties() -> None:
    differences = [0.0] * 6 + [0.25] * 9 + [-0.25] * 4 + [0.5] * 7 + [-0.5]
    n, zeros = len(differences), 6
    ranks = pratt_ranks(differences)
    positive = sum(r for r, d in zip(ranks, differences, strict=True) if d > 0)
    mean = (n * (n + 1) - zeros * (zeros + 1)) / 4
    ties = sum(t**3 - t for t in (13, 8)) / 2
    spread = math.sqrt((n * (n + 1) * (2 * n + 1) - zeros * (zeros + 1) * (2 * zeros + 1) - ties) / 24)
    expected = math.erfc(abs(positive - mean) / spread / math.sqrt(2))
    assert compared(differences).p == pytest.approx(expected, rel=1e-6)


def test_the_difference_is_paired_counted_and_only_over_common_tasks() -> None:
    a = {"x": 0.2, "y": 0.5, "z": 0.9, "only a": 1.0}
    b = {"z": 0.9, "x": 0.6, "only b": 0.0, "y": 0.4}
    found = compare(a, b)
    assert found.difference.mean == pytest.approx((0.4 - 0.1 + 0.0) / 3)
    assert (found.wins, found.ties, found.losses, found.tasks) == (1, 1, 1, 3)
    assert found == compare(dict(reversed(a.items())), dict(reversed(b.items())))


def test_the_interval_is_that_of_resampling_pairs() -> None:
    chance = random.Random(4)
    differences = [chance.gauss(0.1, 0.2) for _ in range(60)]
    found = compared(differences).difference
    means = sorted(statistics.fmean(chance.choices(differences, k=60)) for _ in range(8000))
    assert found.low == pytest.approx(means[200], abs=0.012)
    assert found.high == pytest.approx(means[7799], abs=0.012)


def test_the_other_way_round_mirrors_it() -> None:
    a = {str(n): (n * 7 % 5) / 5 for n in range(20)}
    b = {str(n): (n * 3 % 4) / 4 for n in range(20)}
    there, back = compare(a, b), compare(b, a)
    assert back.difference.mean == pytest.approx(-there.difference.mean)
    assert (back.wins, back.ties, back.losses, back.p) == (there.losses, there.ties, there.wins, pytest.approx(there.p))


def test_differences_that_only_rounding_parts_are_ties_in_rank() -> None:
    assert 0.8 - 0.6 != 0.6 - 0.4
    found = compare({"x": 0.6, "y": 0.6, "z": 0.6}, {"x": 0.8, "y": 0.4, "z": 0.6})
    assert found.p == 1.0
    assert compare({"x": 0.1 + 0.2}, {"x": 0.3}).ties == 1


@pytest.mark.parametrize("differences", [[0.3], [0.0, 0.0, 0.0]])
def test_where_the_rank_test_says_nothing_there_is_no_p(differences: list[float]) -> None:
    assert compared(differences).p is None


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(ValueError, match="in common"):
        compare({"x": 0.1}, {"y": 0.1})


def made(mean: float, low: float, high: float, p: float | None, tasks: int = 24, counts: str = "941") -> Comparison:
    wins, ties, losses = map(int, counts)
    return Comparison(Interval(mean, low, high), p, wins, ties, losses, tasks)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (made(0.21, 0.08, 0.33, 0.004), "new is better by 0.21 (95 % interval 0.08 to 0.33, 24 tasks, p 0.004)."),
        (made(-0.21, -0.33, -0.08, 0.0004), "old is better by 0.21 (95 % interval 0.08 to 0.33, 24 tasks, p < 0.001)."),
        (
            made(0.03, -0.05, 0.11, 0.42, 12),
            "No difference can be told from these 12 tasks: new scored higher by 0.03 "
            "(95 % interval −0.05 to 0.11, p 0.42).",
        ),
        (
            made(0.0, -0.1, 0.1, 1.0, 4, "121"),
            "No difference can be told from these 4 tasks: on average both score the same "
            "(95 % interval −0.10 to 0.10, p 1.00).",
        ),
        (
            made(0.3, 0.3, 0.3, 0.0625, 5, "500"),
            "new scored higher by 0.30 (95 % interval 0.30 to 0.30, 5 tasks, p 0.062), "
            "but the rank test does not bear it out: run more tasks.",
        ),
        (
            made(0.4, 0.4, 0.4, None, 1, "100"),
            "new scored higher by 0.40 on the one task there is, which says nothing of others.",
        ),
        (made(0.0, 0.0, 0.0, None, 7, "070"), "old and new score the same on all 7 tasks."),
        (made(0.0, 0.0, 0.0, None, 1, "010"), "old and new score the same on the one task there is."),
    ],
)
def test_the_verdict_claims_no_more_than_the_figures(found: Comparison, words: str) -> None:
    assert verdict(found, "old", "new") == words
