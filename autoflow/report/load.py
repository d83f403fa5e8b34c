"""A comparison from what the store holds: the study, its outcomes, the tasks of its suite, traces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from autoflow.errors import AutoFlowError, NotFound
from autoflow.interpret.trace import StepView, views
from autoflow.optimize.view import StudyView
from autoflow.report.compare import compare_candidates
from autoflow.report.comparison import ComparisonReport, TaskRow
from autoflow.report.html_traces import TracePair
from autoflow.store import SqlStore
from autoflow.study import Split, Study, SuiteSpec
from autoflow.suites.base import SuiteTask
from autoflow.suites.registry import TABLE, dealt_suite, title_of

TRACES = 6  # tasks that are shown step by step where nobody chose them
_MANY = 10_000  # studies


def load_view(store: SqlStore, study_id: str, only: Collection[int] | None = None) -> StudyView:
    """The study with all that it holds, or with the outcomes of these candidates only. Raises NotFound."""
    study = store.get_study(study_id)
    wanted: Iterable[int | None] = (None,) if only is None else sorted(set(only))
    outcomes = [outcome for number in wanted for _, outcome in store.study_outcomes(study_id, candidate=number)]
    return StudyView(study, store.study_candidates(study_id), outcomes)


def load_comparison(
    store: SqlStore, study_id: str, a: int, b: int, split: Split, tasks: Mapping[str, SuiteTask] | None = None
) -> ComparisonReport:
    """Two candidates of a study.

    Args:
        tasks: of the split, where they are at hand; None: the suite is opened.
    Raises NotFound: there is no such study or candidate.
    """
    view = load_view(store, study_id, (a, b))
    count = len(view.candidates)
    for number in (a, b):
        if not 0 <= number < count:
            known = f"Its candidates are 0 to {count - 1}." if count else "It has none yet."
            raise NotFound(f"The study {study_id} has no candidate {number}.", known)
    return compare_candidates(
        view, a, b, split, tasks=tasks_of(store, view.study, split) if tasks is None else tasks,
        proposed=proposed_by_a_model(store, view.study.spec.suite),
        test_openings=openings_of_test(store, view.study.spec.suite),
        suite=title_of(view.study.spec.suite, store.get_suite),
        training=store.training_steps(study_id) if view.study.spec.method == "lora" else (),
    )  # fmt: skip


def tasks_of(store: SqlStore, study: Study, split: Split) -> Mapping[str, SuiteTask]:
    """id -> task of a split; empty where the suite cannot be opened any more, which loses the objectives alone."""
    try:
        suite = dealt_suite(study.spec.suite, study.spec.judge, saved=store.get_suite)
    except AutoFlowError:
        return {}
    return {task.id: task for task in suite.tasks(split)}


def proposed_by_a_model(store: SqlStore, spec: SuiteSpec) -> tuple[str, ...]:
    """What of the suite a model proposed, in words; empty where people made all of it, or where it is gone."""
    if spec.name != TABLE:
        return ()
    from autoflow.suites.table_body import proposed_parts, read_body

    try:
        return proposed_parts(read_body(store.get_suite(str(spec.options.get("suite"))).body))
    except AutoFlowError:
        return ()


def openings_of_test(store: SqlStore, suite: SuiteSpec) -> int:
    """How often the sealed test of this suite and seed was opened, by all studies together.

    Sizes are not looked at: splits of other sizes share tasks, so that who saw the one test has seen of the other.
    """
    same = [s for s in store.list_studies(_MANY) if _same_tasks(s.spec.suite, suite)]
    return sum(study.test_uses for study in same)


def trace_pair(store: SqlStore, report: ComparisonReport, row: TaskRow, repeat: int = 0) -> TracePair:
    """What both sides did on one task; a side that was not run on it did nothing."""
    steps = (_steps(store, report.study.id, side.number, row.task, repeat) for side in (report.a, report.b))
    return TracePair(row, *steps)


def _steps(store: SqlStore, study_id: str, candidate: int, task: str, repeat: int) -> list[StepView]:
    try:
        return views(store.outcome_events(study_id, candidate, task, repeat))
    except NotFound:
        return []


def trace_pairs(store: SqlStore, report: ComparisonReport, tasks: Sequence[str] | None = None) -> list[TracePair]:
    """The traces of these tasks; None: of those that differ most, in either direction."""
    if tasks is None:
        chosen = sorted(report.different, key=lambda row: (-abs(row.difference or 0.0), row.task))[:TRACES]
    else:
        chosen = [row for row in report.rows if row.task in tasks]
    return [trace_pair(store, report, row) for row in chosen]


def _same_tasks(one: SuiteSpec, other: SuiteSpec) -> bool:
    return (one.name, one.seed, one.options) == (other.name, other.seed, other.options)
