"""The seam of scorers: how good one answer is, whoever or whatever judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from autoflow.records import Totals


@dataclass(frozen=True, slots=True)
class Score:
    """How good an answer is; higher is better."""

    value: float  # in [0, 1]
    parts: Mapping[str, float] = field(default_factory=dict)  # other figures, by name
    expected: str = ""  # what would have been right, in words, for whoever reads the score
    pending: bool = False  # a person is to rate it; `value` means nothing yet
    totals: Totals = field(default_factory=Totals)  # what a judge took


class Scorer(Protocol):
    """Scores single answers; safe to share between asyncio tasks."""

    async def __call__(self, answer: str, expected: str, objective: str) -> Score:
        """How good `answer` is.

        Args:
            answer: what a run gave, as it is.
            expected: the right answer, in the form that the scorer's kind asks for; empty where it needs none.
            objective: what was asked.
        Raises: ModelError or BudgetExceeded from a judge; AutoFlowError where the answer cannot be scored at all.
        """
        ...
