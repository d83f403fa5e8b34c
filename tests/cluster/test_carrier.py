"""A carrier by itself, without a cluster: what it opens, what it answers, and what it says where it cannot."""

from __future__ import annotations

import asyncio
from typing import Any

from autoflow.cluster.carrier import Carrier
from autoflow.cluster.wire import Answer, Order, answered, sent
from autoflow.records import RunPolicy
from autoflow.study import SuiteSpec
from tests.cluster.conftest import SUITE, Script, keys, units, until


def carrier(model: str, **more: Any) -> Carrier:
    return Carrier(Order(**{"suite": SUITE, "model": model, "policy": RunPolicy()} | more).model_dump_json())


async def ready(one: Carrier) -> Answer:
    return answered(await one.ready())


async def exchange(one: Carrier, count: int, first: int = 0) -> Answer:
    return answered(await one.exchange(sent(list(units())[first : first + count])))


async def test_runs_come_back_as_they_end_many_at_a_time_where_they_end_together(script: Script) -> None:
    quick = carrier(script())
    assert await ready(quick) == Answer()
    found = list((await exchange(quick, 40)).found)
    answers = 1
    while len(found) < 40:
        found += (await exchange(quick, 0)).found
        answers += 1
    assert sorted((f.outcome.task, f.outcome.repeat) for f in found) == keys()
    assert all(f.events for f in found)
    assert answers < 20


async def test_what_was_begun_earlier_comes_with_a_later_answer(script: Script) -> None:
    slow = carrier(script(latency_s=0.2))
    await ready(slow)
    first = asyncio.create_task(exchange(slow, 2))
    await asyncio.sleep(0.05)
    found = list((await first).found)
    found += (await exchange(slow, 1, first=2)).found
    while len(found) < 3:
        found += (await exchange(slow, 0)).found
    assert {f.outcome.task for f in found} == {unit.task.id for unit in list(units())[:3]}


async def test_stopped_carrier_forgets_and_can_be_asked_again(script: Script) -> None:
    slow = carrier(script(latency_s=0.5))
    await ready(slow)
    asked = asyncio.create_task(exchange(slow, 4))
    await asyncio.sleep(0.1)
    await slow.stop()
    assert (await asyncio.wait_for(asked, 1)) == Answer()
    found = list((await exchange(slow, 1, first=4)).found)
    while not found:
        found += (await exchange(slow, 0)).found
    assert [f.outcome.task for f in found] == [list(units())[4].task.id]


async def test_other_version_of_autoflow_is_said_before_anything_runs(script: Script) -> None:
    failure = (await ready(carrier(script(), version="0.0.0"))).failure
    assert failure is not None
    assert failure.kind == "SettingsError"
    assert "and 0.0.0 asks it" in failure.message


async def test_suite_that_cannot_be_opened_is_said(script: Script) -> None:
    failure = (await ready(carrier(script(), suite=SuiteSpec(name="nowhere")))).failure
    assert failure is not None
    assert "nowhere" in failure.message


async def test_task_that_the_nodes_suite_lacks_is_said(script: Script) -> None:
    other = carrier(script(), suite=SUITE.model_copy(update={"seed": 5}))
    await ready(other)
    failure = (await exchange(other, 40)).failure
    assert failure is not None
    assert "has no task" in failure.message


async def test_failure_comes_with_what_had_ended_before_it(script: Script) -> None:
    one = carrier(script(latency_s=0.05))
    await ready(one)
    asked = asyncio.create_task(exchange(one, 1))  # as by somebody who was cancelled before the answer came
    async with asyncio.timeout(60):
        while not one._runs:
            await asyncio.sleep(0)
    asked.cancel()
    await until(lambda: one._found)
    answer = answered(await one.exchange("no runs at all"))
    assert answer.failure is not None
    assert len(answer.found) == 1
