"""Every test task of a benchmark in its HTML file: a folded table a cell, manual workflow beside what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoflow.report.figures import plural, signed
from autoflow.report.grid import GridCell
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_scoring import column_of
from autoflow.report.grid_table import which_kept
from autoflow.report.grid_words import pair
from autoflow.report.markup import Markup, tag

MOST = 6_000  # rows in the file; browsers take seconds for more
LONGEST = 400  # characters of what a task asks


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One test task of one cell. None: that workflow was not run on it."""

    task: str
    asks: str
    column: str  # of the paper's table; empty where the suite has none
    manual: float | None
    plain: float | None
    found: float | None

    @property
    def difference(self) -> float | None:
        """What was found less the manual workflow."""
        return None if self.manual is None or self.found is None else round(self.found - self.manual, 9)


def task_lines(report: GridReport, one: GridCell, objectives: Mapping[str, str] | None = None) -> list[TaskLine]:
    """The tasks on which what was found is most above the manual workflow first."""
    suite, asks = report.benchmark.spec.suites[one.cell.suite], objectives or {}
    scores = {side: scored.tasks for side, scored in one.sides.items()}
    tasks = sorted({task for found in scores.values() for task in found})
    told = [
        TaskLine(
            t,
            asks.get(t, ""),
            column_of(suite, t),
            *(scores.get(side, {}).get(t) for side in ("manual", "plain", "found")),
        )
        for t in tasks
    ]
    return sorted(told, key=lambda line: (-(line.difference or 0.0), line.task))


def tasks_section(report: GridReport, objectives: Sequence[Mapping[str, str]] = ()) -> Markup | None:
    """None where nothing was measured."""
    measured = [one for one in report.cells if one.sides]
    if not measured:
        return None
    parts, rows = [], 0
    for one in measured:
        found = task_lines(report, one, objectives[one.cell.suite] if objectives else None)
        rows += len(found)
        if rows > MOST:
            break
        parts.append(_part(report, one, found))
    left_out = len(measured) - len(parts)
    words = f"{plural(left_out, 'cell')} left out here; the CSV of tasks has all of them." if left_out else None
    note = tag("p", words, class_="quiet") if words else None
    return tag("section", tag("h2", "Tasks"), note, *parts)


def _part(report: GridReport, one: GridCell, found: Sequence[TaskLine]) -> Markup:
    means = [f"{words} {one.sides[side].mean.mean:.2f}" for side, words in _WORDS if side in one.sides]  # type: ignore[index]
    summary = tag("summary", pair(report, one) + which_kept(one), " ", tag("span", ", ".join(means), class_="quiet"))
    names = ("Task", "Metric", "Manual", "Plain prompt", "Generated", "Generated − manual")
    metrics = any(line.column for line in found)
    shown = [name for name in names if metrics or name != "Metric"]
    head = tag("tr", *(tag("th", name, scope="col") for name in shown))
    rows = [_row(line, metrics) for line in found]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers")
    return tag("details", summary, tag("div", table, class_="wide", tabindex="0"), class_="trace")


_WORDS = (("manual", "manual"), ("plain", "plain prompt"), ("found", "generated"))


def _row(line: TaskLine, metrics: bool) -> Markup:
    asks = line.asks if len(line.asks) <= LONGEST else line.asks[: LONGEST - 1].rstrip() + "…"
    d = line.difference
    mark = "" if not d else "▲ " if d > 0 else "▼ "
    return tag(
        "tr",
        tag("th", asks or line.task, tag("div", line.task, class_="quiet") if asks else None, scope="row"),
        tag("td", line.column) if metrics else None,
        *(tag("td", "–" if s is None else f"{s:.2f}", class_="number") for s in (line.manual, line.plain, line.found)),
        tag("td", "–" if d is None else mark + signed(d), class_="number"),
    )
