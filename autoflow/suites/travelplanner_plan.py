"""A plan read from an answer: a JSON list of days, alone or within other text. What cannot be read is no plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autoflow.metrics.structured import json_values
from autoflow.tools.travel.places import plain_city

Slot = Literal["transportation", "breakfast", "attraction", "lunch", "dinner", "accommodation"]
Meal = Literal["breakfast", "lunch", "dinner"]
Means = Literal["flight", "self-driving", "taxi"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
MEALS: tuple[Meal, ...] = get_args(Meal)
LONGEST_ANSWER = 200_000  # characters that are read
LONGEST_SLOT = 5_000  # likewise
MOST_DAYS = 100
FORM = (
    "Answer with the plan as a JSON list, one object for each day in order, with these keys: `day`: its number; "
    '`current_city`: the city of the day, or "from A to B" on a day of travel between cities; `transportation`: '
    '"Flight Number: F1234567, from A to B, Departure Time: 08:00, Arrival Time: 09:30", "Self-driving, from A to B" '
    'or "Taxi, from A to B"; `breakfast`, `lunch` and `dinner`: "Name, City"; `attraction`: "Name, City; Name, City"; '
    '`accommodation`: "Name, City". Write "-" where there is nothing.'
)
_ROUTE = re.compile(r"\bfrom\s", re.IGNORECASE)
_TO = re.compile(r"\sto\s", re.IGNORECASE)
_END = re.compile(r"[,;]")
_NUMBER = re.compile(r"flight number[\s:]*([^\s,;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """A restaurant, an attraction or a place to stay, as a plan names it."""

    name: str
    city: str  # empty where the plan does not say it

    def __str__(self) -> str:
        return f"`{self.name[:80]}, {self.city[:40]}`" if self.city else f"`{self.name[:120]}`"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a plan, from 1. A slot that is empty is "", one that the plan lacks is missing."""

    number: int
    current_city: str
    slots: Mapping[Slot, str]

    @property
    def route(self) -> tuple[str, str] | None:
        """The two cities of a day of travel; None: the day is spent in one city."""
        return read_route(self.current_city) if self.current_city.lower().startswith("from ") else None

    @property
    def cities(self) -> tuple[str, ...]:
        return self.route or (plain_city(self.current_city),)

    def text(self, slot: Slot) -> str:
        return self.slots.get(slot, "")

    def places(self, *slots: Slot) -> Iterator[tuple[Slot, Named]]:
        """What these slots name; attractions are listed between semicolons."""
        for slot in slots:
            pieces = self.text(slot).split(";") if slot == "attraction" else [self.text(slot)]
            yield from ((slot, read_named(piece)) for piece in pieces if not _is_empty(piece))

    @property
    def means(self) -> Means | None:
        """How one travels; None where the plan says nothing, or nothing that is known."""
        said = self.text("transportation").lower()
        return next((means for means in ("taxi", "self-driving", "flight") if means in said), None)

    @property
    def travelled(self) -> tuple[str, str] | None:
        """From where to where, as the transportation says it; else as the day does."""
        return read_route(self.text("transportation")) or self.route

    @property
    def flight_number(self) -> str:
        found = _NUMBER.search(self.text("transportation"))
        return found[1] if found else ""


def read_plan(answer: str) -> tuple[Day, ...] | None:
    """The days of the first plan in the answer; None: it holds none.

    A plan is a list of objects, or an object with one as its `plan`; every object has a `current_city`, save empty ones
    at the end, which are left out.
    """
    for value in json_values(answer[:LONGEST_ANSWER]):
        days = _days(value.get("plan") if isinstance(value, dict) else value)
        if days:
            return days
    return None


def read_route(text: str) -> tuple[str, str] | None:
    """The cities in `from A to B, ...`."""
    start = _ROUTE.search(text)
    between = _TO.search(text, start.end() - 1) if start else None
    if start is None or between is None:
        return None
    end = _END.search(text, between.end())
    cities = text[start.end() : between.start()], text[between.end() : end.start() if end else len(text)]
    origin, destination = (plain_city(city) for city in cities)
    return (origin, destination) if origin and destination else None


def read_named(text: str) -> Named:
    """`Name, City(State)`; the name may hold commas itself."""
    name, comma, city = text.rpartition(",")
    return Named(name.strip(), plain_city(city)) if comma else Named(text.strip(), "")


def _days(value: Any) -> tuple[Day, ...] | None:
    if not isinstance(value, list) or not all(isinstance(day, dict) for day in value):
        return None
    while value and not value[-1]:
        value = value[:-1]
    if not 0 < len(value) <= MOST_DAYS or not all(isinstance(day.get("current_city"), str) for day in value):
        return None
    return tuple(_day(number, day) for number, day in enumerate(value, 1))


def _day(number: int, day: Mapping[str, Any]) -> Day:
    slots = {slot: text for slot in SLOTS if (text := _text(day.get(slot, _MISSING))) is not None}
    return Day(number, _line(day["current_city"]), slots)


_MISSING = object()


def _text(value: object) -> str | None:
    """What a slot says, empty where it says nothing; None: it is not there, or no text and no list of texts."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "; ".join(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    text = _line(value)
    return "" if _is_empty(text) else text


def _line(text: str) -> str:
    """On one line, cut, and without halves of surrogate pairs, which no database holds."""
    return " ".join(text[:LONGEST_SLOT].encode("utf-8", "replace").decode().split())


def _is_empty(text: str) -> bool:
    return text.strip() in ("", "-")
