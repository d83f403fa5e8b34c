"""The database of TravelPlanner on disk: six files in the benchmark's layout, read when they are first asked for.

ROOT/flights/clean_Flights_2022.csv                  see `flights.COLUMNS`
ROOT/googleDistanceMatrix/distance.csv               origin, destination, duration, distance
ROOT/restaurants/clean_restaurant_2022.csv           Name, City, Average Cost, Cuisines, Aggregate Rating
ROOT/attractions/attractions.csv                     Name, City, Address, Phone, Website
ROOT/accommodations/clean_accommodations_2022.csv    NAME, city, price, room type, house_rules, minimum nights,
                                                     maximum occupancy, review rate number
ROOT/background/citySet_with_states.txt              a city, a tab, its state

Other columns may be there, in any order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from autoflow.errors import SettingsError
from autoflow.tools.travel import flights, roads
from autoflow.tools.travel.flights import Flights
from autoflow.tools.travel.places import Accommodation, Attraction, ByCity, Cities, Restaurant
from autoflow.tools.travel.roads import Roads, read_roads
from autoflow.tools.travel.table_file import MAX_LINE, OpenTable, TableFile, check_file

MAX_BYTES = 100_000_000
MAX_FLIGHT_BYTES = 2_000_000_000
CITIES = "background/citySet_with_states.txt"
TABLES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "flights": ("flights/clean_Flights_2022.csv", flights.COLUMNS, MAX_FLIGHT_BYTES),
    "roads": ("googleDistanceMatrix/distance.csv", roads.COLUMNS, MAX_BYTES),
    "restaurants": (
        "restaurants/clean_restaurant_2022.csv",
        ("Name", "City", "Average Cost", "Cuisines", "Aggregate Rating"), MAX_BYTES,
    ),
    "attractions": ("attractions/attractions.csv", ("Name", "City", "Address", "Phone", "Website"), MAX_BYTES),
    "accommodations": (
        "accommodations/clean_accommodations_2022.csv",
        ("NAME", "city", "price", "room type", "house_rules", "minimum nights", "maximum occupancy",
         "review rate number"), MAX_BYTES,
    ),
}  # fmt: skip
T = TypeVar("T")


class Once(Generic[T]):
    """A value that is made when it is first asked for, in any thread; what making it raises is raised each time."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


class TravelDatabase:
    """What there is to travel with. Safe to share between threads.

    Each part raises SettingsError when it is first asked for: its file is damaged; by file and line.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.cities = Once(lambda: Cities(_cities(root / CITIES)))
        self.flights = Once(lambda: Flights(self._file("flights")))
        self.roads = Once(lambda: self._read("roads", lambda table: Roads(read_roads(table))))
        self.restaurants = Once(lambda: self._read("restaurants", lambda table: ByCity(_restaurants(table))))
        self.attractions = Once(lambda: self._read("attractions", lambda table: ByCity(_attractions(table))))
        self.accommodations = Once(lambda: self._read("accommodations", lambda table: ByCity(_accommodations(table))))

    def check(self) -> None:
        """Raises SettingsError: a folder, a file or a column is missing. Rows are not looked at: flights take long."""
        if not self._root.is_dir():
            raise SettingsError(f"There is no folder {self._root}.", "Give the folder `database` of TravelPlanner.")
        for name in TABLES:
            self._file(name).check()
        self.cities()

    def read(self) -> None:
        """All parts that were not read yet. Raises SettingsError: one is damaged."""
        for part in (
            self.cities, self.roads, self.restaurants, self.attractions, self.accommodations, self.flights,
        ):  # fmt: skip
            part()

    def _file(self, name: str) -> TableFile:
        path, columns, most = TABLES[name]
        return TableFile(self._root / path, columns, most)

    def _read(self, name: str, make: Callable[[OpenTable], T]) -> T:
        with self._file(name).open() as table:
            return make(table)


def open_database(folder: str) -> TravelDatabase:
    """The database in a folder, opened once a process as long as its files stay as they are.

    Raises SettingsError as `TravelDatabase.check`.
    """
    root = Path(folder).expanduser()
    database = _opened(root, tuple(_stamp(root / path) for path in [CITIES, *(file for file, _, _ in TABLES.values())]))
    database.check()
    return database


@lru_cache(maxsize=4)
def _opened(root: Path, stamps: tuple[tuple[int, int], ...]) -> TravelDatabase:
    return TravelDatabase(root)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _cities(path: Path) -> Iterator[tuple[str, str]]:
    check_file(path, MAX_BYTES)
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as lines:
            while line := lines.readline(MAX_LINE):
                number += 1
                city, _, state = (part.strip() for part in line.partition("\t"))
                if line.strip() and not (city and state):
                    raise SettingsError(f"Line {number:,} of {path} is no city, a tab and its state.", "Correct it.")
                if line.strip():
                    yield city, state
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text in UTF-8, after line {number:,}.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from error


def _restaurants(table: OpenTable) -> Iterable[Restaurant]:
    for name, city, cost, cuisines, rating in table.rows():
        listed = tuple(cuisine.strip() for cuisine in cuisines.split(","))
        yield Restaurant(name, city, table.number("Average Cost", cost), listed, rating)


def _attractions(table: OpenTable) -> Iterable[Attraction]:
    for row in table.rows():
        yield Attraction(*row)


def _accommodations(table: OpenTable) -> Iterable[Accommodation]:
    for name, city, price, room, rules, nights, occupancy, rating in table.rows():
        yield Accommodation(
            name, city, table.number("price", price), room, rules, int(table.number("minimum nights", nights)),
            int(table.number("maximum occupancy", occupancy, least=1)), rating,
        )  # fmt: skip
