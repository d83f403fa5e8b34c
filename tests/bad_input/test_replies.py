"""What models and servers send, as far as a run, a generation and a page: each ends in words, with what there was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.jobs.payloads import GeneratePayload, TestModelPayload
from autoflow.llm.base import Options
from autoflow.llm.retry import RetryPolicy
from autoflow.records import Connection, RunPolicy
from autoflow.store import SqlStore
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, carried_out, run_job
from tests.llm.conftest import running_server, server
from tests.llm.endpoint_faults import FAULTS, KEY, Fault
from tests.llm.server import Server

__all__ = ["running_server", "server"]
Script = Callable[..., str]
SERVED = [  # faults that need neither a time limit nor something in the request of their own
    f for f in FAULTS if f.options == Options() and not f.images and not f.busy_s and f.first_s == f.stall_s == 30
]
GREAT = "".join(f"{n}, " for n in range(150_000))  # a million characters


@pytest.fixture
def served(server: Server, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], str]:
    """A connection to a server that does what the fault says; retries are not slept through."""

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    defaults = RetryPolicy.__init__.__defaults__ or ()
    monkeypatch.setattr(
        RetryPolicy.__init__, "__defaults__", tuple(at_once if d is asyncio.sleep else d for d in defaults)
    )

    def connect(fault: Fault) -> str:
        server.script(*fault.answers)
        if fault.key:
            monkeypatch.setenv("TEST_KEY", fault.key)
        key_env = "TEST_KEY" if fault.key else None
        address = fault.base_url or server.url
        store.save_connection(Connection(name="gpt", model="gpt-test", base_url=address, key_env=key_env))
        return "gpt"

    return connect


@pytest.mark.parametrize("fault", SERVED, ids=lambda f: f.title)
def test_a_fault_of_a_server_ends_runs_generations_and_tests_in_words(
    store: SqlStore, visit: Callable[..., AppTest], served: Callable[[Fault], str], fault: Fault
) -> None:
    task = store.add_task("Answer the mail")
    record = store.create_workflow("Mails", GOOD, task=task)
    run = store.create_run(
        text=GOOD, task=task, model=served(fault), policy=RunPolicy(max_steps=3), workflow_id=record.id
    )
    ended = run_job(store, run)
    if fault.error:
        assert ended.stop == "model-error"
        assert len(ended.error) > 40
    else:
        assert ended.stop in ("terminal", "undecided", "max-steps")
    app = visit("run", run=run.id)
    assert not app.exception
    assert ended.error in words(app)
    asked = GeneratePayload(model=served(fault), task=task).model_dump()
    made = carried_out(store, store.submit("generate", asked, title="g"))
    assert made.state == "done" or (made.state == "failed" and "Unexpected" not in made.error and made.error)
    tested = carried_out(
        store, store.submit("test-model", TestModelPayload(model=served(fault)).model_dump(), title="t")
    )
    assert tested.state == "done"
    assert tested.result is not None
    assert tested.result["ok"] or tested.result["error"]
    app = visit("models", **{"models-tab": "Connections"})
    assert not app.exception
    told = ended.error + made.error + str(made.result) + str(tested.result) + words(app)
    assert KEY not in told


def test_an_answer_of_a_million_characters_is_kept_and_shown(
    store: SqlStore, visit: Callable[..., AppTest], script: Script
) -> None:
    run = store.create_run(
        text=GOOD, task=store.add_task("x"), policy=RunPolicy(),
        model=script({"match": "Does it ask", "reply": f"{GREAT}\nyes"}, {"match": "", "reply": GREAT}),
        workflow_id=store.create_workflow("Mails", GOOD).id,
    )  # fmt: skip
    ended = run_job(store, run)
    assert (ended.stop, ended.answer) == ("terminal", GREAT.strip())
    prompts = [e.data for _, e in store.run_events(run.id) if e.kind == "prompt"]
    assert all(sum(len(part["text"]) for part in p["parts"]) < 20_000 for p in prompts)
    app = visit("run", run=run.id)
    assert not app.exception
    assert "Something in AutoFlow failed" not in words(app)


@pytest.mark.parametrize(
    "reply", ["是的，没有问题。", "Да, конечно.", "so on and " * 1_000, "{" * 2_000, "[" * 100_000, "()"]
)
def test_a_decision_that_cannot_be_read_says_what_to_do(store: SqlStore, script: Script, reply: str) -> None:
    model = script({"match": "Read the mail", "reply": reply}, {"match": "", "reply": reply})
    run = store.create_run(text=GOOD, task=store.add_task("x"), model=model, policy=RunPolicy())
    ended = run_job(store, run)
    assert ended.stop == "undecided"
    assert "two replies named none of `yes`, `no`" in ended.error
    assert "default branch" in ended.error


@pytest.mark.parametrize("reply", ["Prüfe die Mail und antworte.", "so on and " * 5_000, "{" * 5_000, ":" * 200_000,
                                   "[" * 100_000, GREAT[:200_000]])  # fmt: skip
def test_a_reply_without_a_workflow_is_kept_and_told(
    store: SqlStore, visit: Callable[..., AppTest], script: Script, reply: str
) -> None:
    record = store.create_workflow("Mails", task=store.add_task("Answer the mail"))
    asked = GeneratePayload(model=script({"match": "", "reply": reply}), workflow_id=record.id)
    job = carried_out(store, store.submit("generate", asked.model_dump(), title="g", subject_id=record.id))
    assert job.state == "done", job.error
    assert job.result is not None
    assert job.result["drafts"][0]["replies"][0] == reply
    assert store.list_versions(record.id) == [] or store.list_versions(record.id)[0].text.strip()
    app = visit("write", workflow=record.id, job=job.id)
    assert not app.exception
    assert "Something in AutoFlow failed" not in words(app)


@pytest.mark.parametrize("calls", [
    [{"name": "no_such_tool", "arguments": {}}],
    [{"name": "", "arguments": ""}],
    [{"name": "calculator", "arguments": "{" * 50_000}],
    [{"name": "calculator", "arguments": {"expression": "9" * 100_000}}],
    [{"name": "lookup", "arguments": {"query": "(" * 1_000}}] * 50,
])  # fmt: skip
def test_tool_calls_that_cannot_be_carried_out_end_in_words(
    store: SqlStore, visit: Callable[..., AppTest], script: Script, calls: list[dict[str, object]]
) -> None:
    task = store.add_task("x", tools=["calculator", "lookup"])
    run = store.create_run(text=GOOD, task=task, model=script({"match": "", "tool_calls": calls}), policy=RunPolicy())
    ended = run_job(store, run)
    assert ended.stop in ("tool-error", "undecided", "terminal")
    assert ended.error or ended.stop == "terminal"
    store.create_workflow("Mails", GOOD)
    app = visit("run", run=run.id)
    assert not app.exception
    assert "Something in AutoFlow failed" not in words(app)
