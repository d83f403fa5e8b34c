"""Tables of people: CSV with any usual delimiter, TSV, JSON lines, a JSON list, or cells pasted from a spreadsheet.

Whatever is read, the cells are plain text: nothing is calculated, no number is reformatted. What had to be assumed or
mended stands in the notes of the table.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from autoflow.errors import SettingsError
from autoflow.suites.table_cells import Format, Parsed, check_counts, defused, is_formula
from autoflow.suites.table_decode import clean, decode
from autoflow.suites.table_delimited import parse_delimited
from autoflow.suites.table_json import parse_json

__all__ = ["MAX_BYTES", "Table", "defused", "read_file", "read_pasted", "read_table"]
MAX_BYTES = 25 * 2**20
NAME_CHARACTERS = 100  # of a column; the rest is cut
FORMULAS = "All cells are plain text here; nothing is calculated."  # ends the note of them
_TAKES = "It takes a row of column names and at least one row below it."


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; every row has one for each column."""

    columns: tuple[str, ...]  # distinct in any spelling of case, none empty
    rows: tuple[tuple[str, ...], ...]  # empty ones between others are kept, so that rows can be counted
    notes: tuple[str, ...] = ()  # what was assumed or mended, in sentences
    encoding: str = ""  # of the file; empty for pasted text
    format: Format = "csv"
    first_row: int = 2  # number of the first of `rows`, as a spreadsheet or an editor shows it

    def place(self, name: str) -> int:
        """Where the column stands, from 0. Raises SettingsError: there is none of this name."""
        if name not in self.columns:
            known = ", ".join(f"`{column}`" for column in self.columns[:20])
            raise SettingsError(f"The table has no column `{name[:80]}`.", f"It has {known}.")
        return self.columns.index(name)

    def column(self, name: str) -> list[str]:
        """All cells of a column. Raises SettingsError: there is none of this name."""
        at = self.place(name)
        return [row[at] for row in self.rows]


def read_table(data: bytes, filename: str = "", *, header: bool | None = None) -> Table:
    """The table in the content of a file.

    Args:
        filename: its ending tells the format, where it is a usual one; else the content does.
        header: whether the first row of a CSV or TSV holds the names of the columns; None: as it looks.
    Raises SettingsError: larger than 25 MB, more than 200,000 rows, 500 columns or 5,000,000 cells, no text, empty,
        broken JSON, or nothing below the header.
    """
    shown = f"`{filename[-200:]}`" if filename else "The file"
    _check_size(len(data), shown)
    text, encoding, notes = decode(data, shown)
    return _table(text, shown, filename, encoding, notes, header)


def read_file(path: str, *, header: bool | None = None) -> Table:
    """The table in the file at `path`. Raises as `read_table`, and where the file cannot be read."""
    try:
        if os.path.isdir(path):
            raise SettingsError(f"`{path}` is a folder, not a table.", "Name a CSV or JSONL file.")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise SettingsError(f"There is no file `{path}`.", "Check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SettingsError(f"`{path}` cannot be read: {reason}.") from error
    return read_table(data, os.path.basename(path), header=header)


def read_pasted(text: str, *, header: bool | None = None) -> Table:
    """The table in pasted text: cells between tabs or commas, JSON lines, or a JSON list. Raises as `read_table`."""
    shown = "The pasted text"
    _check_size(len(text), shown)
    return _table(text, shown, "", "", [], header)


def _check_size(size: int, shown: str) -> None:
    if size > MAX_BYTES:
        raise SettingsError(
            f"{shown} is larger than {MAX_BYTES // 2**20} MB, the most that is read.", "Take a part of it."
        )


def _table(text: str, shown: str, filename: str, encoding: str, notes: list[str], header: bool | None) -> Table:
    text = clean(text.removeprefix("\ufeff"))
    if not text.strip():
        raise SettingsError(f"{shown} is empty.", _TAKES)
    ending = os.path.splitext(filename)[1].lower()
    parsed = parse_json(text, shown, ending) or parse_delimited(text, shown, ending, header)
    if not parsed.rows:
        raise SettingsError(f"{shown} has column names, but no row below them.", _TAKES)
    check_counts(len(parsed.rows), len(parsed.columns), shown)
    columns, renamed = _names(parsed.columns)
    notes = [*notes, *parsed.notes, *renamed, *_formulas(parsed)]
    return Table(columns, parsed.rows, tuple(notes), encoding, parsed.format, parsed.first_row)


def _names(given: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Distinct names for the columns, and what was changed for that."""
    found: list[str] = []
    notes = []
    taken: set[str] = set()
    for at, raw in enumerate(given):
        wanted = " ".join(raw.split())[:NAME_CHARACTERS].strip() or f"Column {_letters(at)}"
        name, count = wanted, 1
        while name.casefold() in taken:
            count += 1
            name = f"{wanted} {count}"
        if name != wanted:
            notes.append(f"More than one column is called `{wanted}`; one of them is `{name}` here.")
        taken.add(name.casefold())
        found.append(name)
    return tuple(found), notes


def _letters(at: int) -> str:
    """A, B, ... Z, AA: how spreadsheets call the column at this place, counted from 0."""
    return (_letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _formulas(parsed: Parsed) -> list[str]:
    count = sum(is_formula(cell) for row in parsed.rows for cell in row)
    if not count:
        return []
    cells = "1 cell begins" if count == 1 else f"{count:,} cells begin"
    return [f"{cells} with =, +, - or @, as formulas do. {FORMULAS}"]
