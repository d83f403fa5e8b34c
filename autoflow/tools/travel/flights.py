"""Flights: nearly four million rows in the benchmark, so they are kept in a private SQLite file that ends with us.

Reading those takes half a minute to a minute, once a process; a search then takes well under a millisecond.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from autoflow.errors import SettingsError
from autoflow.tools.travel.table_file import OpenTable, TableFile

COLUMNS = (
    "Flight Number", "Price", "DepTime", "ArrTime", "ActualElapsedTime", "FlightDate", "OriginCityName", "DestCityName",
    "Distance",
)  # fmt: skip
_TABLE = """
CREATE TABLE flights (
    number TEXT, price REAL CHECK (typeof(price) = 'real' AND price >= 0 AND price < 1e9), departs TEXT, arrives TEXT,
    elapsed TEXT, day TEXT, origin TEXT, destination TEXT, miles TEXT
)"""
_ROUTE = "SELECT * FROM flights WHERE origin = ? AND destination = ?"


@dataclass(frozen=True, slots=True)
class Flight:
    number: str
    price: float  # dollars, a person
    departs: str  # 15:30
    arrives: str
    elapsed: str  # 3 hours 0 minutes
    day: str  # 2022-03-22
    origin: str
    destination: str
    miles: str


class Flights:
    """All flights of a file. Safe to share between threads.

    Raises SettingsError: the file cannot be read to its end.
    """

    def __init__(self, file: TableFile) -> None:
        self._lock = threading.Lock()
        # An empty name: a file that only this connection has, and that goes with it.
        self._base = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):  # 64 MB of memory at most
            self._base.execute(f"PRAGMA {pragma}")
        self._base.execute(_TABLE)
        with file.open() as table:
            self._fill(table)
        self._base.execute("CREATE INDEX route ON flights (origin, destination, day)")

    def on(self, origin: str, destination: str, day: str) -> Sequence[Flight]:
        """Flights of a day, in the order of the file. Cities as the file spells them; `day` is 2022-03-22."""
        return self._found(f"{_ROUTE} AND day = ? ORDER BY rowid", origin, destination, day)

    def numbered(self, number: str, origin: str, destination: str) -> Flight | None:
        """The flight of this number, if it goes between these cities, on whatever day."""
        found = self._found(f"{_ROUTE} AND number = ? COLLATE NOCASE ORDER BY rowid", origin, destination, number)
        return found[0] if found else None

    def _fill(self, table: OpenTable) -> None:
        self._base.execute("BEGIN")
        try:
            self._base.executemany("INSERT INTO flights VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", table.rows())
        except sqlite3.IntegrityError:
            raise table.fault("has a `Price` that is no number of 0 or more") from None
        except sqlite3.Error as error:  # the disk for temporary files is full, say
            raise SettingsError(f"The flights cannot be kept in a temporary file: {error}.") from error
        self._base.execute("COMMIT")

    def _found(self, query: str, *values: str) -> Sequence[Flight]:
        with self._lock:
            return [Flight(*row) for row in self._base.execute(query, values)]
