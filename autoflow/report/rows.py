"""Which tasks of a comparison are shown, and in what order: for tables that may be long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autoflow.report.comparison import Cell, ComparisonReport, TaskRow

Show = Literal["different", "all"]
Order = Literal["dealt", "most", "b", "a"]
ORDERS: dict[Order, str] = {
    "dealt": "as dealt", "most": "largest difference first", "b": "B better first", "a": "A better first",
}  # fmt: skip


def chosen_rows(report: ComparisonReport, show: Show = "all", words: str = "", order: Order = "dealt") -> list[TaskRow]:
    """The rows that hold all of `words` (whatever their case) in what was asked, expected, answered or went wrong.

    Args:
        show: only those that differ in score, or all.
        order: `most` is by the size of the difference, `a` and `b` by who won; among equals as dealt.
    """
    wanted = words.casefold().split()
    rows = report.different if show == "different" else report.rows
    found = [row for row in rows if not wanted or _holds(row, wanted)]
    return found if order == "dealt" else sorted(found, key=lambda row: _rank(row, order))


def _holds(row: TaskRow, wanted: Sequence[str]) -> bool:
    text = " ".join([row.task, row.objective, row.expected, *_said(row.a), *_said(row.b)]).casefold()
    return all(word in text for word in wanted)


def _said(cell: Cell | None) -> tuple[str, ...]:
    return (*cell.answers, *cell.errors) if cell else ()


def _rank(row: TaskRow, order: Order) -> float:
    """Rows without a difference come last."""
    if row.difference is None:
        return float("inf")
    return {"most": -abs(row.difference), "b": -row.difference, "a": row.difference, "dealt": 0.0}[order]
