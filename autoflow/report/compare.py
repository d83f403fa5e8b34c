"""From a study to the comparison of two of its candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from statistics import fmean, median

from autoflow.lang import parse
from autoflow.lang.diff import diff
from autoflow.optimize.reward import is_valid
from autoflow.optimize.training_view import point_of
from autoflow.optimize.view import StudyView
from autoflow.records import Totals
from autoflow.report.comparison import Cell, ComparisonReport, Side, TaskRow
from autoflow.statistics import bootstrap, compare
from autoflow.study import Candidate, Outcome, Split, Study, TrainingStep
from autoflow.suites.base import SuiteTask, in_words

NAMES = "names"  # in the options of a study that compares two texts: how they are called
ByTask = Mapping[str, Sequence[Outcome]]


def compare_candidates(
    view: StudyView, a: int, b: int, split: Split, *, tasks: Mapping[str, SuiteTask] | None = None,
    proposed: Sequence[str] = (), test_openings: int = 0, suite: str = "",
    training: Sequence[TrainingStep] = (),
) -> ComparisonReport:  # fmt: skip
    """Candidates `a` and `b` of a study, as far as they were run on the split.

    Args:
        tasks: id -> task, for the objectives; None: the suite cannot be opened any more.
        proposed: what of the suite a model proposed, in words.
        test_openings: how often the sealed test of the suite was opened.
        suite: how the suite is called, where that is not its name.
        training: the steps that trained its generator.
    Raises IndexError: there is no such candidate.
    """
    first, second = view.candidates[a], view.candidates[b]
    of_a, of_b = _by_task(view.outcomes(a, split)), _by_task(view.outcomes(b, split))
    dealt = view.study.splits.get(split, ())
    rows = tuple(_row(task, of_a, of_b, tasks or {}) for task in dealt if task in of_a or task in of_b)
    scores_a = {row.task: row.a.score for row in rows if row.a and row.a.score is not None}
    scores_b = {row.task: row.b.score for row in rows if row.b and row.b.score is not None}
    return ComparisonReport(
        study=view.study,
        split=split,
        a=_side(view, first, split, scores_a),
        b=_side(view, second, split, scores_b),
        diff=diff(parse(first.text).workflow, parse(second.text).workflow),
        rows=rows,
        comparison=compare(scores_a, scores_b) if scores_a.keys() & scores_b.keys() else None,
        missing=sum(_missing(view, number, split) for number in {a, b}),
        proposed=tuple(proposed),
        test_openings=test_openings,
        suite=suite or view.study.spec.suite.name,
        training=tuple(map(point_of, training)),
    )


def name_of(study: Study, candidate: Candidate) -> str:
    """How a candidate is called: by the name that a comparison was given, or by its number and what made it."""
    given = study.spec.options.get(NAMES) if study.spec.method == "evaluate" else None
    if isinstance(given, list) and candidate.number < len(given):
        return str(given[candidate.number])
    return f"#{candidate.number}" + (f" {candidate.operator}" if candidate.operator else "")


def _by_task(outcomes: Iterable[Outcome]) -> ByTask:
    found = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda o: o.repeat):
        found[outcome.task].append(outcome)
    return found


def _row(task: str, of_a: ByTask, of_b: ByTask, tasks: Mapping[str, SuiteTask]) -> TaskRow:
    a, b = of_a.get(task, ()), of_b.get(task, ())
    expected = next((o.expected for o in (*a, *b) if o.expected), "")
    objective = in_words(tasks[task]) if task in tasks else ""
    return TaskRow(task, objective, expected, _cell(a), _cell(b))


def _cell(outcomes: Sequence[Outcome]) -> Cell | None:
    if not outcomes:
        return None
    totals = _sum([o.totals for o in outcomes])
    return Cell(
        score=None if any(o.pending for o in outcomes) else fmean(o.score for o in outcomes),
        answers=tuple(o.answer for o in outcomes),
        stops=tuple(o.stop for o in outcomes),
        errors=tuple(o.error for o in outcomes if o.error),
        calls=fmean(o.totals.calls for o in outcomes),
        seconds=fmean(o.totals.seconds for o in outcomes),
        cached=totals.cached / totals.calls if totals.calls else 0.0,
        cost_usd=totals.cost_usd,
    )


def _sum(parts: Sequence[Totals]) -> Totals:
    """Of one part that part itself: there are tables of many tasks, each run once."""
    return reduce(add, parts) if parts else Totals()


def _side(view: StudyView, candidate: Candidate, split: Split, scores: Mapping[str, float]) -> Side:
    outcomes = view.outcomes(candidate.number, split)
    fresh = [o.totals.seconds for o in outcomes if not o.totals.cached]
    return Side(
        number=candidate.number,
        name=name_of(view.study, candidate),
        text=candidate.text,
        made=candidate.operator,
        error=candidate.error,
        score=bootstrap([scores[task] for task in sorted(scores)]) if scores else None,
        runs=len(outcomes),
        valid=fmean(is_valid(o) for o in outcomes) if outcomes else None,
        totals=_sum([o.totals for o in outcomes]),
        judge=_sum([o.judge for o in outcomes]),
        p50_s=median(fresh) if fresh else None,
    )


def _missing(view: StudyView, candidate: int, split: Split) -> int:
    """Runs that are still to be done for the whole split; none of a text that cannot run."""
    if view.candidates[candidate].error:
        return 0
    wanted = len(view.study.splits.get(split, ())) * view.study.spec.repeats
    return max(0, wanted - len(view.outcomes(candidate, split)))
