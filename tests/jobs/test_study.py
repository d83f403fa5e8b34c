"""Jobs of kind `study`: pause, cancel, two workers, models that go away, clocks that jump. Only the models are ours."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelRequestError, ModelUnavailable
from autoflow.jobs.context import JobContext
from autoflow.jobs.handlers import study as handler
from autoflow.jobs.runner import carry_out
from autoflow.llm.base import LLM
from autoflow.optimize import start
from autoflow.optimize.base import Rules
from autoflow.records import Job
from autoflow.store import SqlStore
from autoflow.study import TEST_RUNS, Study, StudyBudget, StudySpec, SuiteSpec
from tests.jobs.test_handlers import store
from tests.jobs.test_runner import until
from tests.optimize.tiny import Generator, Interpreter, Listed, TinySuite, skilled

__all__ = ["store"]
ROUNDS = ([skilled(2)], [skilled(3)], [skilled(4)])
PLAN = SuiteSpec(name="openagi-plan", train=2, val=2, test=2)


class Bench:
    """A store, a study on the tiny suite, and its models."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.interpreter, self.generator = Interpreter(), Generator()

    def begin(self, **budget: object) -> tuple[Study, Job]:
        spec = StudySpec(
            method="paper", suite=SuiteSpec(name="tiny"), generator="tiny:g", interpreter="tiny:i",
            budget=StudyBudget.model_validate({"max_rounds": 3} | budget),
        )  # fmt: skip
        study = start.start_study(self.store, "Tiny", spec)
        return study, submitted(self.store, study)

    @asynccontextmanager
    async def opened(self, _: JobContext, name: str) -> AsyncIterator[LLM]:
        yield self.generator if name == "tiny:g" else self.interpreter

    def runs(self, study: Study) -> list[tuple[int, str]]:
        return [(o.candidate, o.task) for _, o in self.store.study_outcomes(study.id)]


def submitted(store: SqlStore, study: Study) -> Job:
    return store.submit("study", {"study_id": study.id}, title="s", subject_id=study.id)


@pytest.fixture
def bench(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(store)
    for module, name in ((start, "dealt_suite"), (handler, "open_suite")):
        monkeypatch.setattr(module, name, lambda *_, **__: TinySuite())
    monkeypatch.setattr(handler, "open_optimizer", lambda _: Listed(*ROUNDS, rules=Rules(0)))
    monkeypatch.setattr(handler, "opened", made.opened)
    return made


async def carried_out(store: SqlStore, job: Job, owner: str = "test", lease_s: float = 60) -> Job:
    await carry_out(claimed(store, job, owner, lease_s), handler.handle)
    return store.get_job(job.id)


def claimed(store: SqlStore, job: Job, owner: str = "test", lease_s: float = 60) -> JobContext:
    lease = store.claim(owner, lease_s=lease_s, job_id=job.id)
    assert lease is not None
    return JobContext(store, lease)


def calls(bench: Bench, count: int) -> Callable[[], bool]:
    return lambda: bench.interpreter.calls >= count


async def test_study_is_carried_out_and_kept(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()
    done = await carried_out(store, job)
    assert (done.state, done.result) == ("done", {"study_id": study.id, "stop": "rounds"})
    assert (done.done, done.total, done.unit) == (3, 3, "rounds")
    ended = store.get_study(study.id)
    assert (ended.stop, ended.best, ended.rounds, ended.test_uses, ended.job_id) == ("rounds", 4, 3, 1, job.id)
    assert ended.seconds > 0
    runs = bench.runs(study)
    assert len(runs) == len(set(runs))
    assert store.outcome_events(study.id, 4, "test-2")[-1].kind == "run_finished"


async def test_once_the_test_is_open_its_runs_are_counted(
    store: SqlStore, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, float | None, str]] = []
    real = JobContext.checkpoint

    async def checkpoint(self: JobContext, **told: Any) -> None:
        seen.append((told["done"], told["total"], told["unit"]))
        await real(self, **told)

    monkeypatch.setattr(JobContext, "checkpoint", checkpoint)
    study, job = bench.begin()
    await carried_out(store, job)
    units = [unit for _, _, unit in seen]
    first, last = units.index(TEST_RUNS), len(units) - 1
    runs = [o for _, o in store.study_outcomes(study.id, split="test")]
    assert seen[first] == (0, len(runs), TEST_RUNS)
    assert seen[last - 1] == (len(runs), len(runs), TEST_RUNS)
    assert seen[last] == (3, 3, "rounds")


async def test_ended_study_is_not_searched_again(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()
    await carried_out(store, job)
    before = bench.interpreter.calls
    assert (await carried_out(store, submitted(store, study))).result == {"study_id": study.id, "stop": "rounds"}
    assert bench.interpreter.calls == before


async def test_pause_during_a_model_call_keeps_its_run_and_resumes_behind_it(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()
    bench.interpreter.hold.clear()
    context = claimed(store, job)
    work = asyncio.create_task(carry_out(context, handler.handle))
    await until(calls(bench, 3))
    assert store.request(job.id, "pause").state == "pausing"
    await until(lambda: context.paused_wanted)
    bench.interpreter.hold.set()
    await work
    assert store.get_job(job.id).state == "paused"
    assert len(bench.runs(study)) == 3
    assert store.get_study(study.id).stop is None
    store.request(job.id, "resume")
    assert (await carried_out(store, job)).state == "done"
    runs = bench.runs(study)
    assert len(runs) == len(set(runs)) == bench.interpreter.calls
    assert store.get_study(study.id).best == 4


async def test_cancelled_study_is_stopped_by_a_person_and_keeps_what_it_has(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()
    bench.generator.hold.clear()
    work = asyncio.create_task(carried_out(store, job))
    await until(lambda: bench.generator.calls == 1)
    store.request(job.id, "cancel")
    assert (await asyncio.wait_for(work, 10)).state == "cancelled"
    ended = store.get_study(study.id)
    assert (ended.stop, ended.best, ended.test_uses) == ("person", None, 0)
    assert len(bench.runs(study)) == 10 + 4
    bench.generator.hold.set()
    assert (await carried_out(store, submitted(store, study))).result == {"study_id": study.id, "stop": "person"}
    assert (store.get_study(study.id).best, bench.generator.calls) == (0, 1)  # measured, not searched on


async def test_worker_that_slept_past_its_lease_writes_nothing_more(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()
    bench.interpreter.hold.clear()
    asleep = asyncio.create_task(carried_out(store, job, "asleep", lease_s=3600))
    await until(calls(bench, 3))
    store.orphan("asleep")
    awake = claimed(store, job, "awake")
    bench.interpreter.hold.set()
    await asyncio.gather(asleep, carry_out(awake, handler.handle))
    assert store.get_job(job.id).state == "done"
    runs = bench.runs(study)
    assert len(runs) == len(set(runs))
    assert [c.number for c in store.study_candidates(study.id)] == list(range(5))
    assert store.get_study(study.id).best == 4


async def test_of_two_jobs_of_one_study_the_later_carries_it_out(store: SqlStore, bench: Bench) -> None:
    study, first = bench.begin()
    second = submitted(store, study)
    failed, done = await asyncio.gather(carried_out(store, first, "one"), carried_out(store, second, "two"))
    assert failed.state == "failed"
    assert f"another job by now, {second.id}" in failed.error
    assert done.state == "done"
    runs = bench.runs(study)
    assert len(runs) == len(set(runs))
    assert [c.number for c in store.study_candidates(study.id)] == list(range(5))


async def test_study_that_was_deleted_meanwhile_fails_in_words(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()
    bench.generator.before = lambda _: store.delete_study(study.id)
    failed = await carried_out(store, job)
    assert failed.state == "failed"
    assert study.id in failed.error


async def test_generator_that_refuses_ends_the_study_with_what_it_has(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()

    def refuses(number: int) -> None:
        if number == 2:
            raise ModelRequestError("The prompt is too long.")

    bench.generator.before = refuses
    assert (await carried_out(store, job)).result == {"study_id": study.id, "stop": "generator-error"}
    ended = store.get_study(study.id)
    assert (ended.rounds, ended.best, ended.test_uses) == (1, 2, 1)


async def test_generator_that_dies_fails_the_job_which_goes_on_when_it_is_back(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()

    def dies(number: int) -> None:
        if number == 2:
            raise ModelUnavailable("The server is gone.", "Start it.")

    bench.generator.before = dies
    failed = await carried_out(store, job)
    assert (failed.state, failed.error) == ("failed", "The server is gone. Start it.")
    assert (store.get_study(study.id).rounds, store.get_study(study.id).test_uses) == (1, 0)
    store.request(job.id, "resume")
    bench.generator.before = lambda _: None
    assert (await carried_out(store, job)).state == "done"
    assert store.get_study(study.id).test_uses == 1


async def test_interpreter_that_dies_fails_the_job_which_goes_on_when_it_is_back(store: SqlStore, bench: Bench) -> None:
    study, job = bench.begin()

    def dies(number: int) -> None:
        if number > 20:
            raise ModelUnavailable("The server is gone.", "Start it.")

    bench.interpreter.before = dies
    failed = await carried_out(store, job)
    assert (failed.state, failed.error) == ("failed", "The server is gone. Start it.")
    assert {o.stop for _, o in store.study_outcomes(study.id)} == {"terminal"}
    bench.interpreter.before = lambda _: None
    store.request(job.id, "resume")
    assert (await carried_out(store, job)).state == "done"
    assert store.get_study(study.id).best == 4


@pytest.mark.parametrize("jump_s", [86_400.0, -86_400.0])
async def test_clock_that_jumps_ends_nothing_and_repeats_nothing(
    store: SqlStore, bench: Bench, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    study, job = bench.begin(max_time_s=600)
    real = time.time

    def jumps(number: int) -> None:
        if number == 12:
            monkeypatch.setattr(time, "time", lambda: real() + jump_s)

    bench.interpreter.before = jumps
    assert (await carried_out(store, job, lease_s=2)).state == "done"
    ended = store.get_study(study.id)
    assert (ended.stop, ended.best) == ("rounds", 4)
    assert 0 < ended.seconds < 600
    runs = bench.runs(study)
    assert len(runs) == len(set(runs)) == bench.interpreter.calls
    assert all(0 <= o.totals.seconds < 600 for _, o in store.study_outcomes(study.id))


async def test_model_that_was_removed_meanwhile_is_named_and_the_study_can_be_resumed(
    store: SqlStore, tmp_path: Path
) -> None:
    """Real models here, answering from scripts; real suite, real method."""
    script = tmp_path / "script.jsonl"
    line = json.dumps({"match": "", "reply": "Answer:::terminal:::Image Denoising, Colorization:::"})
    script.write_text(line)
    name = f"scripted:{script}"
    spec = StudySpec(method="paper", suite=PLAN, generator=name, interpreter=name, budget=StudyBudget(max_rounds=1))
    study = start.start_study(store, "Plans", spec)
    job = submitted(store, study)
    script.unlink()
    failed = await carried_out(store, job)
    assert failed.state == "failed"
    assert str(script) in failed.error
    assert "Check the path" in failed.error
    assert store.get_study(study.id).stop is None
    script.write_text(line)
    store.request(job.id, "resume")
    assert (await carried_out(store, job)).state == "done"
    assert store.get_study(study.id).stop == "rounds"


async def test_suite_that_was_deleted_meanwhile_is_told(store: SqlStore, tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"match": "", "reply": "x"}))
    rows = [{"objective": f"Say {n}.", "expected": str(n)} for n in range(6)]
    suite = store.save_suite("Numbers", {"rows": rows, "scorer": {"name": "exact"}})
    spec = StudySpec(
        method="paper", generator=f"scripted:{script}", interpreter=f"scripted:{script}",
        suite=SuiteSpec(name="table", train=2, val=2, test=2, options={"suite": suite.id}),
    )  # fmt: skip
    study = start.start_study(store, "Table", spec)
    store.delete_suite(suite.id)
    failed = await carried_out(store, submitted(store, study))
    assert failed.state == "failed"
    assert suite.id in failed.error
