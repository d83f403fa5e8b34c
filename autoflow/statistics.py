"""Means with intervals, and comparisons: what may be said of scores after so many tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

RESAMPLES = 10_000
MOST_DRAWN = 40_000_000  # values in all resamples together
AT_ONCE = 2_000_000  # of them held in memory
SURE_P = 0.05  # above it, the rank test does not bear a difference out


# all tasks the same; a single task, which says nothing of others; the interval holds 0; the rank test is not sure; sure
Conclusion = Literal["equal", "one task", "open", "not borne out", "better"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the 95 % interval around it."""

    mean: float
    low: float
    high: float


def bootstrap(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The mean of `values` with its 95 % bootstrap interval (BCa). For a comparison: of paired differences.

    It is what `scipy.stats.bootstrap` gives, to the last digit, up to 4,000 values: computed in pieces, for scipy takes
    gigabytes for 20,000. Of more values fewer resamples are drawn, as the interval of so many is narrow anyway.

    Args:
        values: one a task; repeats of a task are averaged before, as they are no tasks of their own.
    Returns: for a single value, or values that are all the same, an interval of no width: nothing varied.
    Raises ValueError: no values.
    """
    import numpy as np

    if not values:
        raise ValueError("`values` must hold at least one number.")
    mean = sum(values) / len(values)
    if max(values) == min(values):
        return Interval(mean, mean, mean)
    data = np.asarray(values, dtype=float)
    means = _resampled_means(data, seed)
    low, high = np.quantile(means, _levels(data, means))
    return Interval(mean, float(low), float(high))


def _resampled_means(data: Array, seed: int) -> Array:
    """Means of resamples of `data`, drawn with replacement."""
    import numpy as np

    chance, n = np.random.default_rng(seed), len(data)
    count = min(RESAMPLES, max(1, MOST_DRAWN // n))
    whole = max(1, AT_ONCE // n)
    pieces = [min(whole, count - start) for start in range(0, count, whole)]
    return np.concatenate([data[chance.integers(0, n, (piece, n))].mean(axis=1) for piece in pieces])


def _levels(data: Array, means: Array) -> tuple[float, float]:
    """Between which quantiles of the resampled means the interval lies: bias-corrected and accelerated (Efron 1987)."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    around = data - data.mean()  # of a mean the jackknife has a closed form
    acceleration = float((around**3).sum() / (around**2).sum() ** 1.5 / 6)
    share = ((means < data.mean()).mean() + (means <= data.mean()).mean()) / 2
    bias = float(ndtri(share))
    if not np.isfinite(bias):
        return 0.025, 0.975
    shifted = [bias + ndtri(level) for level in (0.025, 0.975)]
    low, high = (float(ndtr(bias + z / (1 - acceleration * z))) for z in shifted)
    return low, high


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better B is than A on the tasks that both were scored on. Above 0: B is better."""

    difference: Interval  # of B - A, a task
    p: float | None  # Wilcoxon's signed-rank test, two-sided; None: it says nothing of one task, or where all are equal
    wins: int  # tasks on which B scored higher
    ties: int
    losses: int
    tasks: int


def compare(a: Mapping[str, float], b: Mapping[str, float], *, seed: int = 0) -> Comparison:
    """Compare the scores of two workflows, paired by task; a task that only one of them has is left out.

    Args:
        a, b: task -> its score, higher is better; repeats of a task are averaged before.
        seed: of the bootstrap.
    Raises ValueError: no task in common.
    """
    tasks = sorted(set(a) & set(b))  # in an order of its own, so that the interval is the same whoever ran first
    if not tasks:
        raise ValueError("`a` and `b` must have at least one task in common.")
    differences = [_rounded(b[task] - a[task]) for task in tasks]
    return Comparison(
        difference=bootstrap(differences, seed=seed),
        p=_signed_rank(differences),
        wins=sum(d > 0 for d in differences),
        ties=differences.count(0.0),
        losses=sum(d < 0 for d in differences),
        tasks=len(tasks),
    )


def _rounded(difference: float) -> float:
    """0.8 - 0.6 and 0.6 - 0.4 are the same difference, which floats do not know: ranks would part them."""
    return round(difference, 9) + 0.0  # no negative zero


def _signed_rank(differences: Sequence[float]) -> float | None:
    """Two-sided p; zeros are ranked and then left out, after Pratt (1959). Exact up to 13 tasks, or without ties."""
    from scipy import stats

    if len(differences) < 2 or not any(differences):
        return None
    return float(stats.wilcoxon(differences, zero_method="pratt").pvalue)


def conclusion(found: Comparison) -> Conclusion:
    """What may be said of the comparison, wherever it is said: interval and rank test must bear a difference out."""
    d = found.difference
    if found.wins == found.losses == 0:
        return "equal"
    if found.tasks == 1:
        return "one task"
    if d.low <= 0 <= d.high:
        return "open"
    return "not borne out" if found.p is None or found.p >= SURE_P else "better"


def verdict(found: Comparison, name_a: str = "A", name_b: str = "B") -> str:
    """What may be said of the comparison, in one sentence. Where interval and test disagree, it says so."""
    told = conclusion(found)
    if told == "equal":
        return f"{name_a} and {name_b} score the same on {_all(found.tasks)}."
    d = found.difference
    better, low, high = (name_b, d.low, d.high) if d.mean >= 0 else (name_a, -d.high, -d.low)
    by = _number(abs(d.mean))
    if told == "one task":
        return f"{better} scored higher by {by} on the one task there is, which says nothing of others."
    interval, p = f"95 % interval {_number(low)} to {_number(high)}", p_words(found.p)
    if told == "open":
        ahead = f"{better} scored higher by {by}" if d.mean else "on average both score the same"
        return f"No difference can be told from these {found.tasks} tasks: {ahead} ({interval}{p})."
    figures = f"({interval}, {found.tasks} tasks{p})"
    if told == "not borne out":
        return f"{better} scored higher by {by} {figures}, but the rank test does not bear it out: run more tasks."
    return f"{better} is better by {by} {figures}."


def _all(tasks: int) -> str:
    return "the one task there is" if tasks == 1 else f"all {tasks} tasks"


def _number(value: float) -> str:
    """Two places, three where two would show nothing."""
    return f"{value:.{2 if abs(value) >= 0.005 or value == 0 else 3}f}".replace("-", "−")


def p_words(p: float | None) -> str:
    """`, p 0.03`; empty where the test says nothing."""
    if p is None:
        return ""
    return ", p < 0.001" if p < 0.001 else f", p {p:.3f}" if p < 0.1 else f", p {p:.2f}"
