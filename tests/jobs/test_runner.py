"""One job and its handler: how each ending is written, and what happens to the lease on the way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from autoflow.errors import ModelNotFound, StorageUnavailable
from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.runner import Handler, carry_out
from autoflow.jobs.worker import Worker
from autoflow.records import Event, Job, Json, Run, RunPolicy, Totals
from autoflow.store import SqlStore
from autoflow.store.base import Lease, RunEnd
from tests.jobs.counting import count


def new_run(store: SqlStore) -> Run:
    return store.create_run(text="t", task=store.add_task("count"), model="none", policy=RunPolicy())


def queued(store: SqlStore, to: int = 3) -> tuple[Job, Run]:
    run = new_run(store)
    return store.submit("run", {"run_id": run.id, "to": to}, title="Count", subject_id=run.id), run


def context_of(store: SqlStore, *, patience_s: float = 5, lease_s: float = 60) -> JobContext:
    lease = store.claim("test", lease_s=lease_s)
    assert lease is not None
    return JobContext(store, lease, patience_s=patience_s)


def stolen(store: SqlStore) -> Lease:
    """The lease of another worker, taken from one that is alive and may renew its own in between."""
    for _ in range(50):
        store.orphan("test")
        lease = store.claim("thief", lease_s=60)
        if lease is not None:
            return lease
    raise AssertionError("it was always renewed")


def visits(store: SqlStore, run: Run) -> list[int]:
    return [event.visit for _, event in store.run_events(run.id)]


async def until(true: Callable[[], object], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.02)


async def forever(context: JobContext) -> Json:
    await asyncio.sleep(3600)
    return {}


class Failing:
    """A store whose method fails before or after the real one has committed, the first `times` times."""

    def __init__(self, store: SqlStore, method: str, *, times: int, committed: bool) -> None:
        self._store, self._method, self._times, self._committed = store, method, times, committed

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        return self._broken(real) if name == self._method else real

    def _broken(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            if self._times == 0:
                return real(*args, **named)
            self._times -= 1
            if self._committed:
                real(*args, **named)
            raise StorageUnavailable("The connection broke.")

        return call


async def test_result_of_the_handler_is_that_of_the_job(store: SqlStore) -> None:
    job, run = queued(store)
    await carry_out(context_of(store), count)
    done = store.get_job(job.id)
    assert (done.state, done.result, done.done, done.total, done.live) == ("done", {"counted": 3}, 3, 3, {})
    assert visits(store, run) == [1, 2, 3]


async def test_failure_is_told_in_the_words_of_its_error(store: SqlStore) -> None:
    async def fails(_: JobContext) -> Json:
        raise ModelNotFound("There is no model `x`.", "Choose another.")

    job, _ = queued(store)
    await carry_out(context_of(store), fails)
    assert store.get_job(job.id).state == "failed"
    assert store.get_job(job.id).error == "There is no model `x`. Choose another."


async def test_unexpected_error_fails_the_job_and_is_logged(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    async def breaks(_: JobContext) -> Json:
        raise ZeroDivisionError("by nought")

    job, _ = queued(store)
    await carry_out(context_of(store), breaks)
    assert store.get_job(job.id).state == "failed"
    assert "ZeroDivisionError: by nought" in store.get_job(job.id).error
    assert "Traceback" in caplog.text


async def test_failed_job_resumes_behind_its_last_checkpoint(store: SqlStore) -> None:
    async def fails_after_two(context: JobContext) -> Json:
        event = Event(kind="step_finished", visit=1, at=0, data={"seconds": 0})
        await context.checkpoint(run_id=context.job.payload["run_id"], events=[event])
        raise RuntimeError

    job, run = queued(store)
    await carry_out(context_of(store), fails_after_two)
    store.request(job.id, "resume")
    await carry_out(context_of(store), count)
    assert store.get_job(job.id).state == "done"
    assert visits(store, run) == [1, 2, 3]


async def test_pause_is_obeyed_between_steps_and_resumed(store: SqlStore) -> None:
    job, run = queued(store, to=200)
    work = asyncio.create_task(carry_out(context_of(store), lambda c: count(c, 0.02)))
    await until(lambda: len(visits(store, run)) > 2)
    assert store.request(job.id, "pause").state == "pausing"
    await asyncio.wait_for(work, 10)
    assert store.get_job(job.id).state == "paused"
    paused_at = len(visits(store, run))
    assert paused_at < 200
    store.request(job.id, "resume")
    await carry_out(context_of(store), count)
    assert visits(store, run) == list(range(1, 201))


async def test_cancel_aborts_the_call_in_flight(store: SqlStore) -> None:
    job, _ = queued(store)
    work = asyncio.create_task(carry_out(context_of(store), forever))
    await asyncio.sleep(0.1)
    assert store.request(job.id, "cancel").state == "cancelling"
    await asyncio.wait_for(work, 5)
    assert store.get_job(job.id).state == "cancelled"


async def test_last_words_of_a_cancelled_handler_are_kept(store: SqlStore) -> None:
    async def tells(context: JobContext) -> Json:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            assert context.cancel_wanted
            said = Event(kind="reply", visit=1, at=0, data={"text": "half"})
            context.run_end = RunEnd(run.id, "cancelled", "", "", Totals(calls=1), (said,))
            context.partial = {"drafts": ["half"]}
            raise
        return {}

    job, run = queued(store)
    work = asyncio.create_task(carry_out(context_of(store), tells))
    await asyncio.sleep(0.1)
    store.request(job.id, "cancel")
    await asyncio.wait_for(work, 5)
    assert store.get_job(job.id).result == {"drafts": ["half"]}
    assert store.get_run(run.id).stop == "cancelled"
    assert [event.data for _, event in store.run_events(run.id)] == [{"text": "half"}]


async def test_checkpoint_that_has_begun_is_written_although_the_job_is_cancelled(store: SqlStore) -> None:
    """The cancel comes while the checkpoint waits its turn behind the look for requests."""
    looking, loop = asyncio.Event(), asyncio.get_running_loop()

    class Slow(Failing):
        def _broken(self, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **named: Any) -> Any:
                loop.call_soon_threadsafe(looking.set)
                time.sleep(0.3)
                return real(*args, **named)

            return call

    async def writes(context: JobContext) -> Json:
        await looking.wait()
        await context.checkpoint(run_id=run.id, events=[Event(kind="warning", visit=1, at=0)], done=1)
        raise AssertionError("the cancel was not passed on")

    job, run = queued(store)
    context = context_of(store)
    store.request(job.id, "cancel")
    context.store = Slow(store, "check", times=0, committed=False)  # type: ignore[assignment]
    await asyncio.wait_for(carry_out(context, writes), 10)
    assert (store.get_job(job.id).state, store.get_job(job.id).done) == ("cancelled", 1)
    assert visits(store, run) == [1, 0]  # and the run's end
    assert store.get_run(run.id).stop == "cancelled"


async def test_job_of_a_worker_that_ends_goes_back_to_the_queue(store: SqlStore) -> None:
    job, run = queued(store, to=50)
    context = context_of(store)
    work = asyncio.create_task(carry_out(context, lambda c: count(c, 0.02)))
    await until(lambda: len(visits(store, run)) > 2)
    context.hand_back()
    await asyncio.wait_for(work, 5)
    assert (store.get_job(job.id).state, store.get_job(job.id).claims) == ("queued", 0)
    await carry_out(context_of(store), count)
    assert visits(store, run) == list(range(1, 51))


async def test_worker_that_lost_its_lease_stops_and_writes_nothing(store: SqlStore) -> None:
    job, run = queued(store, to=10_000)
    first = context_of(store)
    work = asyncio.create_task(carry_out(first, lambda c: count(c, 0.02)))
    await until(lambda: len(visits(store, run)) > 2)
    second = stolen(store)
    stolen_at = len(visits(store, run))
    assert (await asyncio.wait([work], timeout=5))[0], "it goes on"
    assert len(visits(store, run)) == stolen_at
    assert store.check(second) == "running"
    assert store.get_job(job.id).state == "running"


async def test_call_in_flight_is_aborted_when_the_lease_is_lost(store: SqlStore) -> None:
    job, _ = queued(store)
    work = asyncio.create_task(carry_out(context_of(store), forever))
    await asyncio.sleep(0.1)
    second = stolen(store)
    assert (await asyncio.wait([work], timeout=5))[0], "it goes on"
    assert store.check(second) == "running"
    assert store.get_job(job.id).state == "running"


async def test_handler_that_sleeps_past_the_lease_keeps_it_by_heartbeats(store: SqlStore) -> None:
    async def sleeps(_: JobContext) -> Json:
        await asyncio.sleep(4)
        return {}

    job, _ = queued(store)
    work = asyncio.create_task(carry_out(context_of(store, lease_s=3), sleeps))
    while not work.done():
        assert await asyncio.to_thread(store.claim, "thief", lease_s=60) is None
        await asyncio.sleep(0.1)
    assert store.get_job(job.id).state == "done"


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("method", ["checkpoint", "finish"])
async def test_broken_connection_writes_each_step_once(store: SqlStore, method: str, committed: bool) -> None:
    """Also where the write was committed and only the answer was lost."""
    job, run = queued(store)
    context = context_of(store)
    context.store = Failing(store, method, times=2, committed=committed)  # type: ignore[assignment]
    await carry_out(context, count)
    assert store.get_job(job.id).state == "done"
    assert visits(store, run) == [1, 2, 3]


async def test_database_that_stays_away_gives_the_job_back_with_the_reason(store: SqlStore) -> None:
    job, _ = queued(store)
    context = context_of(store, patience_s=0.3)
    context.store = Failing(store, "checkpoint", times=99, committed=False)  # type: ignore[assignment]
    await carry_out(context, count)
    assert (store.get_job(job.id).state, store.get_job(job.id).error) == ("queued", "The connection broke.")
    assert store.get_job(job.id).claims == 1


async def test_live_data_is_shown_while_it_happens_and_cleared_by_the_checkpoint(store: SqlStore) -> None:
    go_on = asyncio.Event()

    async def talks(context: JobContext) -> Json:
        for piece in "live":
            context.live(text=piece, other=1)
        await go_on.wait()
        await context.checkpoint(message="said")
        await asyncio.sleep(0.6)
        return {}

    job, _ = queued(store)
    work = asyncio.create_task(carry_out(context_of(store), talks))
    await until(lambda: store.get_job(job.id).live == {"text": "e", "other": 1})
    go_on.set()
    await until(lambda: store.get_job(job.id).message == "said")
    assert store.get_job(job.id).live == {}
    await work


async def test_live_data_is_flushed_about_three_times_a_second(store: SqlStore) -> None:
    beats = 0

    class Counting(Failing):
        def _broken(self, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **named: Any) -> Any:
                nonlocal beats
                beats += 1
                return real(*args, **named)

            return call

    async def chatters(context: JobContext) -> Json:
        for n in range(400):
            context.live(n=n)
            await asyncio.sleep(0.005)
        return {}

    queued(store)
    context = context_of(store)
    context.store = Counting(store, "heartbeat", times=0, committed=False)  # type: ignore[assignment]
    began = time.monotonic()
    await carry_out(context, chatters)
    assert 1 <= beats <= (time.monotonic() - began) / 0.3 + 1


async def test_handler_that_is_cancelled_from_inside_is_tried_five_times(store: SqlStore) -> None:
    async def gives_up(_: JobContext) -> Json:
        raise asyncio.CancelledError

    job, _ = queued(store)
    for _ in range(5):
        await carry_out(context_of(store), gives_up)
    assert store.claim("test", lease_s=60) is None
    assert store.get_job(job.id).state == "failed"


async def test_worker_does_as_many_jobs_at_once_as_it_may(store: SqlStore) -> None:
    now, most = 0, 0

    async def busy(_: JobContext) -> Json:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.1)
        now -= 1
        return {}

    jobs = [queued(store)[0] for _ in range(7)]
    worker = Worker(store, {"run": busy}, concurrency=3, idle_s=0.5)
    await asyncio.wait_for(worker.run(), 30)  # ends by itself, idle
    assert {store.get_job(job.id).state for job in jobs} == {"done"}
    assert most == 3


async def test_worker_outlives_a_database_that_is_away(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    job, _ = queued(store)
    flaky = Failing(store, "claim", times=3, committed=False)
    handlers: dict[Any, Handler] = {"run": count}
    worker = Worker(flaky, handlers)  # type: ignore[arg-type]
    work = asyncio.create_task(worker.run())
    await until(lambda: store.get_job(job.id).state == "done", within_s=20)
    worker.stop()
    await asyncio.wait_for(work, 5)
    assert "The connection broke" in caplog.text


async def test_paused_without_being_asked_goes_back_to_the_queue(store: SqlStore) -> None:
    async def pauses(_: JobContext) -> Json:
        raise Paused

    job, _ = queued(store)
    await carry_out(context_of(store), pauses)
    assert store.get_job(job.id).state == "queued"
