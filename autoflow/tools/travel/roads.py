"""Distances by road, and what it costs to drive oneself or to be driven."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autoflow.tools.travel.places import key
from autoflow.tools.travel.table_file import OpenTable

Mode = Literal["self-driving", "taxi"]
COST_A_KM: dict[Mode, float] = {"self-driving": 0.05, "taxi": 1.0}  # dollars, cut to whole ones
SEATS: dict[Mode, int] = {"self-driving": 5, "taxi": 4}  # people, a car
COLUMNS = ("origin", "destination", "duration", "distance")
_DISTANCE = re.compile(r"([0-9][0-9,]{0,12}(?:\.[0-9]{1,6})?)\s*(km|m)")


@dataclass(frozen=True, slots=True)
class Road:
    """From one city to another, in this direction."""

    origin: str
    destination: str
    duration: str  # 3 hours 2 mins
    distance: str  # 1,144 km
    km: float

    def cost(self, mode: Mode) -> int:
        """Dollars, a car."""
        return int(self.km * COST_A_KM[mode])


class Roads:
    """Roads between pairs of cities; a pair may have none."""

    def __init__(self, roads: Iterable[Road]) -> None:
        self._roads = {(key(road.origin), key(road.destination)): road for road in roads}

    def between(self, origin: str, destination: str) -> Road | None:
        return self._roads.get((key(origin), key(destination)))


def read_roads(table: OpenTable) -> Iterable[Road]:
    """The pairs that have a road. A journey of a day or more counts as none, as in the benchmark.

    Raises SettingsError: a distance is none.
    """
    for origin, destination, duration, distance in table.rows():
        found = _DISTANCE.fullmatch(distance.strip())
        if found is None:
            raise table.fault(f"has `{distance[:60]}` as `distance`, which is none such as `1,144 km`")
        km = float(found[1].replace(",", "")) / (1 if found[2] == "km" else 1000)
        if "day" not in duration:
            yield Road(origin, destination, duration, distance.strip(), km)
