"""Runs handed out: never more than may be under way, and what a carrier lost is done by another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from autoflow.cluster.sharing import TRIES, Todo
from autoflow.errors import ModelUnavailable
from autoflow.evaluate import Unit
from tests.cluster.conftest import units


def todo(count: int = 10, most: int | None = None, go_on: bool = True) -> Todo:
    return Todo(list(units())[:count], most, lambda: go_on)


async def test_units_are_taken_as_there_is_room_for_all_carriers_together() -> None:
    taken: list[Unit] = []

    def watched() -> Iterator[Unit]:
        for unit in units():
            taken.append(unit)
            yield unit

    mine = Todo(watched(), 5, lambda: True)
    assert len(mine.take(3)) == 3
    assert len(mine.take(3)) == 2
    assert mine.take(3) == []
    assert len(taken) == 5
    mine.ended()
    assert len(mine.take(3)) == 1


async def test_all_is_at_its_end_when_the_last_is_there_and_not_before() -> None:
    mine = todo(2)
    assert len(mine.take(5)) == 2
    assert not mine.end.is_set()
    mine.ended()
    assert not mine.end.is_set()
    mine.ended()
    assert mine.end.is_set()


async def test_nothing_to_do_is_at_its_end_at_the_first_look() -> None:
    mine = todo(0)
    assert mine.take(1) == []
    assert mine.end.is_set()


async def test_lost_runs_come_again_before_others_and_wake_who_waits() -> None:
    mine = todo(6)
    lost = mine.take(2)
    kept = mine.take(5)
    assert len(kept) == 4
    waiting = asyncio.create_task(mine.changed())
    await asyncio.sleep(0)
    mine.lost(lost, "power cut")
    await asyncio.wait_for(waiting, 1)
    assert mine.take(5) == lost
    for _ in range(6):
        assert not mine.end.is_set()
        mine.ended()
    assert mine.end.is_set()


@pytest.mark.parametrize("taken", [4, 6, 8])
@pytest.mark.parametrize("told", [True, False])
async def test_lost_runs_are_not_begun_again_where_nothing_more_is_wanted(taken: int, told: bool) -> None:
    """However far the list was read, and whether or not somebody asked before they were lost."""
    going = True
    mine = Todo(list(units())[:6], None, lambda: going)
    lost = mine.take(taken)
    going = False
    assert not told or mine.take(1) == []
    mine.lost(lost, "power cut")
    assert not mine.end.is_set()
    assert mine.take(4) == []
    assert mine.end.is_set()


async def test_run_that_kills_its_carriers_ends_all_with_its_task_named() -> None:
    mine = todo(1)
    for _ in range(TRIES - 1):
        mine.lost(mine.take(1), "out of memory")
    (unit,) = mine.take(1)
    with pytest.raises(ModelUnavailable, match=f"lost {TRIES} carriers .* task {unit.task.id}: out of memory"):
        mine.lost([unit], "out of memory")
