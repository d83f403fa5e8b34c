"""CSV, TSV and pasted cells: the delimiter found, the header found, ragged rows made even."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from autoflow.errors import SettingsError
from autoflow.suites.table_cells import MAX_ROWS, Parsed, check_counts, rows_named
from autoflow.suites.table_names import is_usual

_DELIMITERS = ("\t", ",", ";", "|")
_NONE = "\x1f"  # stands in no text of people: the whole line is one cell
_SAMPLE = 65_536  # characters that the delimiter is judged by
_SAMPLE_ROWS = 200
_LEAST_FIT = 0.3  # share of the rows that must have the same number of cells
_LONG_NAME = 200  # characters; a cell of the first row that is longer is no name
_FIELD_LIMIT = 2**31 - 1  # the size of the whole text is limited already; csv's own limit is 128 KB
Rows = list[list[str]]


def parse_delimited(text: str, shown: str, ending: str, header: bool | None) -> Parsed:
    """The cells of a text with delimiters.

    Args:
        ending: of the file name; `.tsv` and `.tab` are cells between tabs.
        header: whether the first row holds names; None: as it looks.
    Raises SettingsError: too large.
    """
    delimiter, text = _delimiter(text, ending)
    rows = _read(text, delimiter, shown)
    blank = next(n for n, row in enumerate(rows) if any(cell.strip() for cell in row))
    rows = rows[blank:]
    width = max(map(_filled, rows))
    check_counts(len(rows) - 1, width, shown)
    why = _why_data(rows) if header is None else ""
    named = header if header is not None else not why
    names = rows[0][: _filled(rows[0])] if named else []
    body = rows[1:] if named else rows
    even = tuple(tuple(row[:width]) + ("",) * (width - len(row)) for row in body)
    first = blank + (2 if named else 1)
    notes = [f"The first row was read as data, not as column names, because {why}."] if why else []
    notes += _ragged(body, len(names) or width, first) + _unclosed(text, rows, blank)
    columns = [*names, *[""] * (width - len(names))]
    return Parsed(columns, even, "tsv" if delimiter == "\t" else "csv", first, notes)


def _delimiter(text: str, ending: str) -> tuple[str, str]:
    """The delimiter, and the text without the line in which Excel says it (`sep=;`)."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == 5 and first[4] != '"':
        return first[4], rest
    if ending in (".tsv", ".tab"):
        return "\t", text
    sample = text[:_SAMPLE]
    found = max(_DELIMITERS, key=lambda d: _fit(sample, d, whole=len(text) <= _SAMPLE))
    return (found if _fit(sample, found, whole=len(text) <= _SAMPLE) > (_LEAST_FIT, 0) else _NONE), text


def _fit(sample: str, delimiter: str, *, whole: bool) -> tuple[float, int]:
    """How well it cuts: the share of rows with the most usual number of cells (0 where that is one), and the number."""
    rows = [row for row in _records(sample, delimiter, _SAMPLE_ROWS) if row]
    if not whole and 1 < len(rows) < _SAMPLE_ROWS:
        rows.pop()  # the sample may end inside of it
    widths = Counter(map(len, rows))
    (width, count), *_ = widths.most_common(1) or [(1, 0)]
    if width == 1 and rows and len(rows[0]) > 1:  # rows of one cell below a header of several: ragged
        width, count = len(rows[0]), widths[len(rows[0])]
    return (count / len(rows), width) if width > 1 else (0.0, 0)


def _records(text: str, delimiter: str, most: int) -> Rows:
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [row for row, _ in zip(reader, range(most), strict=False)]


def _read(text: str, delimiter: str, shown: str) -> Rows:
    """All rows, without the empty ones at the end. Raises SettingsError: too many."""
    try:
        rows = _records(text.rstrip("\r\n"), delimiter, MAX_ROWS + 2)
    except csv.Error as error:
        raise SettingsError(f"{shown} cannot be read as a table: {error}.", "Save it as CSV in UTF-8 again.") from error
    check_counts(len(rows) - 1, 0, shown)
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise SettingsError(f"{shown} has no cell with anything in it.", "Fill in at least one row below the names.")
    return rows


def _why_data(rows: Sequence[Sequence[str]]) -> str:
    """Why the first row can be no row of names; empty where it can.

    A name is no number above a column of numbers, is not long, and does not come again as a value of its column. A
    name that people usually give to columns settles it.
    """
    names, body = rows[0], [row for row in rows[1:] if row]
    if any(map(is_usual, names)):
        return ""
    if any(len(cell) > _LONG_NAME for cell in names):
        return "one of its cells is too long for a name"
    for at, name in enumerate(names):
        values = [row[at].strip() for row in body if at < len(row)]
        if not name.strip() or not values:
            continue
        if _is_number(name) and all(map(_is_number, values)):
            return f"`{name.strip()[:40]}` stands above numbers"
        if name.strip() in values:
            return f"`{name.strip()[:40]}` comes again in its column"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return True


def _filled(row: Sequence[str]) -> int:
    """Cells up to the last one that holds anything."""
    return next((n for n in range(len(row), 0, -1) if row[n - 1].strip()), 0)


def _ragged(body: Sequence[Sequence[str]], usual: int, first: int) -> list[str]:
    short = [first + n for n, row in enumerate(body) if row and len(row) < usual]
    long = [first + n for n, row in enumerate(body) if _filled(row) > usual]
    notes = []
    if short:
        notes.append(f"Fewer cells than columns: {rows_named(short)}. The missing ones are empty.")
    if long:
        notes.append(f"More cells than column names: {rows_named(long)}. The table got columns for them.")
    return notes


def _unclosed(text: str, rows: Sequence[Sequence[str]], blank: int) -> list[str]:
    """A quotation mark that opens a cell and is never closed swallows all that follows it."""
    last = rows[-1]
    if text.count('"') % 2 == 0 or not any("\n" in cell or "\r" in cell for cell in last):
        return []
    number = blank + len(rows)
    return [
        f"In row {number} a cell begins with a quotation mark that is never closed: all that follows is in that cell."
    ]
