"""A benchmark as a table in the paper's form: a line a workflow of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoflow.report.grid import SIDES, GridCell, Scored, Side, interval
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_scoring import COLUMNS, by_column, carried_out
from autoflow.statistics import Comparison, Interval, compare

WORKFLOWS: dict[Side, str] = {"manual": "manual", "found": "generated", "plain": "plain prompt"}
WORDS: dict[Side, str] = {"manual": "manual workflow", "found": "found workflow", "plain": "plain prompt"}


@dataclass(frozen=True, slots=True)
class Line:
    """One workflow of one cell."""

    suite: str
    variant: str
    interpreter: str
    generator: str  # empty for workflows that no generator has part in
    workflow: str  # of `WORKFLOWS`
    metrics: Mapping[str, Interval]  # of `COLUMNS`; empty where plans are not carried out
    counts: Mapping[str, int]  # likewise, of how many tasks
    mean: Interval  # over tasks, in [0, 1]
    valid: float  # share of runs with a usable answer; of plans: the share of valid ones
    tasks: int
    calls: float  # mean a run
    gain: Comparison | None  # above the manual workflow, paired by task
    cell: GridCell
    scored: Scored

    @property
    def kept(self) -> Side | None:
        """What stands here in place of a generated workflow, as nothing better was found; None: it is what it says."""
        return self.cell.kept if self.generator else None


def lines(report: GridReport) -> list[Line]:
    """What was measured; manual workflow and plain prompt once for each interpreter: no generator has part in them."""
    told: list[Line] = []
    seen: set[tuple[int, int, int, Side]] = set()
    for one in report.cells:
        for side in SIDES:
            place = (one.cell.suite, one.cell.variant, one.cell.interpreter, side)
            if side in one.sides and (side == "found" or place not in seen):
                seen.add(place)
                told.append(_line(report, one, side))
    return told


def workflow_words(line: Line) -> str:
    """`generated`, and what was kept where the search found nothing better."""
    return f"{line.workflow} (the {WORDS[line.kept]} itself)" if line.kept else line.workflow


def span_words(found: Interval, tasks: int, places: int = 2) -> str:
    """`0.31 to 0.52`; a single task has no interval, as nothing varied."""
    return f"{found.low:.{places}f} to {found.high:.{places}f}" if tasks > 1 else "one task"


def average_words(found: Interval, tasks: int, places: int = 3) -> str:
    """`0.412 (0.31 to 0.52)`."""
    return f"{found.mean:.{places}f} ({span_words(found, tasks)})"


def count_words(line: Line, column: str) -> str:
    """`, n 7` beside a metric that fewer tasks of the line count for than there are."""
    n = line.counts.get(column, line.tasks)
    return "" if n == line.tasks else f", n {n}"


def metric_words(line: Line, column: str, places: int = 3) -> str:
    """`0.412 (0.31 to 0.52), n 7`."""
    found = line.metrics.get(column)
    if found is None:
        return "–"
    return average_words(found, line.counts[column], places) + count_words(line, column)


def kept_words(kept: Side) -> str:
    return f"nothing better than the {WORDS[kept]} was found"


def which_kept(one: GridCell) -> str:
    """`, which kept the manual workflow`: the generator of such a cell wrote nothing of what was scored."""
    return f", which kept the {WORDS[one.kept]}" if one.kept else ""


def columns(report: GridReport) -> tuple[str, ...]:
    """The metric columns that any line has."""
    there = {column for line in lines(report) for column in line.metrics}
    return tuple(column for column in COLUMNS if column in there)


def metric_gains(cell: GridCell) -> dict[str, Comparison]:
    """Column of the paper's table -> what was found above the manual workflow, paired by task."""
    if "found" not in cell.sides or "manual" not in cell.sides:
        return {}
    manual, found = (by_column(cell.sides[side].tasks) for side in ("manual", "found"))
    return {column: compare(manual[column], found[column]) for column in found if column in manual}


def _line(report: GridReport, one: GridCell, side: Side) -> Line:
    spec, scored = report.benchmark.spec, one.sides[side]
    parts = by_column(scored.tasks) if carried_out(spec.suites[one.cell.suite]) else {}
    return Line(
        suite=report.suites[one.cell.suite],
        variant=spec.variants[one.cell.variant].name,
        interpreter=spec.interpreters[one.cell.interpreter],
        generator=spec.generators[one.cell.generator] if side == "found" else "",
        workflow=WORKFLOWS[side],
        metrics={column: interval(tasks) for column, tasks in parts.items()},
        counts={column: len(tasks) for column, tasks in parts.items()},
        mean=scored.mean,
        valid=scored.valid,
        tasks=len(scored.tasks),
        calls=scored.calls,
        gain=one.gain if side == "found" else None,
        cell=one,
        scored=scored,
    )
