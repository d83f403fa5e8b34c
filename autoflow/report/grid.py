"""What a benchmark came to, computed from its studies: scores a cell, the table in the paper's form, mixed pairs.

Every figure is of the sealed test: the workflow that each study found, the manual workflow and the plain prompt, on the
same tasks. Cells whose test was not run yet have no scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from autoflow.benchmark import BenchmarkSpec, Cell
from autoflow.optimize.reward import is_valid
from autoflow.optimize.view import StudyView
from autoflow.statistics import Comparison, Interval, bootstrap, compare
from autoflow.study import Candidate, Outcome, StudyStop

Side = Literal["found", "manual", "plain"]
SIDES: tuple[Side, ...] = ("found", "manual", "plain")
_TEXTS = ("image-text", "text-text", "image-query-text", "document-query-text")
# Kind of task -> the column of the paper's table that it counts for.
METRICS = {"text-image": "CLIP score", "image-image": "ViT score"} | dict.fromkeys(_TEXTS, "BERTScore")
# Average score over tasks in the paper (arXiv 2407.12821): interpreter, manual workflow, best generated, its generator.
PUBLISHED = (
    ("Mixtral-8x7B-Instruct (GPTQ)", 0.2483, 0.3597, "GPT-4"),
    ("GPT-4 (1106-preview)", 0.6104, 0.6501, "Mixtral-8x7B-Instruct"),
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One workflow of a cell on the test tasks."""

    number: int  # of the candidate
    tasks: Mapping[str, float]  # task -> score in [0, 1], repeats averaged
    mean: Interval
    valid: float  # share of runs with a usable answer, in [0, 1]
    calls: float  # mean a run


@dataclass(frozen=True, slots=True)
class GridCell:
    """One generator with one interpreter."""

    cell: Cell
    study_id: str
    stop: StudyStop | None  # None: not ended
    sides: Mapping[Side, Scored]  # those that were run on all of the test
    gain: Comparison | None  # found above manual, paired by task; None: one of them was not run, or they are the same


@dataclass(frozen=True, slots=True)
class Synergy:
    """Is the best pair a mixed one? The best mixed pair against the best pair of a model with itself."""

    mixed: GridCell
    pure: GridCell
    difference: Comparison  # mixed above pure, paired by task


def grid_cell(cell: Cell, view: StudyView) -> GridCell:
    """Read from one study."""
    chosen: dict[Side, Candidate | None] = {"found": view.best(), "manual": view.manual, "plain": view.plain}
    sides = {side: _scored(view, c) for side, c in chosen.items() if c is not None and _tested(view, c)}
    gain = None
    if "found" in sides and "manual" in sides and sides["found"].number != sides["manual"].number:
        gain = compare(sides["manual"].tasks, sides["found"].tasks)
    return GridCell(cell, view.study.id, view.study.stop, sides, gain)


def synergy(spec: BenchmarkSpec, cells: Sequence[GridCell], suite: int = 0, variant: int = 0) -> Synergy | None:
    """None where there is no mixed pair, or no pure one, with scores."""
    there = [g for g in cells if (g.cell.suite, g.cell.variant) == (suite, variant) and "found" in g.sides]
    pure = [g for g in there if spec.generators[g.cell.generator] == spec.interpreters[g.cell.interpreter]]
    mixed = [g for g in there if g not in pure]
    if not pure or not mixed:
        return None
    best = [max(group, key=lambda g: g.sides["found"].mean.mean) for group in (mixed, pure)]
    return Synergy(best[0], best[1], compare(best[1].sides["found"].tasks, best[0].sides["found"].tasks))


def by_metric(scored: Scored, kinds: Mapping[str, str]) -> dict[str, float]:
    """Mean score a column of the paper's table.

    Args:
        kinds: task -> kind, for the suites of OpenAGI.
    """
    columns: dict[str, list[float]] = {}
    for task, score in scored.tasks.items():
        if task in kinds:
            columns.setdefault(METRICS[kinds[task]], []).append(score)
    return {name: fmean(scores) for name, scores in columns.items()}


def _tested(view: StudyView, candidate: Candidate) -> bool:
    return bool(view.study.splits.get("test")) and view.complete(candidate.number, "test")


def _scored(view: StudyView, candidate: Candidate) -> Scored:
    runs: list[Outcome] = view.outcomes(candidate.number, "test")
    tasks = view.task_scores(candidate.number, "test")
    return Scored(
        candidate.number, tasks, bootstrap([tasks[task] for task in sorted(tasks)]),
        fmean(is_valid(run) for run in runs), fmean(run.totals.calls for run in runs),
    )  # fmt: skip
