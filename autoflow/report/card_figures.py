"""How the study of an adapter fared, as rows of its card: the sealed test with intervals, and the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from autoflow.optimize.view import StudyView
from autoflow.report.figures import plural
from autoflow.statistics import bootstrap
from autoflow.study import Candidate, TrainingStep

# Operators of the samples that a training ends with: both models' texts, run on the sealed test.
SAMPLED = {"drawn from the base model": "the base", "drawn from the trained model": "the adapter"}


def figures(view: StudyView, steps: Sequence[TrainingStep]) -> Iterator[tuple[str, str]]:
    """Name and words of each figure that was measured."""
    for operator, words in SAMPLED.items():
        if scores := _of_samples(view, operator):
            yield f"Sealed test, {plural(len(scores), 'text')} of {words}", _interval(scores)
    for words, candidate in (
        ("manual workflow", view.manual),
        ("plain prompt", view.plain),
        ("best workflow", _best(view)),
    ):
        if candidate is not None and view.complete(candidate.number, "test"):
            scores = list(view.task_scores(candidate.number, "test").values())
            yield f"Sealed test, {words} ({plural(len(scores), 'task')})", _interval(scores)
    best = _best(view)
    if best is not None and (val := view.score(best.number, "val")) is not None:
        tasks = plural(len(view.study.splits["val"]), "task")
        yield f"Best workflow on validation ({tasks})", f"{val:.3f}; it was chosen for that, so it flatters"
    if steps:
        yield from _of_training(steps)


def _interval(scores: Sequence[float]) -> str:
    found = bootstrap(scores)
    return f"{found.mean:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"


def _best(view: StudyView) -> Candidate | None:
    """The one that the study chose on validation; None while it goes on."""
    return None if view.study.best is None else view.candidates[view.study.best]


def _of_samples(view: StudyView, operator: str) -> list[float]:
    """The mean score of each text, 0 for one that cannot run; empty where one was not run to the end."""
    texts = [c for c in view.candidates if c.operator == operator]
    found = [0.0 if c.error else view.score(c.number, "test") for c in texts]
    return [] if None in found else [score for score in found if score is not None]


def _of_training(steps: Sequence[TrainingStep]) -> Iterator[tuple[str, str]]:
    first, last = steps[0].figures, steps[-1].figures
    top = max(steps, key=lambda step: step.figures.reward_mean).figures
    yield (
        "Mean reward while training",
        f"{first.reward_mean:.3f} in step {first.step}, {last.reward_mean:.3f} in step {last.step}, at most "
        f"{top.reward_mean:.3f} (step {top.step})",
    )
    yield "Texts without errors", f"{_running(steps[0]):.0%} in the first step, {_running(steps[-1]):.0%} in the last"
    yield "Away from the base", f"{last.kl:.3f} nats a token at the end"
    yield "Time", f"{sum(step.figures.seconds for step in steps) / 60:.0f} min of training"


def _running(step: TrainingStep) -> float:
    return fmean(not sample.error for sample in step.samples) if step.samples else 0.0
