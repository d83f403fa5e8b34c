"""The handlers with everything real under them but the model, which answers from a script."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoflow.jobs.context import JobContext
from autoflow.jobs.payloads import DownloadPayload, GeneratePayload, RunPayload, TestModelPayload
from autoflow.jobs.runner import carry_out, handlers
from autoflow.jobs.supervisor import ensure_worker, stop_worker, worker_status
from autoflow.llm.scripted import ScriptedLLM
from autoflow.records import Connection, Event, Job, JobKind, Record, Run, RunPolicy, WorkflowRecord
from autoflow.settings import settings
from autoflow.store import SqlStore, open_store
from tests.jobs.test_runner import until

CHAIN = """Step 1:::process:::Read the mail:::next::Step 2
Step 2:::process:::Weigh it:::next::Step 3
Step 3:::process:::Look at the rules:::next::Step 4
Step 4:::terminal:::Say yes or no:::
"""
REPLY = {"match": "", "reply": "fine indeed"}


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store()
    yield opened
    opened.close()


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., str]:
    """Writes a script and returns the model's name; called again it changes the script."""

    def write(*lines: dict[str, Any]) -> str:
        path = tmp_path / "script.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return f"scripted:{path}"

    return write


def submit_run(store: SqlStore, model: str, text: str = CHAIN, **policy: Any) -> tuple[Job, Run]:
    run = store.create_run(text=text, task=store.add_task("Is it justified?"), model=model, policy=RunPolicy(**policy))
    return submit(store, "run", RunPayload(run_id=run.id), run.id), run


def submit(store: SqlStore, kind: JobKind, payload: Record, subject_id: str | None = None) -> Job:
    return store.submit(kind, payload.model_dump(), title=kind, subject_id=subject_id)


async def carried_out(store: SqlStore, job: Job) -> Job:
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    await carry_out(JobContext(store, lease), handlers()[job.kind])
    return store.get_job(job.id)


def events(store: SqlStore, run: Run) -> list[Event]:
    return [event for _, event in store.run_events(run.id)]


def finished_visits(store: SqlStore, run: Run) -> list[int]:
    return [event.visit for event in events(store, run) if event.kind == "step_finished"]


class TestRun:
    async def test_run_reaches_its_end(self, store: SqlStore, model: Callable[..., str]) -> None:
        job, run = submit_run(store, model(REPLY))
        done = await carried_out(store, job)
        assert (done.state, done.result) == ("done", {"run_id": run.id, "stop": "terminal"})
        ended = store.get_run(run.id)
        assert (ended.stop, ended.answer, ended.totals.calls) == ("terminal", "fine indeed", 4)
        kinds = [event.kind for event in events(store, run)]
        assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
        assert kinds.count("run_started") == kinds.count("run_finished") == 1
        assert finished_visits(store, run) == [1, 2, 3, 4]
        assert done.done == 4

    async def test_model_that_cannot_answer_is_a_done_job_that_goes_on_later(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        name = model({"match": "Look at the rules", "error": "out of order"}, REPLY)
        job, run = submit_run(store, name)
        assert (await carried_out(store, job)).result == {"run_id": run.id, "stop": "model-error"}
        stopped = store.get_run(run.id)
        assert stopped.stop == "model-error"
        assert "out of order" in stopped.error
        model(REPLY)
        store.reopen_run(run.id)
        again = submit(store, "run", RunPayload(run_id=run.id), run.id)
        assert (await carried_out(store, again)).state == "done"
        assert store.get_run(run.id).stop == "terminal"
        assert store.get_run(run.id).job_id == again.id
        assert finished_visits(store, run) == [1, 2, 3, 4]
        assert [event.kind for event in events(store, run)].count("run_finished") == 1

    @pytest.mark.parametrize("text", ["", "Step 1:::proces", "Step 1:::process:::Go:::next::Step 9\n"])
    async def test_workflow_with_errors_is_not_run(self, store: SqlStore, model: Callable[..., str], text: str) -> None:
        job, run = submit_run(store, model(REPLY), text=text)
        assert (await carried_out(store, job)).state == "done"
        ended = store.get_run(run.id)
        assert (ended.stop, ended.totals.calls) == ("invalid-workflow", 0)
        assert "error" in ended.error
        assert events(store, run)[-1].kind == "run_finished"

    async def test_unknown_model_ends_the_run_in_words_and_it_can_go_on(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        job, run = submit_run(store, "nonsense:x")
        done = await carried_out(store, job)
        assert done.result == {"run_id": run.id, "stop": "model-error"}
        assert "nonsense:x" in store.get_run(run.id).error
        assert [e.kind for e in events(store, run)] == ["run_finished"]
        assert store.reopen_run(run.id).stop is None

    async def test_a_tool_that_is_not_here_ends_the_run_in_words(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        task = store.add_task("x", tools=["no_such_tool"])
        run = store.create_run(text=CHAIN, task=task, model=model(REPLY), policy=RunPolicy())
        await carried_out(store, submit(store, "run", RunPayload(run_id=run.id), run.id))
        assert store.get_run(run.id).stop == "tool-error"
        assert "no_such_tool" in store.get_run(run.id).error

    async def test_a_model_that_no_source_has_ends_the_run_in_words(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AUTOFLOW_OFFLINE", "1")
        settings.cache_clear()
        job, run = submit_run(store, "embedded:smollm2-135m")
        await carried_out(store, job)
        ended = store.get_run(run.id)
        assert ended.stop == "model-error"
        assert "smollm2-135m" in ended.error

    async def test_job_for_a_run_that_has_ended_changes_nothing(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        job, run = submit_run(store, model(REPLY))
        await carried_out(store, job)
        before = events(store, run)
        again = submit(store, "run", RunPayload(run_id=run.id), run.id)
        assert (await carried_out(store, again)).result == {"run_id": run.id, "stop": "terminal"}
        assert events(store, run) == before

    async def test_payload_of_another_form_is_told(self, store: SqlStore) -> None:
        job = store.submit("run", {"surprise": 1}, title="r")
        failed = await carried_out(store, job)
        assert failed.state == "failed"
        assert "run_id" in failed.error

    async def test_cancelled_run_keeps_what_the_model_had_said(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        slow = {"match": "Look at the rules", "reply": "one two three four", "latency_s": 4}
        job, run = submit_run(store, model(slow, REPLY))
        work = asyncio.create_task(carried_out(store, job))
        await until(lambda: store.get_job(job.id).live.get("text"))
        live = store.get_job(job.id).live
        assert (live["visit"], live["step"]) == (3, "Step 3")
        assert [event["kind"] for event in live["events"]][:2] == ["step_entered", "prompt"]
        store.request(job.id, "cancel")
        assert (await work).state == "cancelled"
        ended = store.get_run(run.id)
        assert (ended.stop, ended.totals.calls) == ("cancelled", 2)
        assert finished_visits(store, run) == [1, 2]
        last = events(store, run)
        assert last[-1].kind == "run_finished"
        assert any(event.kind == "reply" and event.visit == 3 and event.data["text"] for event in last)

    async def test_run_that_had_ended_keeps_its_end_whatever_is_cancelled_then(
        self, store: SqlStore, model: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def slow(_: ScriptedLLM) -> None:
            await asyncio.sleep(30)

        monkeypatch.setattr(ScriptedLLM, "aclose", slow)
        job, run = submit_run(store, model(REPLY))
        work = asyncio.create_task(carried_out(store, job))
        await until(lambda: len(finished_visits(store, run)) == 4)
        store.request(job.id, "cancel")
        assert (await work).state == "done"
        ended = store.get_run(run.id)
        assert (ended.stop, ended.answer) == ("terminal", "fine indeed")

    async def test_tool_call_of_any_depth_is_told_to_the_model(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        deep = '{"expression": ' + "[" * 500 + "]" * 500 + "}"
        call = {"match": "Read the mail", "tool_calls": [{"name": "calculator", "arguments": deep}]}
        task = store.add_task("x", tools=["calculator"])
        run = store.create_run(text=CHAIN, task=task, model=model(call, REPLY), policy=RunPolicy())
        job = await carried_out(store, submit(store, "run", RunPayload(run_id=run.id), run.id))
        assert (job.state, store.get_run(run.id).stop) == ("done", "terminal")
        results = [event.data["text"] for event in events(store, run) if event.kind == "tool_result"]
        assert len(results) == 1
        assert "100 levels" in results[0]

    async def test_paused_run_goes_on_where_it_was(self, store: SqlStore, model: Callable[..., str]) -> None:
        job, run = submit_run(store, model({**REPLY, "latency_s": 0.6}))
        work = asyncio.create_task(carried_out(store, job))
        await until(lambda: finished_visits(store, run))
        store.request(job.id, "pause")
        assert (await work).state == "paused"
        assert 0 < len(finished_visits(store, run)) < 4
        store.request(job.id, "resume")
        assert (await carried_out(store, job)).state == "done"
        assert finished_visits(store, run) == [1, 2, 3, 4]

    def test_killed_worker_process_repeats_no_step(self, store: SqlStore, model: Callable[..., str]) -> None:
        job, run = submit_run(store, model({**REPLY, "latency_s": 0.5}))
        ensure_worker()
        deadline = time.monotonic() + 60
        killed = False
        while not store.get_job(job.id).ended:
            assert time.monotonic() < deadline
            if not killed and len(finished_visits(store, run)) == 2:
                pid = worker_status().pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                killed = True
            ensure_worker()
            time.sleep(0.02)
        stop_worker()
        assert killed
        assert store.get_run(run.id).stop == "terminal"
        assert finished_visits(store, run) == [1, 2, 3, 4]
        assert [event.kind for event in events(store, run)].count("run_started") == 1


class TestGenerate:
    @pytest.fixture
    def workflow(self, store: SqlStore) -> WorkflowRecord:
        return store.create_workflow("Refund mail", task=store.add_task("Is it justified?"))

    def asked(self, store: SqlStore, workflow: WorkflowRecord, model: str, **options: Any) -> Job:
        payload = GeneratePayload(model=model, workflow_id=workflow.id, revision=workflow.revision, **options)
        return submit(store, "generate", payload, workflow.id)

    async def test_one_draft_becomes_the_workflow(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str]
    ) -> None:
        name = model({"match": "", "reply": CHAIN})
        job = await carried_out(store, self.asked(store, workflow, name))
        assert job.state == "done"
        assert job.result is not None
        [draft] = job.result["drafts"]
        assert (draft["index"], draft["text"].strip(), job.result["version"]) == (0, CHAIN.strip(), 1)
        kept = store.get_version(workflow.id, 1)
        assert (kept.origin, kept.model) == ("generated", name)
        assert store.get_workflow(workflow.id).text.strip() == CHAIN.strip()

    async def test_what_a_person_typed_meanwhile_stays(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str]
    ) -> None:
        job = self.asked(store, workflow, model({"match": "", "reply": CHAIN}))
        store.save_draft(workflow.id, "typed", revision=workflow.revision)
        assert (await carried_out(store, job)).state == "done"
        assert store.get_workflow(workflow.id).text == "typed"
        assert store.get_version(workflow.id, 1).text.strip() == CHAIN.strip()

    async def test_job_done_twice_saves_one_version(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str]
    ) -> None:
        job = self.asked(store, workflow, model({"match": "", "reply": CHAIN}))
        lease = store.claim("test", lease_s=60)
        assert lease is not None
        await handlers()["generate"](JobContext(store, lease))  # and then the worker dies
        store.save_version(workflow.id, origin="edited", text="a person's")
        store.orphan("test")
        assert (await carried_out(store, job)).state == "done"
        assert [version.text.strip() for version in store.list_versions(workflow.id)] == ["a person's", CHAIN.strip()]
        assert store.get_workflow(workflow.id).text == "a person's"

    async def test_finished_drafts_are_not_written_again(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str]
    ) -> None:
        job = self.asked(store, workflow, model({"match": "", "error": "must not be asked"}), drafts=2)
        lease = store.claim("test", lease_s=60)
        assert lease is not None
        drafts = [{"index": n, "text": f"draft {n}"} for n in range(2)]
        store.checkpoint(lease, result={"drafts": drafts})
        store.orphan("test")
        done = await carried_out(store, job)
        assert (done.state, done.result) == ("done", {"drafts": drafts})
        assert store.list_versions(workflow.id) == []  # of several drafts a person picks one

    async def test_pause_that_is_taken_back_at_once_leaves_no_draft_out(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wanted = iter([True])
        monkeypatch.setattr(JobContext, "paused_wanted", property(lambda _: next(wanted, False)))
        job = self.asked(store, workflow, model({"match": "", "reply": CHAIN}), drafts=2)
        assert (await carried_out(store, job)).state == "queued"
        done = await carried_out(store, job)
        assert [draft["index"] for draft in (done.result or {})["drafts"]] == [0, 1]

    async def test_model_that_cannot_answer_fails_the_job_in_words(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str]
    ) -> None:
        job = await carried_out(store, self.asked(store, workflow, model({"match": "", "error": "out of order"})))
        assert job.state == "failed"
        assert "out of order" in job.error

    async def test_stop_keeps_what_was_written(
        self, store: SqlStore, workflow: WorkflowRecord, model: Callable[..., str]
    ) -> None:
        job = self.asked(store, workflow, model({"match": "", "reply": CHAIN, "latency_s": 30}))
        work = asyncio.create_task(carried_out(store, job))
        await until(lambda: store.get_job(job.id).live.get("drafts", [{"text": ""}])[0]["text"])
        store.request(job.id, "cancel")
        stopped = await work
        assert stopped.state == "cancelled"
        assert stopped.result is not None
        [draft] = stopped.result["drafts"]
        assert draft["stopped"]
        assert draft["text"].strip()

    async def test_without_a_task_it_says_so(self, store: SqlStore, model: Callable[..., str]) -> None:
        job = await carried_out(store, self.asked(store, store.create_workflow("w"), model(REPLY)))
        assert job.state == "failed"
        assert "no task" in job.error


class TestModels:
    async def test_result_of_a_test_is_kept_with_the_connection(
        self, store: SqlStore, model: Callable[..., str]
    ) -> None:
        path = model({"match": "", "reply": "ready"}).removeprefix("scripted:")
        store.save_connection(Connection(name="mine", kind="scripted", path=path))
        job = await carried_out(store, submit(store, "test-model", TestModelPayload(model="mine"), "mine"))
        assert (job.state, (job.result or {})["ok"]) == ("done", True)
        assert store.get_connection("mine").test == job.result

    async def test_model_that_cannot_be_opened_is_a_test_that_went_wrong(self, store: SqlStore) -> None:
        store.save_connection(Connection(name="gpt", key_env="NO_SUCH_KEY"))
        job = await carried_out(store, submit(store, "test-model", TestModelPayload(model="openai:gpt")))
        assert job.state == "done"
        report = store.get_connection("gpt").test
        assert report is not None
        assert not report["ok"]
        assert "NO_SUCH_KEY" in report["error"]

    async def test_download_of_an_unknown_model_fails_in_words(self, store: SqlStore) -> None:
        job = await carried_out(store, submit(store, "download", DownloadPayload(model="no-such-model")))
        assert job.state == "failed"
        assert "no-such-model" in job.error
