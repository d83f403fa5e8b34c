"""The six search tools of TravelPlanner over a database: each gives what there is, a page at a time.

What the benchmark's own tools give as well and these leave out, as no plan needs it: latitudes and longitudes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date as Date

from autoflow.errors import ToolArgumentError
from autoflow.tools.base import Tool
from autoflow.tools.decorator import tool
from autoflow.tools.travel.database import TravelDatabase
from autoflow.tools.travel.roads import Mode

SOURCE = "suite:travelplanner"
PAGE_CHARACTERS = 6_500  # below what a model is told of one result
CELL_CHARACTERS = 200
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Row = Sequence[object]


def travel_tools(database: TravelDatabase) -> tuple[Tool, ...]:
    """The tools. Each raises ToolArgumentError for a city, a state or a date that is none. Preparing them reads the
    database, and raises SettingsError where a file of it is damaged."""
    search = TravelSearch(database)
    found = (
        search.flight_search, search.distance_matrix, search.restaurant_search, search.attraction_search,
        search.accommodation_search, search.city_search,
    )  # fmt: skip
    return tuple(replace(tool(method), source=SOURCE, prepare=search.prepare) for method in found)


class TravelSearch:
    """What the tools do. Docstrings are what a model is told of them."""

    def __init__(self, database: TravelDatabase) -> None:
        self._database = database

    async def prepare(self) -> None:
        await asyncio.to_thread(self._database.read)

    def flight_search(self, origin: str, destination: str, date: str, page: int = 1) -> str:
        """Flights between two cities on one day. Prices are in dollars for one person.

        Args:
            origin: the city of departure.
            destination: the city of arrival.
            date: the day, as 2022-03-16.
            page: of a long list.
        """
        start, end, day = self._city(origin), self._city(destination), _day(date)
        rows = [
            (f.number, f"{f.price:g}", f.departs, f.arrives, f.elapsed, f.miles)
            for f in self._database.flights().on(start, end, day)
        ]
        head = ("Flight Number", "Price", "Departure Time", "Arrival Time", "Duration", "Miles")
        return listed(f"flights from {start} to {end} on {day}", head, rows, page)

    def distance_matrix(self, origin: str, destination: str, mode: Mode) -> str:
        """Duration, distance and cost in dollars of one car from one city to another.

        Args:
            origin: the city where the drive begins.
            destination: the city where it ends.
            mode: self-driving, for up to 5 people a car, or taxi, for up to 4.
        """
        start, end = self._city(origin), self._city(destination)
        road = self._database.roads().between(start, end)
        if road is None:
            return f"There is no {mode} from {start} to {end}."
        cost = road.cost(mode)
        return f"{mode}, from {start} to {end}, duration: {road.duration}, distance: {road.distance}, cost: {cost}"

    def restaurant_search(self, city: str, page: int = 1) -> str:
        """Restaurants of a city. The cost is the average of a meal, in dollars for one person.

        Args:
            city: its name.
            page: of a long list.
        """
        name = self._city(city)
        rows = [(r.name, f"{r.cost:g}", ", ".join(r.cuisines), r.rating) for r in self._database.restaurants().of(name)]
        return listed(f"restaurants in {name}", ("Name", "Average Cost", "Cuisines", "Rating"), rows, page)

    def attraction_search(self, city: str, page: int = 1) -> str:
        """Attractions of a city.

        Args:
            city: its name.
            page: of a long list.
        """
        name = self._city(city)
        rows = [(a.name, a.address, a.phone, a.website) for a in self._database.attractions().of(name)]
        return listed(f"attractions in {name}", ("Name", "Address", "Phone", "Website"), rows, page)

    def accommodation_search(self, city: str, page: int = 1) -> str:
        """Places to stay in a city, with their rules. The price is in dollars for one room and night.

        Args:
            city: its name.
            page: of a long list.
        """
        name = self._city(city)
        rows = [
            (a.name, f"{a.price:g}", a.room_type, a.house_rules, a.minimum_nights, a.maximum_occupancy, a.rating)
            for a in self._database.accommodations().of(name)
        ]
        head = ("Name", "Price", "Room Type", "House Rules", "Minimum Nights", "Maximum Occupancy", "Rating")
        return listed(f"accommodations in {name}", head, rows, page)

    def city_search(self, state: str) -> str:
        """Cities of a state.

        Args:
            state: its name.
        """
        cities = self._database.cities()
        found = cities.in_state(state)
        if found is None:
            raise ToolArgumentError(f"There is no state `{_clip(state)}` in the database.", cities.like_state(state))
        return listed(f"cities in {_clip(state)}", ("City",), [(city,) for city in found], 1)

    def _city(self, text: str) -> str:
        cities = self._database.cities()
        found = cities.city(text)
        if found is None:
            raise ToolArgumentError(f"There is no city `{_clip(text)}` in the database.", cities.like_city(text))
        return found


def listed(what: str, head: Row, rows: Sequence[Row], page: int) -> str:
    """One page of a table in text form, cells between bars.

    Raises ToolArgumentError: there is no such page.
    """
    if not rows:
        return f"There are no {what}."
    pages = paged(["| " + " | ".join(map(_cell, row)) for row in rows])
    if not 1 <= page <= len(pages):
        raise ToolArgumentError(f"`page` is {page}, but the {what} have {len(pages)}.", "The first is 1.")
    before = sum(map(len, pages[: page - 1]))
    told = f"{before + 1} to {before + len(pages[page - 1])} of {len(rows)} {what}"
    more = f"; for more ask for page {page + 1}" if page < len(pages) else ""
    return "\n".join([f"{told}{more}:", "| " + " | ".join(map(str, head)), *pages[page - 1]])


def paged(lines: Sequence[str]) -> list[list[str]]:
    """Lines in stretches that a model can be told at once; no line is left out."""
    pages: list[list[str]] = [[]]
    room = PAGE_CHARACTERS
    for line in lines:
        if len(line) + 1 > room and pages[-1]:
            pages.append([])
            room = PAGE_CHARACTERS
        pages[-1].append(line)
        room -= len(line) + 1
    return pages


def _cell(value: object) -> str:
    return _clip(" ".join(str(value).replace("|", "/").split()))


def _clip(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[:CELL_CHARACTERS] + " ..."


def _day(text: str) -> str:
    """Raises ToolArgumentError: it is no day in the form that the database uses."""
    try:
        if _DAY.fullmatch(text.strip()) is None:
            raise ValueError
        return Date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ToolArgumentError(f"`{_clip(text)}` is no date.", "Write it as 2022-03-16.") from None
