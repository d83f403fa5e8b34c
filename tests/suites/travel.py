"""An invented database in the layout of TravelPlanner, queries for it, and plans that keep every constraint."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autoflow.suites.travelplanner_plan import read_plan
from autoflow.suites.travelplanner_queries import Query, read_queries
from autoflow.suites.travelplanner_trip import Trip
from autoflow.tools.travel.database import CITIES, TABLES, TravelDatabase, open_database

Plan = list[dict[str, Any]]
STATES = {"Westmark": ("Elmford", "Brackwater", "Tolling"), "Sundale": ("Orran",)}
FLIGHTS = (
    ("F0000001", 100, "08:00", "09:30", "1 hours 30 minutes", "2022-03-16", "Orran", "Elmford", "300.0"),
    ("F0000002", 250, "17:00", "18:30", "1 hours 30 minutes", "2022-03-16", "Orran", "Elmford", "300.0"),
    ("F0000003", 120, "19:00", "20:30", "1 hours 30 minutes", "2022-03-18", "Elmford", "Orran", "300.0"),
)
ROADS = (
    ("Orran", "Elmford", "", "5 hours 2 mins", "480 km"), ("Elmford", "Orran", "", "5 hours 2 mins", "480.9 km"),
    ("Elmford", "Brackwater", "", "1 hour 1 min", "98.6 km"), ("Brackwater", "Orran", "", "11 hours", "1,144 km"),
    ("Orran", "Tolling", "", "1 day 3 hours", "2,400 km"), ("Tolling", "Orran", "", "", ""),
)  # fmt: skip
RESTAURANTS = (
    ("The Copper Ladle", "Elmford", "Tea, Mexican", 20, 4.1), ("Moss, Vine & Co", "Elmford", "Pizza, BBQ", 30, 3.9),
    ("Third Kettle", "Elmford", "Indian", 10, 4.5), ("Lantern Row", "Elmford", "Cafe", 15, 4.0),
    ("Plum Door", "Elmford", "Bakery", 12, 3.2), ("Nine Forks", "Elmford", "Seafood, Indian", 25, 4.8),
    ("River Room", "Brackwater", "Seafood", 40, 4.4), ("Mill Street Grill", "Brackwater", "American", 22, 3.7),
    ("Salt Barn", "Brackwater", "French", 35, 4.9), ("Old Ferry", "Brackwater", "Mexican", 18, 4.0),
    ("Station Cafe", "Orran", "Cafe, Mexican", 9, 3.0),
)  # fmt: skip
ATTRACTIONS = (
    ("Clock Museum", "Elmford"), ("Hanging Garden", "Elmford"), ("Weir Bridge", "Elmford"),
    ("Tidal Mill", "Brackwater"), ("Rope Works", "Brackwater"),
)  # fmt: skip
ACCOMMODATIONS = (  # name, city, room type, price, minimum nights, rating, rules, occupancy
    ("Quiet Attic", "Elmford", "Private room", 80.0, 2.0, 4.0, "No pets & No parties", 2),
    ("Harbour Loft", "Elmford", "Entire home/apt", 90.0, 1.0, 5.0, "No pets", 2),
    ("Grand Elm", "Elmford", "Entire home/apt", 5000.0, 1.0, 5.0, "No pets", 4),
    ("Clean Air House", "Elmford", "Entire home/apt", 70.0, 1.0, 3.0, "No visitors & No smoking", 3),
    ("Bunk Hall", "Elmford", "Shared room", 30.0, 1.0, 2.0, "No pets", 1),
    ("Corner House", "Elmford", "Hotel room", 85.0, 1.0, 4.0, "No pets", 2),
    ("Ferry Rooms", "Brackwater", "Private room", 60.0, 2.0, 4.0, "No pets", 1),
)
FREE = {"house rule": None, "cuisine": None, "room type": None, "transportation": None}
WISHES = {
    "house rule": "smoking", "cuisine": ["Mexican", "Indian"], "room type": "not shared room",
    "transportation": "no self-driving",
}  # fmt: skip
SHORT: dict[str, Any] = {
    "query": "Two of us want three days in Elmford, from Orran, for 2,000 dollars.", "org": "Orran", "dest": "Elmford",
    "days": 3, "visiting_city_number": 1, "people_number": 2, "budget": 2000, "local_constraint": WISHES,
    "level": "hard",    "date": ["2022-03-16", "2022-03-17", "2022-03-18"],
}  # fmt: skip
LONG: dict[str, Any] = {
    "query": "Five days, two cities in Westmark, from Orran, six of us, 9,000 dollars.", "org": "Orran",
    "dest": "Westmark", "days": 5, "visiting_city_number": 2, "people_number": 6, "budget": 9000,
    "local_constraint": FREE, "level": "easy", "date": [f"2022-03-{day}" for day in range(10, 15)],
}  # fmt: skip


def _day(city: str, transportation: str, breakfast: str, attraction: str, lunch: str, dinner: str, room: str) -> Any:
    return {
        "current_city": city, "transportation": transportation, "breakfast": breakfast, "attraction": attraction,
        "lunch": lunch, "dinner": dinner, "accommodation": room,
    }  # fmt: skip


OUT, BACK = "Flight Number: F0000001, from Orran to Elmford", "Flight Number: F0000003, from Elmford to Orran"
SHORT_PLAN: Plan = [
    _day("from Orran to Elmford", OUT, "-", "Clock Museum, Elmford", "The Copper Ladle, Elmford",
         "Moss, Vine & Co, Elmford", "Quiet Attic, Elmford"),
    _day("Elmford", "-", "Plum Door, Elmford", "Hanging Garden, Elmford; Weir Bridge, Elmford;",
         "Third Kettle, Elmford", "Lantern Row, Elmford", "Quiet Attic, Elmford(Westmark)"),
    _day("from Elmford to Orran", BACK, "Nine Forks, Elmford", "-", "-", "-", "-"),
]  # fmt: skip
LONG_PLAN: Plan = [
    _day("from Orran to Elmford(Westmark)", "Self-driving, from Orran to Elmford, cost: 24", "-", "-", "-",
         "Plum Door, Elmford", "Quiet Attic, Elmford"),
    _day("Elmford(Westmark)", "-", "The Copper Ladle, Elmford", "Clock Museum, Elmford", "Third Kettle, Elmford",
         "Nine Forks, Elmford", "Quiet Attic, Elmford"),
    _day("from Elmford(Westmark) to Brackwater(Westmark)", "Self-driving, from Elmford to Brackwater",
         "Lantern Row, Elmford", "-", "-", "River Room, Brackwater", "Ferry Rooms, Brackwater"),
    _day("Brackwater(Westmark)", "-", "Mill Street Grill, Brackwater", "Tidal Mill, Brackwater",
         "Salt Barn, Brackwater", "Old Ferry, Brackwater", "Ferry Rooms, Brackwater"),
    _day("from Brackwater(Westmark) to Orran", "Self-driving, from Brackwater to Orran", "-", "-", "-", "-", "-"),
]  # fmt: skip


def write_database(root: Path) -> Path:
    """The six files below `root`."""
    _write(root, "flights", TABLES["flights"][1], FLIGHTS)
    _write(root, "roads", ("origin", "destination", "cost", "duration", "distance"), ROADS)
    _write(root, "restaurants", ("", "Name", "City", "Cuisines", "Average Cost", "Aggregate Rating"),
           [(n, *row) for n, row in enumerate(RESTAURANTS)])  # fmt: skip
    _write(root, "attractions", ("Name", "Latitude", "Longitude", "Address", "Phone", "Website", "City"),
           [(name, 1.5, 2.5, f"{n} Lane, {city}", "Unknown", "Unknown", city)
            for n, (name, city) in enumerate(ATTRACTIONS)])  # fmt: skip
    head = ("NAME", "city", "room type", "price", "minimum nights", "review rate number", "house_rules",
            "maximum occupancy")  # fmt: skip
    _write(root, "accommodations", head, ACCOMMODATIONS)
    (root / CITIES).parent.mkdir(parents=True)
    pairs = [f"{city}\t{state}" for state, cities in STATES.items() for city in cities]
    (root / CITIES).write_text("\n".join(pairs), "utf-8")
    return root


def _write(root: Path, name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path = root / TABLES[name][0]
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def write_queries(path: Path, *queries: dict[str, Any]) -> Path:
    """As JSON lines; without queries: the short one and the long one, six times each in different words."""
    chosen = queries or [
        {**query, "query": f"{query['query']} Number {n}."} for n in range(6) for query in (SHORT, LONG)
    ]
    path.write_text("".join(json.dumps(query) + "\n" for query in chosen), "utf-8")
    return path


def query(tmp: Path, row: dict[str, Any]) -> Query:
    [found] = read_queries(str(write_queries(tmp / "query.jsonl", row)))
    return found


def changed(plan: Plan, **edits: Any) -> Plan:
    """A plan with other slots: `day2_dinner="-"`; None takes a slot out."""
    days = copy.deepcopy(plan)
    for name, value in edits.items():
        day, _, slot = name.removeprefix("day").partition("_")
        if value is None:
            del days[int(day) - 1][slot]
        else:
            days[int(day) - 1][slot] = value
    return days


def trip(asked: Query, plan: Plan, database: TravelDatabase) -> Trip:
    days = read_plan(json.dumps(plan))
    assert days is not None
    return Trip(asked, days, database)


def opened(root: Path) -> TravelDatabase:
    return open_database(str(write_database(root)))
