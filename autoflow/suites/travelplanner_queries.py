"""Queries of TravelPlanner from a file: CSV as the benchmark publishes them, JSON lines or a JSON list.

Each has the fields `query`, `org`, `dest`, `days`, `visiting_city_number`, `people_number`, `budget`,
`local_constraint`, and `level` where it is there. The benchmark publishes its test queries without the fields that
plans are scored by, so that those cannot be used here.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from autoflow.errors import SettingsError
from autoflow.suites.table_read import Table, read_file
from autoflow.tools.travel.places import key

MAX_QUERIES = 10_000
MAX_DAYS = 31
LONGEST_CELL = 5_000  # characters of a constraint
NEEDED = ("query", "org", "dest", "days", "visiting_city_number", "people_number", "budget", "local_constraint")
HOUSE_RULES: Mapping[str, str] = {  # what people want to do -> what a room forbids
    "smoking": "no smoking", "parties": "no parties", "parities": "no parties", "pets": "no pets",
    "visitors": "no visitors", "children under 10": "no children under 10",
}  # fmt: skip
ROOM_TYPES: Mapping[str, tuple[str, bool]] = {  # what is wanted -> a room type, and whether it is to be that or not
    "entire room": ("entire home/apt", True), "private room": ("private room", True),
    "shared room": ("shared room", True), "not shared room": ("shared room", False),
}  # fmt: skip
TRANSPORTATION: Mapping[str, str] = {"no flight": "flight", "no self-driving": "self-driving"}  # -> what is not wanted
SHOWN = 60  # characters of a cell in an error


@dataclass(frozen=True, slots=True)
class Query:
    """A trip that somebody wants."""

    id: str  # the same for the same query, in whatever file
    text: str
    origin: str
    destination: str  # a city, or for trips of more than three days usually a state
    days: int
    cities: int  # to visit, the origin not counted
    people: int
    budget: float  # dollars, all people together
    house_rule: str | None = None  # a key of HOUSE_RULES, and so on
    cuisines: tuple[str, ...] = ()
    room_type: str | None = None
    transportation: str | None = None
    level: str = ""  # easy, medium, hard

    @property
    def wishes(self) -> str:
        """What is asked, in words."""
        wanted = [
            f"{self.days} days from {self.origin} to {self.destination} and back",
            f"{self.cities} {'city' if self.cities == 1 else 'cities'}",
            f"{self.people} {'person' if self.people == 1 else 'people'}", f"at most {self.budget:,.0f} dollars",
        ]  # fmt: skip
        wanted += [f"{name} allowed" for name in (self.house_rule,) if name]
        wanted += [" and ".join(self.cuisines) + " food"] if self.cuisines else []
        return ", ".join([*wanted, *filter(None, (self.room_type, self.transportation))])


def read_queries(path: str) -> tuple[Query, ...]:
    """The queries of a file; one that comes twice is read once.

    Raises SettingsError: the file cannot be read, lacks a field, or a row of it breaks the form; by its row.
    """
    table = read_file(path, header=True)
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise SettingsError(
            f"{path} lacks the field{'s' if len(missing) > 1 else ''} {', '.join(f'`{name}`' for name in missing)}.",
            "The benchmark publishes its test queries without them: take the train or the validation queries.",
        )
    if len(table.rows) > MAX_QUERIES:
        raise SettingsError(f"{path} has {len(table.rows):,} queries; at most {MAX_QUERIES:,} are read.")
    rows = enumerate(zip(*(table.column(name) for name in NEEDED), strict=True))
    levels = table.column("level") if "level" in table.columns else [""] * len(table.rows)
    found = (_query(_Row(path, table, at, dict(zip(NEEDED, row, strict=True))), levels[at]) for at, row in rows)
    return tuple({query.id: query for query in found}.values())


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells of one query by field. All raise SettingsError, naming the row."""

    path: str
    table: Table
    at: int
    cells: Mapping[str, str]

    def text(self, name: str) -> str:
        value = " ".join(self.cells[name].split())
        if not value:
            raise self.fault(f"has no `{name}`")
        return value

    def number(self, name: str, least: int, most: float) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            value = -1.0
        if not least <= value <= most:
            raise self.fault(
                f"has `{self.cells[name][:SHOWN]}` as `{name}`, which is no number from {least} to {most:,.0f}"
            )
        return value

    def constraints(self) -> Mapping[str, Any]:
        """`local_constraint`: an object as JSON, or as Python writes it."""
        cell = self.cells["local_constraint"].strip() or "{}"
        for read in (json.loads, ast.literal_eval):
            try:
                value = read(cell) if len(cell) <= LONGEST_CELL else None
            except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
                continue
            if isinstance(value, dict):
                return {key(str(name)): wanted for name, wanted in value.items()}
        raise self.fault(f"has `{cell[:SHOWN]}` as `local_constraint`, which is no object")

    def choice(self, name: str, value: object, known: Mapping[str, Any]) -> str | None:
        """One of the known ones; None where nothing is asked."""
        if value in (None, "", "-"):
            return None
        if not isinstance(value, str) or key(value) not in known:
            listed = ", ".join(f"`{one}`" for one in known)
            raise self.fault(f"asks for `{str(value)[:SHOWN]}` as `{name}`, which is none of {listed}")
        return key(value)

    def texts(self, name: str, value: object) -> tuple[str, ...]:
        if value in (None, "", "-"):
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(one, str) and one.strip() for one in listed):
            raise self.fault(f"has `{str(value)[:SHOWN]}` as `{name}`, which is no list of names")
        return tuple(dict.fromkeys(" ".join(one.split()) for one in listed))

    def fault(self, words: str) -> SettingsError:
        return SettingsError(f"Row {self.at + self.table.first_row} of {self.path} {words}.", "Correct the row.")


def _query(row: _Row, level: str) -> Query:
    wanted = row.constraints()
    text = row.text("query")
    query = Query(
        "", text, row.text("org"), row.text("dest"),
        days=int(row.number("days", 1, MAX_DAYS)), cities=int(row.number("visiting_city_number", 1, MAX_DAYS)),
        people=int(row.number("people_number", 1, 1000)), budget=row.number("budget", 0, 1e9),
        house_rule=row.choice("house rule", wanted.get("house rule"), HOUSE_RULES),
        cuisines=row.texts("cuisine", wanted.get("cuisine")),
        room_type=row.choice("room type", wanted.get("room type"), ROOM_TYPES),
        transportation=row.choice("transportation", wanted.get("transportation"), TRANSPORTATION),
        level=" ".join(level.split())[:SHOWN],
    )  # fmt: skip
    mark = hashlib.sha256(f"{text}\n{query.wishes}".encode()).hexdigest()[:10]
    return replace(query, id=f"travel-{mark}")
