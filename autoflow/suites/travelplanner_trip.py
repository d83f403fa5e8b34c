"""A plan beside the query it is for and the database it was made from, which is what constraints look at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from autoflow.suites.travelplanner_plan import MEALS, Day, Named, Slot
from autoflow.suites.travelplanner_queries import Query
from autoflow.tools.travel.database import TravelDatabase
from autoflow.tools.travel.places import Accommodation, Restaurant
from autoflow.tools.travel.roads import SEATS


@dataclass(frozen=True, slots=True)
class Trip:
    """See the module."""

    query: Query
    days: tuple[Day, ...]
    database: TravelDatabase

    def restaurants(self) -> Iterator[tuple[Day, Slot, Named, Restaurant | None]]:
        """Every meal, with its restaurant; None: the database has none of this name in this city."""
        known = self.database.restaurants()
        for day in self.days:
            for slot, named in day.places(*MEALS):
                yield day, slot, named, next(iter(known.named(named.name, named.city)), None)

    def nights(self) -> Iterator[tuple[Day, Named, Accommodation | None]]:
        """Every night that is spent somewhere, with the accommodation; of several of one name, the first."""
        known = self.database.accommodations()
        for day in self.days:
            for _, named in day.places("accommodation"):
                yield day, named, next(iter(known.named(named.name, named.city)), None)

    def fare(self, day: Day) -> float | None:
        """Dollars that the transportation of a day costs all people; None: the database has no such way to travel."""
        if day.travelled is None or day.means is None:
            return None
        cities = self.database.cities()
        origin, destination = (cities.city(city) or city for city in day.travelled)
        if day.means == "flight":
            flight = self.database.flights().numbered(day.flight_number, origin, destination)
            return flight.price * self.query.people if flight else None
        road = self.database.roads().between(origin, destination)
        return road.cost(day.means) * math.ceil(self.query.people / SEATS[day.means]) if road else None

    def cost(self) -> float:
        """Dollars that all of it costs all people; what the database does not know costs nothing.

        A flight and a meal cost each person; a car seats 5 who drive themselves, or 4 in a taxi; a room takes as many
        people as it says, a night.
        """
        people = self.query.people
        fares = sum(self.fare(day) or 0.0 for day in self.days if day.text("transportation"))
        meals = sum(found.cost * people for *_, found in self.restaurants() if found)
        rooms = sum(found.price * math.ceil(people / found.maximum_occupancy) for *_, found in self.nights() if found)
        return fares + meals + rooms
