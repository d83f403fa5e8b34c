"""How times and prices of runs are written."""

from __future__ import annotations

import pytest

from autoflow.report.figures import of_a_run


@pytest.mark.parametrize(
    ("cached", "took"), [(0.0, "6.8 s"), (0.5, "6.8 s, partly from the cache"), (1.0, "from the cache")]
)
def test_a_time_that_the_cache_made_short_is_told_as_that(cached: float, took: str) -> None:
    assert of_a_run(14, 6.81, cached, 0.0) == f"14 calls · {took} · 0 $"
