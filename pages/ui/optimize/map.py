"""How each candidate fared on each task: what the heat map is given to draw."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from autoflow.optimize.view import StudyView
from autoflow.study import SPLITS, Candidate, Outcome
from autoflow.suites.base import SuiteTask
from pages.ui.components.heatmap import Cell, Map
from pages.ui.optimize import tasks
from pages.ui.optimize.figures import SPLIT_WORDS, number

MOST_ROWS = 40
_MARKED_COLUMNS = 48  # beyond it a cell is too small for figures


def heat(view: StudyView, known: Mapping[str, SuiteTask]) -> Map:
    """Candidates that were run, in their order; tasks that any of them was run on, by split."""
    shown = rows(view)
    ran = {(o.candidate, o.task) for o in view.all_outcomes()}
    columns: list[str | None] = []
    groups: list[tuple[str, int, int]] = []
    for split in SPLITS:
        found = [task for task in view.study.splits.get(split, ()) if any((c.number, task) in ran for c in shown)]
        if found:
            columns += [None] if columns else []
            groups.append((SPLIT_WORDS[split], len(columns), len(columns) + len(found) - 1))
            columns += found
    marked = len(columns) <= _MARKED_COLUMNS
    cells = [[_cell(view, c, task, known, marked) for task in columns] for c in shown]
    return Map([(c.number, _name(view, c)) for c in shown], columns, groups, cells)


def rows(view: StudyView) -> list[Candidate]:
    """Candidates with at least one run; where they are too many the best on validation, and the latest."""
    found = [c for c in view.candidates if view.outcomes(c.number)]
    if len(found) <= MOST_ROWS:
        return found
    kept = {c.number for c in view.measured()[: MOST_ROWS // 2]}
    for c in reversed(found):
        if len(kept) < MOST_ROWS:
            kept.add(c.number)
    return [c for c in found if c.number in kept]


def _name(view: StudyView, candidate: Candidate) -> str:
    return f"★ {candidate.number}" if candidate.number == view.study.best else str(candidate.number)


def _cell(
    view: StudyView, candidate: Candidate, task: str | None, known: Mapping[str, SuiteTask], marked: bool
) -> Cell | None:
    if task is None:
        return None
    runs = [o for r in range(view.study.spec.repeats) if (o := view.outcome(candidate.number, task, r)) is not None]
    if not runs:
        return None
    score = fmean(o.score for o in runs)
    told = f"Candidate {candidate.number}: {_fared(runs)}\n{SPLIT_WORDS[runs[0].split]} · {task}"
    asked = tasks.words(known, task, 100)
    return Cell(score, _mark(runs, score) if marked else "", told if asked == task else f"{told}\n{asked}")


def _mark(runs: list[Outcome], score: float) -> str:
    if any(o.pending for o in runs):
        return "?"
    if all(o.stop != "terminal" for o in runs):
        return "✕"
    return "1" if score >= 0.995 else f"{score:.2f}".removeprefix("0")


def _fared(runs: list[Outcome]) -> str:
    if any(o.pending for o in runs):
        return "waits for a rating"
    stopped = [o for o in runs if o.stop != "terminal"]
    if stopped:
        return f"{number(fmean(o.score for o in runs))}, {stopped[0].error or stopped[0].stop}"
    return number(fmean(o.score for o in runs))
