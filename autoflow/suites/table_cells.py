"""Cells of tables: what a spreadsheet would calculate, and what the parts of reading hand to each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autoflow.errors import SettingsError

MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_CELLS = 5_000_000  # rows times columns: one long row makes all others as long
Format = Literal["csv", "tsv", "jsonl", "json"]
_FORMULA = frozenset("=+-@＝＋－＠")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)? ?%?")


@dataclass(frozen=True, slots=True)
class Parsed:
    """Cells as they were found, before columns get names that are distinct."""

    columns: Sequence[str]
    rows: tuple[tuple[str, ...], ...]  # each as long as `columns`
    format: Format
    first_row: int  # number of the first of `rows`, as a spreadsheet or an editor shows it
    notes: Sequence[str] = ()


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet might calculate this cell: it begins with `=`, `+`, `-` or `@` and is no number."""
    start = cell[:1] if cell[:1] > " " else cell.lstrip()[:1]
    return start in _FORMULA and _NUMBER.fullmatch(cell.strip()) is None


def defused(cell: str) -> str:
    """The cell with a `'` before what would be a formula, so that a spreadsheet shows it and calculates nothing.

    For every CSV that is handed out. Numbers stay as they are, `-5` as well.
    """
    return f"'{cell}" if is_formula(cell) else cell


def rows_named(numbers: Sequence[int]) -> str:
    """`row 4`, or `rows 4, 9, 12, 13, 20 and 40 more`."""
    more = f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else ""
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:5]))}{more}"


def check_counts(rows: int, columns: int, shown: str) -> None:
    """Raises SettingsError: more than a suite takes."""
    for count, most, what in ((rows, MAX_ROWS, "rows"), (columns, MAX_COLUMNS, "columns")):
        if count > most:
            raise SettingsError(f"{shown} has more than {most:,} {what}, the most that is read.", "Take a part of it.")
    if rows * columns > MAX_CELLS:
        raise SettingsError(
            f"{shown} has {rows:,} rows of {columns:,} columns; {MAX_CELLS:,} cells are the most that is read.",
            "Leave out columns or rows.",
        )
