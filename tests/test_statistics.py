"""Intervals against what is known of them."""

from __future__ import annotations

import random
import statistics

import pytest

from autoflow.statistics import bootstrap


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
