"""Means with intervals: what may be said of a score after so many tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the 95 % interval around it."""

    mean: float
    low: float
    high: float


def bootstrap(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The mean of `values` with its 95 % bootstrap interval (BCa). For a comparison: of paired differences.

    Args:
        values: one a task; repeats of a task are averaged before, as they are no tasks of their own.
    Returns: for a single value, or values that are all the same, an interval of no width: nothing varied.
    Raises ValueError: no values.
    """
    import numpy as np
    from scipy import stats

    if not values:
        raise ValueError("`values` must hold at least one number.")
    mean = sum(values) / len(values)
    if max(values) == min(values):
        return Interval(mean, mean, mean)
    found = stats.bootstrap(
        (np.asarray(values, dtype=float),), np.mean, n_resamples=RESAMPLES, rng=np.random.default_rng(seed)
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))
