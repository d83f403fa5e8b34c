"""The eight constraints of common sense of TravelPlanner, a function each: what is wrong, in words, or None.

They follow the descriptions of the paper (arXiv 2402.01622, table 1). Where those leave something open, they do as the
benchmark's evaluation is known to: a flight's date is not looked at, and one day of travel may name places of both of
its cities. They are stricter in four things: names must be whole, not parts of names; a means of transportation must be
a flight with its number, a drive or a taxi, in the direction of its day; a plan must not have more days than the trip;
and a trip to a city must go there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from autoflow.suites.travelplanner_plan import MEALS, SLOTS, Day, Named, Slot, read_route
from autoflow.suites.travelplanner_trip import Trip
from autoflow.tools.travel.places import key

Constraint = Callable[[Trip], str | None]


def within_sandbox(trip: Trip) -> str | None:
    """All that the plan names is in the database: flights between their cities, roads, and places in their cities."""
    known: Mapping[Slot, Callable[[str, str], object]] = {
        "attraction": trip.database.attractions().named, "accommodation": trip.database.accommodations().named,
        **dict.fromkeys(MEALS, trip.database.restaurants().named),
    }  # fmt: skip
    for day in trip.days:
        if day.text("transportation") and trip.fare(day) is None:
            return f"day {day.number}: `{day.text('transportation')[:100]}` is not in the database"
        for slot, named in day.places("attraction", "accommodation", *MEALS):
            if not known[slot](named.name, named.city):
                return f"day {day.number}: the {slot} {named} is not in the database"
    return None


def complete_information(trip: Trip) -> str | None:
    """The plan has as many days as the trip and visits as many cities as asked, and lacks nothing that a day needs.

    See `needed`. What a day does not need must be there all the same, as "-".
    """
    if len(trip.days) != trip.query.days:
        return f"the plan has {len(trip.days)} days, not {trip.query.days}"
    visited = {key(city) for day in trip.days for city in day.cities} - {key(trip.query.origin)}
    if len(visited) != trip.query.cities:
        return f"the plan visits {len(visited)} cities, not {trip.query.cities}"
    for day in trip.days:
        for slot in SLOTS:
            if slot not in day.slots:
                return f"day {day.number} lacks `{slot}`"
            if slot in needed(trip, day) and not day.text(slot):
                return f"day {day.number} has no {slot}"
    return None


def within_current_city(trip: Trip) -> str | None:
    """What a day does, it does in its city; on a day of travel in either of the two, and it sleeps in the second.

    The transportation of a day of travel goes from its first city to its second, and names both.
    """
    for day in trip.days:
        if wrong := next(_elsewhere(day), None):
            return f"day {day.number}: {wrong} is not in {' or '.join(day.cities)}"
    return None


def reasonable_city_route(trip: Trip) -> str | None:
    """The trip begins and ends at the origin, goes on each day from where the day before ended, visits each city in
    one stretch of days, and visits only the destination, or cities of it where it is a state."""
    query = trip.query
    where, stops = query.origin, [query.origin]
    for day in trip.days:
        if key(day.cities[0]) != key(where):
            return f"day {day.number} begins in {day.cities[0]}, but the trip is in {where}"
        where = day.cities[-1]
        stops += [where] if key(where) != key(stops[-1]) else []
    if len(stops) < 3 or key(where) != key(query.origin):
        return f"the trip does not come back to {query.origin}"
    for n, city in enumerate(stops[1:-1], 1):
        if key(city) in map(key, stops[:n]):
            return f"the trip comes to {city} twice"
        if not _belongs(trip, city):
            return f"{city} does not belong to {query.destination}"
    return None


def diverse_restaurants(trip: Trip) -> str | None:
    """No restaurant comes twice."""
    return _repeated(trip, *MEALS)


def diverse_attractions(trip: Trip) -> str | None:
    """No attraction comes twice."""
    return _repeated(trip, "attraction")


def consistent_transportation(trip: Trip) -> str | None:
    """The first day says how one travels; whoever drives themselves neither flies nor takes a taxi in the same trip."""
    if not trip.days[0].text("transportation"):
        return "day 1 does not say how one travels"
    means = {day.means for day in trip.days}
    if "self-driving" in means and (others := sorted(means & {"flight", "taxi"}, key=str)):
        return f"self-driving and {others[0]} in one trip"
    return None


def minimum_nights_stay(trip: Trip) -> str | None:
    """Each accommodation is kept at least as many nights in a row as it asks for."""
    nights = [next((named for _, named in day.places("accommodation")), Named("", "")) for day in trip.days]
    for (name, city), group in groupby(nights, key=lambda named: (key(named.name), key(named.city))):
        stay = list(group)
        found = trip.database.accommodations().named(name, city)
        least = min((place.minimum_nights for place in found), default=0)  # of one name, the plan may mean any
        if len(stay) < least:
            return f"{stay[0]} asks for {least} nights, not {len(stay)}"
    return None


COMMONSENSE: Mapping[str, Constraint] = {
    "within sandbox": within_sandbox, "complete information": complete_information,
    "within current city": within_current_city, "reasonable city route": reasonable_city_route,
    "diverse restaurants": diverse_restaurants, "diverse attractions": diverse_attractions,
    "consistent transportation": consistent_transportation, "minimum nights stay": minimum_nights_stay,
}  # fmt: skip


def needed(trip: Trip, day: Day) -> tuple[Slot, ...]:
    """What a day must say: how one travels on a day of travel, meals and an attraction on any other, and where one
    sleeps, save on the last day."""
    slots: tuple[Slot, ...] = ("transportation",) if day.route else (*MEALS, "attraction")
    return slots if day.number == trip.query.days else (*slots, "accommodation")


def filled(trip: Trip) -> float:
    """Share of what the days of the trip need that the plan says, in [0, 1]; missing days need all of theirs."""
    days = [*trip.days, *(Day(n, "", {}) for n in range(len(trip.days) + 1, trip.query.days + 1))]
    wanted = [(day, slot) for day in days for slot in needed(trip, day)]
    return sum(bool(day.text(slot)) for day, slot in wanted) / len(wanted)


def _elsewhere(day: Day) -> Iterator[str]:
    """What a day does outside of its cities."""
    cities = {key(city) for city in day.cities}
    said = day.text("transportation")
    stated = [key(city) for city in read_route(said) or ()]
    if said and day.route:
        route = [key(city) for city in day.route]
        fits = all(city in key(said) for city in route) and stated in ([], route)
    else:
        fits = set(stated) <= cities
    if not fits:
        yield f"`{said[:100]}`"
    for slot, named in day.places("attraction", *MEALS):
        if key(named.city) not in cities:
            yield f"the {slot} {named}"
    for _, named in day.places("accommodation"):
        if key(named.city) != key(day.cities[-1]):
            yield f"the accommodation {named}"


def _repeated(trip: Trip, *slots: Slot) -> str | None:
    seen = set()
    for day in trip.days:
        for slot, named in day.places(*slots):
            place = key(named.name), key(named.city)
            if place in seen:
                return f"day {day.number}: the {slot} {named} comes again"
            seen.add(place)
    return None


def _belongs(trip: Trip, city: str) -> bool:
    """Whether a city is the destination, or in it. A name of a city and of a state is the state's on long trips."""
    cities, wanted = trip.database.cities(), trip.query.destination
    if cities.in_state(wanted) is not None and (trip.query.days > 3 or cities.city(wanted) is None):
        return key(cities.state_of(city) or "") == key(wanted)
    return cities.city(city) is not None and key(city) == key(wanted)
