"""A benchmark as it stands in a store: its cells, how far each is, and what follows from all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from autoflow.benchmark import Benchmark, Cell, cells
from autoflow.errors import AutoFlowError, NotFound
from autoflow.optimize.view import StudyView
from autoflow.records import Job
from autoflow.report.grid import (
    AgainstFirst,
    CellState,
    GridCell,
    Measured,
    Synergy,
    against_first,
    measure,
    synergy,
)
from autoflow.store import SqlStore
from autoflow.study import Outcome, Study, SuiteSpec, stop_words
from autoflow.suites.base import in_words
from autoflow.suites.registry import dealt_suite, title_of

_STATES: dict[str, CellState] = {
    "queued": "waiting", "running": "running", "pausing": "running", "cancelling": "running", "paused": "paused",
    "failed": "failed", "cancelled": "stopped", "done": "waiting",
}  # fmt: skip
GONE = "Its study was deleted."


@dataclass(frozen=True, slots=True)
class GridReport:
    """A benchmark as it stands."""

    benchmark: Benchmark
    cells: Sequence[GridCell]
    synergies: Sequence[Synergy]  # one a suite and variant where there is one
    variants: Sequence[AgainstFirst]  # one a suite and each variant but the first, where there is one
    suites: Sequence[str]  # how they are called

    @property
    def done(self) -> int:
        return sum(cell.state == "done" for cell in self.cells)

    @property
    def states(self) -> Counter[CellState]:
        return Counter(cell.state for cell in self.cells)

    def at(self, suite: int, variant: int) -> dict[tuple[int, int], GridCell]:
        """(generator, interpreter) -> cell."""
        found = [g for g in self.cells if (g.cell.suite, g.cell.variant) == (suite, variant)]
        return {(g.cell.generator, g.cell.interpreter): g for g in found}


def read_grid(store: SqlStore, benchmark: Benchmark, measured: Callable[[Study], Measured] | None = None) -> GridReport:
    """Read from the studies; one that was deleted leaves its cell empty.

    Args:
        measured: what a study that has ended came to, where that is kept; None: it is read from the store.
    """
    studies, jobs = store.benchmark_studies(benchmark.id), store.benchmark_jobs(benchmark.id)
    spec, read = benchmark.spec, measured or (lambda study: read_measured(store, study))
    ids = {cell.key: benchmark.studies.get(cell.key, "") for cell in cells(spec)}
    found = [_cell(c, ids[c.key], studies.get(ids[c.key]), jobs.get(ids[c.key]), read) for c in cells(spec)]
    places = list(product(range(len(spec.suites)), range(len(spec.variants))))
    mixed = (synergy(spec, found, *place) for place in places)
    against = (against_first(found, *place) for place in places)
    return GridReport(
        benchmark, found, [one for one in mixed if one is not None], [one for one in against if one is not None],
        [title_of(suite, store.get_suite) for suite in spec.suites],
    )  # fmt: skip


def objectives(store: SqlStore, benchmark: Benchmark) -> list[Mapping[str, str]]:
    """Of each suite, test task -> what it asks; nothing of a suite that cannot be opened any more."""
    return [_asked(store, suite, benchmark.spec.judge) for suite in benchmark.spec.suites]


def _asked(store: SqlStore, suite: SuiteSpec, judge: str) -> Mapping[str, str]:
    try:
        return {task.id: in_words(task) for task in dealt_suite(suite, judge, saved=store.get_suite).tasks("test")}
    except AutoFlowError:
        return {}


def read_measured(store: SqlStore, study: Study) -> Measured:
    """What a study that has ended came to. Raises NotFound: it was deleted meanwhile."""
    candidates = store.study_candidates(study.id)
    view = StudyView(study, candidates)
    shown = {c.number for c in (view.manual, view.plain) if c is not None} | {study.best}
    outcomes: list[Outcome] = []
    for number in sorted(n for n in shown if n is not None):
        outcomes += [outcome for _, outcome in store.study_outcomes(study.id, candidate=number)]
    view.add(outcomes=outcomes)
    return measure(view)


def _cell(
    cell: Cell, study_id: str, study: Study | None, job: Job | None, read: Callable[[Study], Measured]
) -> GridCell:
    if study is None:
        return GridCell(cell, study_id, "deleted", GONE)
    if study.stop is None:
        return GridCell(cell, study_id, _STATES[job.state] if job else "waiting", _how_far(study, job))
    try:
        measured = read(study)
    except NotFound:  # it was deleted while this was read
        return GridCell(cell, study_id, "deleted", GONE)
    words, stopped = stop_words(study.stop, study.spec.method), study.stop == "person" and not measured.sides
    if not measured.sides:
        words += " Nothing was measured: no workflow was run on all of its test."
    return GridCell(cell, study_id, "stopped" if stopped else "done", words, measured)


def _how_far(study: Study, job: Job | None) -> str:
    """`Round 3 of 10`, or why it does not go on."""
    if job is None:
        return "It was never queued."
    if job.state == "failed":
        return job.error or "The worker gave no reason."
    if job.state == "running":
        doing = str(job.live.get("status") or job.live.get("doing") or job.message or "")
        if doing:
            return doing
    return f"{study.rounds} of {study.spec.budget.max_rounds} rounds done"
