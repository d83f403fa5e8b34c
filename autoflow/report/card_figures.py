"""How the study of an adapter fared, as rows of its card: the sealed test with intervals, and the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from autoflow.optimize.view import StudyView
from autoflow.report.markdown import plain
from autoflow.statistics import bootstrap
from autoflow.study import Candidate, TrainingStep


def figures(view: StudyView, steps: Sequence[TrainingStep]) -> Iterator[tuple[str, str]]:
    """Name and words of each figure that was measured."""
    for operator, group in _groups(view).items():
        scores = _task_scores(view, group)
        if scores:
            yield _titled(operator, len(group), scores), _interval(list(scores.values()))
    best = view.best()
    if best is not None and (val := view.score(best.number, "val")) is not None:
        tasks = len(view.study.splits["val"])
        yield f"Best workflow on validation ({tasks} tasks)", f"{val:.3f}; it was chosen for that, so it flatters"
    if steps:
        yield from _of_training(steps)


def _titled(operator: str, texts: int, scores: dict[str, float]) -> str:
    many = f", {texts} texts" if texts > 1 else ""
    return f"Sealed test, {plain(operator) or 'candidate'}{many} ({len(scores)} tasks)"


def _interval(scores: list[float]) -> str:
    found = bootstrap(scores)
    return f"{found.mean:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"


def _groups(view: StudyView) -> dict[str, list[Candidate]]:
    """By what made them, those whose every text was run on the whole test, or cannot run and scores 0 there."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in view.candidates:
        groups.setdefault(candidate.operator, []).append(candidate)
    chosen = view.study.best
    if chosen is not None and view.complete(chosen, "test"):
        groups["best workflow"] = [view.candidates[chosen]]
    return {
        operator: group
        for operator, group in groups.items()
        if any(view.complete(c.number, "test") for c in group)
        and all(c.error or view.complete(c.number, "test") for c in group)
    }


def _task_scores(view: StudyView, group: Sequence[Candidate]) -> dict[str, float]:
    """Mean score of each task over the texts of the group."""
    told = [view.task_scores(c.number, "test") for c in group]
    return {task: fmean(scores.get(task, 0.0) for scores in told) for task in view.study.splits.get("test", ())}


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
