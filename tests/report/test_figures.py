"""How times and prices of runs are written."""

from __future__ import annotations

import pytest

from autoflow.report.figures import of_a_run, time_left


@pytest.mark.parametrize(
    ("cached", "took"), [(0.0, "6.8 s"), (0.5, "6.8 s, partly from the cache"), (1.0, "from the cache")]
)
def test_a_time_that_the_cache_made_short_is_told_as_that(cached: float, took: str) -> None:
    assert of_a_run(14, 6.81, cached, 0.0) == f"14 calls · {took} · 0 $"


@pytest.mark.parametrize(
    ("pace", "most", "words"),
    [
        (None, None, ""), (0.0, None, ""), (720.0, None, "about 12 min left"), (720.0, 900.0, "about 12 min left"),
        (720.0, 300.0, "at most 5 min left"), (None, 300.0, "at most 5 min left"), (720.0, 0.0, ""),
        (720.0, -3.0, ""), (None, 0.0, ""),
    ],
)  # fmt: skip
def test_time_left_is_that_of_the_pace_or_of_the_limit_that_comes_first(
    pace: float | None, most: float | None, words: str
) -> None:
    assert time_left(pace, most) == words
