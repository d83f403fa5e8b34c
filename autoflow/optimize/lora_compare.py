"""What the training was good for: workflows of the base model beside those of its best adapter, on the sealed test.

A sample is what counts, not a task: the question is what the model writes, and the tasks are the same for both. One
that cannot run scores 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from autoflow.optimize.view import StudyView
from autoflow.statistics import Comparison, Interval, bootstrap, compare
from autoflow.study import TRAINED, UNTRAINED, Candidate


@dataclass(frozen=True, slots=True)
class Side:
    """The samples of one model."""

    samples: int
    runnable: float  # share without errors, in [0, 1]
    score: Interval  # mean over samples of their mean test scores, in [0, 1]


@dataclass(frozen=True, slots=True)
class Gain:
    """Both models. Above 0: the trained one is better."""

    base: Side
    trained: Side
    difference: Comparison  # of trained - base; its `tasks` are pairs of samples, which are as good as any

    @property
    def sure(self) -> bool:
        """Whether the interval leaves no doubt that the trained model is better."""
        return self.difference.difference.low > 0


def gain(view: StudyView) -> Gain | None:
    """None: not measured, or not to its end."""
    base, trained = _scores(view, UNTRAINED), _scores(view, TRAINED)
    if not base or not trained:
        return None
    numbered = [{str(place): score for place, score in enumerate(scores)} for scores in (base, trained)]
    return Gain(_side(view, UNTRAINED, base), _side(view, TRAINED, trained), compare(*numbered))


def _scores(view: StudyView, operator: str) -> list[float]:
    """Of each sample; empty where one was not run on all of the test."""
    found = [0.0 if c.error else view.score(c.number, "test") for c in _samples(view, operator)]
    return [] if None in found else [score for score in found if score is not None]


def _side(view: StudyView, operator: str, scores: list[float]) -> Side:
    runnable = fmean(not c.error for c in _samples(view, operator))
    return Side(samples=len(scores), runnable=runnable, score=bootstrap(scores))


def _samples(view: StudyView, operator: str) -> list[Candidate]:
    return [c for c in view.candidates if c.operator == operator]
