"""A comparison as CSV, one line a task, for spreadsheets. No cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from autoflow.report.comparison import Cell, ComparisonReport, TaskRow

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
HEAD = (
    "task", "objective", "expected", "score_a", "score_b", "difference", "answer_a", "answer_b", "stop_a", "stop_b",
    "error_a", "error_b", "calls_a", "calls_b", "seconds_a", "seconds_b", "cost_usd_a", "cost_usd_b",
)  # fmt: skip


def report_csv(report: ComparisonReport) -> str:
    """All tasks that either side was run on. An empty number is unknown; with repeats, numbers are means a run."""
    return written([HEAD, *(_line(row) for row in report.rows)])


def written(rows: Iterable[Iterable[str | float | None]]) -> str:
    """Rows as CSV with CRLF line ends (RFC 4180), every text defused."""
    file = io.StringIO()
    csv.writer(file).writerows([[defused(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
    return file.getvalue()


def defused(text: str) -> str:
    """Spreadsheets carry out a cell that begins like a formula, whoever wrote it; behind an apostrophe they show it."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _line(row: TaskRow) -> tuple[str | float | None, ...]:
    a, b = _figures(row.a), _figures(row.b)
    pairs = [value for pair in zip(a[1:], b[1:], strict=True) for value in pair]
    return (row.task, row.objective, row.expected, a[0], b[0], row.difference, *pairs)


def _figures(cell: Cell | None) -> tuple[str | float | None, ...]:
    """Score, answers, stops, errors, calls, seconds, cost."""
    if cell is None:
        return (None, "", "not run", "", None, None, None)
    texts = ("\n---\n".join(cell.answers), ", ".join(cell.stops), "\n---\n".join(cell.errors))
    return (cell.score, *texts, round(cell.calls, 2), round(cell.seconds, 3), cell.cost_usd)
