"""What long runs with tool calls may take in calls and tokens, with the settings that people get."""

from __future__ import annotations

import pytest

from autoflow.records import RunPolicy
from bench.scripted.trip import TRIPS, Trip, plan

LIMITED = [(trip, trip.limit) for trip in TRIPS if trip.limit]


@pytest.mark.parametrize(("trip", "limit"), LIMITED)
async def test_a_long_run_keeps_to_its_limits_of_calls_and_tokens(trip: Trip, limit: tuple[int, int]) -> None:
    """The paper's released interpreter takes 637 calls and 257,000 tokens for seven days, 192 and 77,000 for three."""
    cost = await plan(trip, RunPolicy())
    assert (cost.visits, cost.tool_calls) == {7: (44, 22), 3: (22, 10)}[trip.days]
    assert cost.calls == cost.visits + cost.tool_calls == limit[0]
    assert cost.tokens <= limit[1]


async def test_observations_are_what_makes_a_long_run_dear() -> None:
    """So that the limits above could break: with room for four times as many, they do."""
    for trip, limit in LIMITED:
        assert (await plan(trip, RunPolicy(memory_tokens=2_000))).tokens > limit[1]
