"""What the database knows of places: cities by state, and what there is in each city."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


def key(text: str) -> str:
    """What names are compared by: case and white space aside, as models write names again in their own way."""
    return " ".join(text.split()).casefold()


def plain_city(text: str) -> str:
    """The city without its state: `Elmford(Westmark)` is `Elmford`."""
    return text.partition("(")[0].strip()


class Place(Protocol):
    """Something with a name in a city."""

    @property
    def name(self) -> str: ...
    @property
    def city(self) -> str: ...


P = TypeVar("P", bound=Place)


@dataclass(frozen=True, slots=True)
class Restaurant:
    name: str
    city: str
    cost: float  # dollars, a meal and person
    cuisines: tuple[str, ...]
    rating: str


@dataclass(frozen=True, slots=True)
class Attraction:
    name: str
    city: str
    address: str
    phone: str
    website: str


@dataclass(frozen=True, slots=True)
class Accommodation:
    name: str
    city: str
    price: float  # dollars, a night and room
    room_type: str
    house_rules: str  # what is forbidden: `No smoking & No pets`
    minimum_nights: int
    maximum_occupancy: int  # people, a room
    rating: str


class ByCity(Generic[P]):
    """Places by city, in the order of their file."""

    def __init__(self, places: Iterable[P]) -> None:
        self._of: dict[str, list[P]] = defaultdict(list)
        self._named: dict[tuple[str, str], list[P]] = defaultdict(list)
        for place in places:
            self._of[key(place.city)].append(place)
            self._named[key(place.name), key(place.city)].append(place)

    def of(self, city: str) -> Sequence[P]:
        return self._of.get(key(city), ())

    def named(self, name: str, city: str) -> Sequence[P]:
        """All of this name in the city: none, one, or several that a name alone does not tell apart."""
        return self._named.get((key(name), key(city)), ())


class Cities:
    """Cities and the state of each. A name may be that of a city and of a state."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._cities: dict[str, tuple[str, str]] = {}
        self._states: dict[str, tuple[str, list[str]]] = {}
        for city, state in pairs:
            self._cities.setdefault(key(city), (city, state))
            self._states.setdefault(key(state), (state, []))[1].append(city)

    def city(self, text: str) -> str | None:
        """The city as the database spells it; None: it has none of this name."""
        found = self._cities.get(key(plain_city(text)))
        return found[0] if found else None

    def state_of(self, city: str) -> str | None:
        found = self._cities.get(key(plain_city(city)))
        return found[1] if found else None

    def in_state(self, state: str) -> Sequence[str] | None:
        """None: there is no such state."""
        found = self._states.get(key(state))
        return found[1] if found else None

    def like_city(self, text: str) -> str:
        """A hint: the city that may have been meant."""
        return _like(plain_city(text), [city for city, _ in self._cities.values()])

    def like_state(self, text: str) -> str:
        return _like(text, [state for state, _ in self._states.values()])


def _like(text: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(text[:100], names, n=1)
    return f"Did you mean `{near[0]}`?" if near else ""
