"""What a benchmark came to, computed from its studies: scores a cell, mixed pairs against pure ones, variants.

Every figure is of the sealed test: the workflow that each study found, the manual workflow and the plain prompt, on the
same tasks. Cells whose test was not run yet have no scores. Which cell stands for its kind where several do is chosen
by validation, never by the test that is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import fmean
from typing import Literal

from autoflow.benchmark import BenchmarkSpec, Cell
from autoflow.optimize.reward import is_valid
from autoflow.optimize.view import StudyView
from autoflow.statistics import Comparison, Interval, bootstrap, compare
from autoflow.study import Candidate, Outcome

Side = Literal["found", "manual", "plain"]
SIDES: tuple[Side, ...] = ("manual", "plain", "found")
CellState = Literal["waiting", "running", "paused", "failed", "stopped", "done", "deleted"]
ENDED: tuple[CellState, ...] = ("done", "stopped", "deleted")  # nothing more comes of these


@dataclass(frozen=True, slots=True)
class Scored:
    """One workflow of a cell on the test tasks."""

    number: int  # of the candidate
    tasks: Mapping[str, float]  # task -> score in [0, 1], repeats averaged
    mean: Interval
    valid: float  # share of runs with a usable answer, in [0, 1]; of plans: the share of valid ones
    calls: float  # mean a run


@dataclass(frozen=True, slots=True)
class Measured:
    """What a study came to on its test."""

    sides: Mapping[Side, Scored] = field(default_factory=dict)  # those that were run on all of it
    val: float | None = None  # what was found, on validation; None: nothing was found
    gain: Comparison | None = None  # found above manual, paired by task; None: one of them was not run


@dataclass(frozen=True, slots=True)
class GridCell:
    """One generator with one interpreter."""

    cell: Cell
    study_id: str
    state: CellState
    words: str  # how far it is, why it ended, or what went wrong
    measured: Measured = Measured()

    @property
    def sides(self) -> Mapping[Side, Scored]:
        return self.measured.sides

    @property
    def gain(self) -> Comparison | None:
        return self.measured.gain

    @property
    def kept(self) -> Side | None:
        """What the search found nothing better than; None: it found something, or nothing was searched."""
        found = self.sides.get("found")
        began: tuple[Side, ...] = ("manual", "plain")
        if found is None:
            return None
        return next((side for side in began if side in self.sides and self.sides[side].number == found.number), None)


@dataclass(frozen=True, slots=True)
class Synergy:
    """Is the best pair a mixed one? The best mixed pair on validation against the best pair of a model with itself."""

    mixed: GridCell
    pure: GridCell
    difference: Comparison  # mixed above pure on the test, paired by task


@dataclass(frozen=True, slots=True)
class AgainstFirst:
    """A variant against the first one: what was found, per task the mean over pairs that have both."""

    suite: int
    variant: int
    pairs: int
    difference: Comparison  # this variant above the first
    kept_first: tuple[Side, ...] = ()  # what the first variant kept, one for each pair that found nothing better
    kept: tuple[Side, ...] = ()  # likewise this variant


def measure(view: StudyView) -> Measured:
    """Read from one study; it needs the outcomes of the chosen candidate, the manual workflow and the plain prompt.

    With no round allowed nothing was searched, so that nothing was found either.
    """
    study = view.study
    best = view.candidates[study.best] if study.best is not None and study.spec.budget.max_rounds else None
    chosen: dict[Side, Candidate | None] = {"manual": view.manual, "plain": view.plain, "found": best}
    sides = {side: _scored(view, c) for side, c in chosen.items() if c is not None and _tested(view, c)}
    gain = None
    if "found" in sides and "manual" in sides:
        gain = _compared(sides["manual"].tasks, sides["found"].tasks)
    return Measured(sides, view.score(best.number, "val") if best else None, gain)


def synergy(spec: BenchmarkSpec, cells: Sequence[GridCell], suite: int = 0, variant: int = 0) -> Synergy | None:
    """None where there is no mixed pair, or no pure one, with scores."""
    there = [g for g in cells if (g.cell.suite, g.cell.variant) == (suite, variant) and "found" in g.sides]
    pure = [g for g in there if is_pure(spec, g.cell)]
    mixed = [g for g in there if not is_pure(spec, g.cell)]
    if not pure or not mixed:
        return None
    best = [max(group, key=lambda g: g.measured.val or 0.0) for group in (mixed, pure)]
    found = _compared(best[1].sides["found"].tasks, best[0].sides["found"].tasks)
    return Synergy(best[0], best[1], found) if found else None


def is_pure(spec: BenchmarkSpec, cell: Cell) -> bool:
    """Whether one model writes and carries out."""
    return spec.generators[cell.generator] == spec.interpreters[cell.interpreter]


def against_first(cells: Sequence[GridCell], suite: int, variant: int) -> AgainstFirst | None:
    """None where no pair of models has both."""
    found = {
        (g.cell.variant, g.cell.interpreter, g.cell.generator): g
        for g in cells
        if g.cell.suite == suite and "found" in g.sides
    }
    pairs = [(found[0, i, g], one) for (n, i, g), one in found.items() if n == variant and (0, i, g) in found]
    if not pairs or variant == 0:
        return None
    first, other = zip(*pairs, strict=True)
    difference = _compared(*(_mean_by_task([g.sides["found"].tasks for g in group]) for group in (first, other)))
    return AgainstFirst(suite, variant, len(pairs), difference, _kept(first), _kept(other)) if difference else None


def _kept(cells: Sequence[GridCell]) -> tuple[Side, ...]:
    return tuple(one.kept for one in cells if one.kept)


def _compared(a: Mapping[str, float], b: Mapping[str, float]) -> Comparison | None:
    """None where they have no task in common: a table may have changed between two studies."""
    return compare(a, b) if set(a) & set(b) else None


def _mean_by_task(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {task: fmean(one[task] for one in scores) for task in scores[0] if all(task in one for one in scores)}


def interval(scores: Mapping[str, float]) -> Interval:
    """The mean over tasks with its interval: the same wherever it is told, in whatever order the runs came."""
    return _interval(tuple(scores[task] for task in sorted(scores)))


@lru_cache(maxsize=4096)
def _interval(scores: tuple[float, ...]) -> Interval:
    """The same scores stand in many cells."""
    return bootstrap(scores)


def _tested(view: StudyView, candidate: Candidate) -> bool:
    return bool(view.study.splits.get("test")) and view.complete(candidate.number, "test")


def _scored(view: StudyView, candidate: Candidate) -> Scored:
    runs: list[Outcome] = view.outcomes(candidate.number, "test")
    tasks = view.task_scores(candidate.number, "test")
    return Scored(
        candidate.number, tasks, interval(tasks),
        fmean(is_valid(run) for run in runs), fmean(run.totals.calls for run in runs),
    )  # fmt: skip
