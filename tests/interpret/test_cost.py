"""What long runs with tool calls may take in calls and tokens, with the settings that people get."""

from __future__ import annotations

import pytest

from autoflow.records import RunPolicy
from bench.scripted.trip import TRIPS, Trip, plan


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: f"{trip.days} days")
async def test_a_long_run_keeps_to_its_limits_of_calls_and_tokens(trip: Trip) -> None:
    """The paper's released interpreter takes 637 calls and 257,000 tokens for seven days, 192 and 77,000 for three."""
    cost = await plan(trip, RunPolicy())
    assert (cost.visits, cost.tool_calls) == {7: (44, 22), 3: (22, 10)}[trip.days]
    assert cost.calls == cost.visits + cost.tool_calls == trip.limit[0]
    assert cost.tokens <= trip.limit[1]


async def test_observations_are_what_makes_a_long_run_dear() -> None:
    """So that the limits above could break: with room for four times as many, they do."""
    for trip in TRIPS:
        assert (await plan(trip, RunPolicy(memory_tokens=2_000))).tokens > trip.limit[1]
