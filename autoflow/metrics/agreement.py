"""Whether a model that judges and the people who rate agree on the answers that both have seen."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autoflow.study import Outcome, Rating

LEAST_PAIRS = 5  # below it nothing can be said
LOW_RANK, LARGE_GAP = 0.5, 0.25  # a rank correlation below, or a mean difference above, is a disagreement
Pair = tuple[float, float]  # the judge's score and the people's, both in [0, 1]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a judge is to people, on the answers that both rated."""

    pairs: int
    rank: float | None  # Spearman's correlation in [-1, 1], higher is better; None: one of them rated all alike
    gap: float  # mean absolute difference in [0, 1], lower is better
    lean: float  # mean of judge minus people, in [-1, 1]; above 0: the judge is kinder
    warning: str = ""  # a sentence for the person who relies on the judge, where they disagree


def rated_pairs(outcomes: Iterable[Outcome], ratings: Iterable[Rating]) -> list[Pair]:
    """The answers that were both judged and rated: the judge's score, and the mean over people.

    Of one person the latest rating of an answer counts. Outcomes that no judge scored are left out, as are those that
    were not scored at all.
    """
    latest = {(_key(rating), rating.rater): rating.value for rating in ratings}  # in the order in which they were given
    people: dict[tuple[int, str, int], list[float]] = defaultdict(list)
    for (key, _), value in latest.items():
        people[key].append(value)
    return [
        (outcome.score, math.fsum(found) / len(found))
        for outcome in outcomes
        if outcome.judge.calls and not outcome.error and (found := people.get(_key(outcome)))
    ]


def agreement(pairs: Sequence[Pair]) -> Agreement | None:
    """How far judge and people agree; None where fewer than `LEAST_PAIRS` answers were rated by both."""
    if len(pairs) < LEAST_PAIRS:
        return None
    judge, people = zip(*pairs, strict=True)
    rank = spearman(judge, people)
    lean = math.fsum(a - b for a, b in pairs) / len(pairs)
    found = Agreement(len(pairs), rank, math.fsum(abs(a - b) for a, b in pairs) / len(pairs), lean)
    return Agreement(found.pairs, found.rank, found.gap, found.lean, _warning(found))


def _warning(found: Agreement) -> str:
    reasons = []
    if found.rank is not None and found.rank < LOW_RANK:
        reasons.append(f"it orders them otherwise (rank correlation {found.rank:.2f}; 1 is the same order)")
    if found.gap > LARGE_GAP:
        side = "kinder" if found.lean > 0 else "stricter"
        whole = f", {side} on the whole" if abs(found.lean) > found.gap / 2 else ""
        reasons.append(f"its scores are {found.gap:.2f} off on average{whole}")
    if not reasons:
        return ""
    return (
        f"The judge disagrees with people on the {found.pairs} answers that both rated: {' and '.join(reasons)}. "
        "Read some of them, and change the rubric or the judge before you trust its scores."
    )


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation in [-1, 1]; equal values share their mean rank. None where one does not vary."""
    first, second = _ranks(one), _ranks(other)
    middle = (len(first) + 1) / 2
    spread = math.sqrt(math.fsum((a - middle) ** 2 for a in first) * math.fsum((b - middle) ** 2 for b in second))
    if not spread:
        return None
    return math.fsum((a - middle) * (b - middle) for a, b in zip(first, second, strict=True)) / spread


def _ranks(values: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = defaultdict(list)
    for rank, value in enumerate(sorted(values), 1):
        places[value].append(rank)
    return [sum(places[value]) / len(places[value]) for value in values]


def _key(record: Outcome | Rating) -> tuple[int, str, int]:
    return record.candidate, record.task, record.repeat
