"""The five hard constraints of TravelPlanner, a function each: what a query asks of a plan beyond common sense.

Each says what is wrong, in words, or None. `asked` says which of them a query asks for.
"""

from __future__ import annotations

from collections.abc import Mapping

from autoflow.suites.travelplanner_commonsense import Constraint
from autoflow.suites.travelplanner_queries import HOUSE_RULES, ROOM_TYPES, TRANSPORTATION, Query
from autoflow.suites.travelplanner_trip import Trip
from autoflow.tools.travel.places import key


def budget(trip: Trip) -> str | None:
    """All of it costs all people no more than the budget."""
    cost = trip.cost()
    return f"it costs {cost:,.0f} of {trip.query.budget:,.0f} dollars" if cost > trip.query.budget else None


def room_rule(trip: Trip) -> str | None:
    """No accommodation forbids what the query wants to do there."""
    forbids = HOUSE_RULES[trip.query.house_rule or ""]
    for _, named, found in trip.nights():
        if found and forbids in map(key, found.house_rules.split("&")):
            return f"{named} says `{found.house_rules[:80]}`"
    return None


def room_type(trip: Trip) -> str | None:
    """Every accommodation is of the wanted type."""
    kind, wanted = ROOM_TYPES[trip.query.room_type or ""]
    for _, named, found in trip.nights():
        if found and (key(found.room_type) == kind) is not wanted:
            return f"{named} is `{found.room_type[:40]}`, not `{trip.query.room_type}`"
    return None


def cuisine(trip: Trip) -> str | None:
    """Each wanted cuisine is that of a restaurant of the plan outside of the origin."""
    meals = [found for _, _, named, found in trip.restaurants() if found and key(named.city) != key(trip.query.origin)]
    had = {key(one) for found in meals for one in found.cuisines}
    missing = [one for one in trip.query.cuisines if key(one) not in had]
    return f"no restaurant has {missing[0]} food" if missing else None


def transportation(trip: Trip) -> str | None:
    """No day travels by the means that the query rules out."""
    banned = TRANSPORTATION[trip.query.transportation or ""]
    day = next((day for day in trip.days if day.means == banned), None)
    return f"day {day.number} goes by {banned}" if day else None


HARD: Mapping[str, Constraint] = {
    "budget": budget, "room rule": room_rule, "room type": room_type, "cuisine": cuisine,
    "transportation": transportation,
}  # fmt: skip


def asked(query: Query) -> tuple[str, ...]:
    """Names of the hard constraints that a query asks for; the budget always."""
    wanted = {
        "budget": True, "room rule": query.house_rule, "room type": query.room_type, "cuisine": query.cuisines,
        "transportation": query.transportation,
    }  # fmt: skip
    return tuple(name for name in HARD if wanted[name])
