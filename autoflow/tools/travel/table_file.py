"""CSV files of strangers, row by row: what is damaged is told by file and line, and nothing is read without end.

Rows in which a wanted cell is empty are left out, as the benchmark leaves them out.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from autoflow.errors import SettingsError

MAX_LINE = 100_000  # bytes
MAX_NUMBER = 1e9
MAX_LINES = 100  # of one row: cells may hold line breaks, but an open quotation mark would swallow the file
SHOWN = 60  # characters of a cell in an error


@dataclass(frozen=True, slots=True)
class TableFile:
    """A CSV file with a header, of which some columns are wanted."""

    path: Path
    columns: tuple[str, ...]
    most_bytes: int

    def check(self) -> None:
        """Raises SettingsError: it is not there, too large, or lacks a column; its rows are not looked at."""
        with self.open():
            pass

    @contextmanager
    def open(self) -> Iterator[OpenTable]:
        """The file, its header read. Raises SettingsError as `check`."""
        check_file(self.path, self.most_bytes)
        try:
            stream = self.path.open("rb")
        except OSError as error:
            raise SettingsError(f"{self.path} cannot be read: {error.strerror or error}.") from error
        with stream:
            yield OpenTable(self, stream)


def check_file(path: Path, most_bytes: int) -> None:
    """Raises SettingsError: there is no such file (a device is none), or it is larger than this."""
    try:
        found, size = path.is_file(), path.stat().st_size
    except (OSError, ValueError):  # ValueError: a NUL in the name
        found, size = False, 0
    if not found:
        raise SettingsError(f"There is no file {path}.", "Give the folder `database` of TravelPlanner as a whole.")
    if size > most_bytes:
        raise SettingsError(f"{path} has more than {most_bytes / 1e6:,.0f} MB, the most that is read.")


class OpenTable:
    """The rows of one file. `line` is where reading stands, from 1, as an editor shows it."""

    def __init__(self, file: TableFile, stream: BinaryIO) -> None:
        self._file = file
        self._since = 0  # lines since the last row
        self._reader = csv.reader(self._lines(stream))
        self._places = self._find(self._next_row() or [])

    @property
    def line(self) -> int:
        return self._reader.line_num

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The wanted cells of each row that has all of them.

        Raises SettingsError: a row has fewer cells than are wanted, is no text in UTF-8, or does not end.
        """
        pick = itemgetter(*self._places)
        while (row := self._next_row()) is not None:
            try:
                cells = pick(row) if row else ()
            except IndexError:
                raise self.fault(
                    f"has {len(row)} cells, but a wanted column is number {max(self._places) + 1}"
                ) from None
            if cells and all(cells):
                yield cells

    def fault(self, words: str, after: int = 0) -> SettingsError:
        """An error about the line that was read last, or about one so many lines after it."""
        return SettingsError(
            f"Line {self.line + after:,} of {self._file.path} {words}.", "Correct it, or take the row out."
        )

    def number(self, column: str, cell: str, *, least: float = 0.0) -> float:
        """The number in a cell. Raises SettingsError: it is none, below `least`, or beyond all sense."""
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not least <= value < MAX_NUMBER:
            raise self.fault(f"has `{cell[:SHOWN]}` as `{column}`, which is no number of {least:g} or more")
        return value

    def _next_row(self) -> list[str] | None:
        self._since = 0
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise self.fault(f"cannot be read as CSV: {error}") from error

    def _lines(self, stream: BinaryIO) -> Iterator[str]:
        """Line by line: what is no text is told by its line, and a file without line breaks is not read whole."""
        while line := stream.readline(MAX_LINE + 1):
            self._since += 1
            if len(line) > MAX_LINE:
                raise self.fault(f"is longer than {MAX_LINE:,} bytes", 1)
            if self._since > MAX_LINES:
                raise self.fault("is in a cell whose quotation mark is never closed")
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise self.fault("is no text in UTF-8", 1) from error
            yield text if self.line else text.removeprefix("\ufeff")

    def _find(self, header: Sequence[str]) -> list[int]:
        names = [name.strip() for name in header]
        missing = [column for column in self._file.columns if column not in names]
        if missing:
            listed = ", ".join(f"`{column}`" for column in missing)
            word = "column" if len(missing) == 1 else "columns"
            raise SettingsError(
                f"{self._file.path} lacks the {word} {listed}.", "Its first line must name them as the benchmark does."
            )
        return [names.index(column) for column in self._file.columns]
