"""Kind `propose-examples`: nothing of what a model proposed is lost, whatever becomes of its reply or the worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from autoflow.generate.examples import Example
from autoflow.jobs.payloads import ProposePayload
from autoflow.records import Job
from autoflow.store import SqlStore
from tests.jobs.test_handlers import carried_out, model, store, submit
from tests.jobs.test_runner import until

__all__ = ["model", "store"]
Script = Callable[..., str]


def told(*numbers: int) -> str:
    """A reply with these examples."""
    return json.dumps({"examples": [{"inputs": {"mail": f"mail {n}"}, "expected": f"answer {n}"} for n in numbers]})


def asked(store: SqlStore, name: str, **more: Any) -> Job:
    payload = ProposePayload(model=name, objective="Sort the mail.", inputs=("mail",), **more)
    return submit(store, "propose-examples", payload)


def found(job: Job) -> list[str]:
    return [example["inputs"]["mail"] for example in (job.result or {})["examples"]]


# The second reply is asked for with the first five in the prompt: the script knows it by that.
TEN = ({"match": "mail 5", "reply": told(6, 7, 8, 9, 10)}, {"match": "", "reply": told(1, 2, 3, 4, 5)})


async def test_ten_examples_are_proposed_and_marked(store: SqlStore, model: Script) -> None:
    name = model(*TEN)
    job = await carried_out(store, asked(store, name))
    assert job.state == "done"
    assert job.result is not None
    assert found(job) == [f"mail {n}" for n in range(1, 11)]
    assert {example["origin"] for example in job.result["examples"]} == {"model"}
    assert (job.result["errors"], job.result["model"], job.result["totals"]["calls"]) == ([], name, 2)
    assert (job.done, job.total, job.unit) == (10, 10, "examples")


async def test_a_broken_end_costs_no_example_before_it(store: SqlStore, model: Script) -> None:
    cut = told(1, 2, 3)[:-20]  # in the middle of the third
    job = await carried_out(store, asked(store, model({"match": "", "reply": f"Sure!\n{cut}"}), count=4))
    assert job.state == "done"
    assert found(job) == ["mail 1", "mail 2"]
    errors = (job.result or {})["errors"]
    assert errors[0] == "2 of 4 examples were proposed."
    assert "nothing new" in errors[1]


async def test_a_model_that_fails_later_leaves_what_it_proposed_before(store: SqlStore, model: Script) -> None:
    name = model({"match": "mail 5", "error": "out of order"}, TEN[1])
    job = await carried_out(store, asked(store, name))
    assert job.state == "done"
    assert len(found(job)) == 5
    first, second = (job.result or {})["errors"]
    assert first == "5 of 10 examples were proposed."
    assert "out of order" in second


async def test_a_model_that_fails_at_once_fails_the_job_in_words(store: SqlStore, model: Script) -> None:
    job = await carried_out(store, asked(store, model({"match": "", "error": "out of order"})))
    assert job.state == "failed"
    assert "out of order" in job.error


async def test_prose_is_told_as_nothing_proposed(store: SqlStore, model: Script) -> None:
    job = await carried_out(store, asked(store, model({"match": "", "reply": "I would rather talk about cats."})))
    assert job.state == "done"
    assert found(job) == []
    assert (job.result or {})["errors"][0] == "0 of 10 examples were proposed."


async def test_after_a_crash_only_what_is_missing_is_asked_for(store: SqlStore, model: Script) -> None:
    name = model({"match": "mail 5", "reply": told(6, 7)}, {"match": "", "error": "must not be asked"})
    job = asked(store, name, count=7)
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    kept = [Example(inputs={"mail": f"mail {n}"}, expected="x").model_dump() for n in range(1, 6)]
    store.checkpoint(lease, result={"model": name, "examples": kept, "errors": [], "totals": {"calls": 1}})
    store.orphan("test")
    done = await carried_out(store, job)
    assert done.state == "done"
    assert found(done) == [f"mail {n}" for n in range(1, 8)]
    assert (done.result or {})["totals"]["calls"] == 2


async def test_stopping_keeps_what_was_read_by_then(store: SqlStore, model: Script) -> None:
    job = asked(store, model({"match": "", "reply": told(1, 2, 3, 4, 5), "latency_s": 20}))
    work = asyncio.create_task(carried_out(store, job))
    await until(lambda: store.get_job(job.id).live.get("examples"))
    assert store.get_job(job.id).live["examples"][0]["inputs"] == {"mail": "mail 1"}
    store.request(job.id, "cancel")
    stopped = await work
    assert stopped.state == "cancelled"
    assert found(stopped)[0] == "mail 1"
    assert len(found(stopped)) < 5


async def test_a_pause_lets_the_reply_end_and_goes_on_from_there(store: SqlStore, model: Script) -> None:
    lines = [{**TEN[0]}, {**TEN[1], "latency_s": 1.0}]
    job = asked(store, model(*lines))
    work = asyncio.create_task(carried_out(store, job))
    await until(lambda: store.get_job(job.id).live.get("examples"))
    store.request(job.id, "pause")
    assert (await work).state == "paused"
    assert len(found(store.get_job(job.id))) == 5
    store.request(job.id, "resume")
    done = await carried_out(store, job)
    assert found(done) == [f"mail {n}" for n in range(1, 11)]


async def test_examples_that_are_there_are_not_proposed_again(store: SqlStore, model: Script) -> None:
    known = (Example(inputs={"mail": "mail 1"}, expected="answer 1", origin="person"),)
    job = await carried_out(store, asked(store, model({"match": "", "reply": told(1, 2)}), count=2, known=known))
    assert found(job) == ["mail 2"]


async def test_a_rubric_is_proposed(store: SqlStore, model: Script) -> None:
    name = model({"match": "", "reply": "Does it name one department?"})
    job = await carried_out(store, asked(store, name, what="rubric"))
    assert job.state == "done"
    assert (job.result or {})["rubric"] == "Does it name one department?"
    empty = await carried_out(store, asked(store, model({"match": "", "reply": " "}), what="rubric"))
    assert empty.state == "failed"
    assert "no rubric" in empty.error


async def test_without_a_task_it_says_so(store: SqlStore, model: Script) -> None:
    payload = ProposePayload(model=model(*TEN), objective=" ")
    job = await carried_out(store, submit(store, "propose-examples", payload))
    assert job.state == "failed"
    assert "no task" in job.error
