"""The whole way, as a person goes it: type a task, watch a real model write, change a step, run, watch, reload.

The model is SmolLM2 on this machine, through `embedded:`; its words are mostly nonsense, its workflows are valid.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from autoflow.interpret.trace import views
from autoflow.records import Run, RunPolicy
from autoflow.store import SqlStore, open_store
from scripts.appserver import AppServer
from tests.models import models_dir, shared_model_server, smollm2_file  # noqa: F401  (fixtures)

MODEL = "embedded:smollm2-135m"
PATIENCE_MS = 120_000
pytestmark = [pytest.mark.browser, pytest.mark.model]


@pytest.fixture(scope="module")
def server_env(smollm2_file: Path, shared_model_server: Path) -> dict[str, str]:  # noqa: F811
    return {
        "AUTOFLOW_OFFLINE": "1",
        "AUTOFLOW_MODELS_DIR": str(models_dir()),
        "AUTOFLOW_SERVER_DIR": str(shared_model_server),
        "AUTOFLOW_DEFAULT_MODEL": MODEL,
    }


@pytest.fixture
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


def wait_until(found: Callable[[], object], seconds: float = PATIENCE_MS / 1000) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def worker(server: AppServer) -> psutil.Process:
    (found,) = server.processes("autoflow.jobs.worker")
    return found


def test_from_a_typed_task_to_a_finished_trace_with_a_reload_in_the_middle(
    server: AppServer, page: Page, store: SqlStore
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.get_by_label("What should get done?").fill("Decide whether a refund mail is justified")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile(r"/write\?.*workflow=wf_"))
    page.reload()  # the writing goes on in the worker
    expect(page.get_by_role("option").first).to_be_visible(timeout=PATIENCE_MS)
    workflow = store.get_workflow(re.search(r"workflow=(wf_\w+)", page.url).group(1))  # type: ignore[union-attr]
    wait_until(lambda: store.get_workflow(workflow.id).version == 1)
    page.reload()

    page.get_by_role("option").first.click()
    instruction = page.get_by_label("Instruction")
    instruction.fill("Read the mail and say what it asks for.")
    instruction.press("Tab")
    wait_until(lambda: "Read the mail and say what it asks for." in store.get_workflow(workflow.id).text)

    page.get_by_test_id("stMain").get_by_role("button", name="Run", exact=True).first.click()
    page.wait_for_url(re.compile(r"/run\?.*workflow=wf_"))
    page.get_by_role("button", name="Limits").click()
    limit = page.get_by_label("Tokens an answer")
    limit.fill("32")  # this model does not end its answers by itself
    limit.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_test_id("stMain").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"run=rn_"))
    expect(page.locator("li.row").first).to_be_visible(timeout=PATIENCE_MS)
    page.reload()
    run_id = re.search(r"run=(rn_\w+)", page.url).group(1)  # type: ignore[union-attr]
    wait_until(lambda: store.get_run(run_id).stop is not None)
    expect(page.locator("li.row[data-state=done]").first).to_be_visible(timeout=PATIENCE_MS)
    run = store.get_run(run_id)
    steps = views(event for _, event in store.run_events(run_id))
    assert run.stop in ("terminal", "max-steps", "max-time")
    expect(page.locator("li.row")).to_have_count(len(steps), timeout=PATIENCE_MS)
    page.locator("li.row summary").first.click()
    expect(page.locator("li.row").first.get_by_text("Read the mail and say what it asks for.").first).to_be_visible()
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []


STEPS = 8
LINE = "\n".join(
    [
        *(f"Step {n}:::process:::Say the number {n} in words.:::next::Step {n + 1}" for n in range(1, STEPS)),
        f"Step {STEPS}:::terminal:::Say that this is the end.:::",
        "",
    ]
)


def queued_run(store: SqlStore, name: str) -> Run:
    """A run of a straight workflow, given to the worker; short answers, as this model does not end its own."""
    task = store.add_task(f"Count, {name}")  # its own, so that no answer comes from the cache of another test
    workflow = store.create_workflow(name, LINE, task=task)
    policy = RunPolicy(answer_tokens=32)
    run = store.create_run(text=LINE, task=task, model=MODEL, policy=policy, workflow_id=workflow.id, version=1)
    store.submit("run", {"run_id": run.id}, title=f"Run {name}", subject_id=run.id)
    return run


def test_a_killed_worker_loses_nothing_and_repeats_nothing(server: AppServer, page: Page, store: SqlStore) -> None:
    run = queued_run(store, "killed")
    page.goto(f"{server.url}/run?run={run.id}")
    wait_until(lambda: len(views(e for _, e in store.run_events(run.id))) >= 3)
    victim = worker(server)
    os.kill(victim.pid, signal.SIGKILL)
    with suppress(psutil.Error):
        victim.wait(10)
    assert store.get_run(run.id).stop is None
    wait_until(lambda: store.get_run(run.id).stop is not None)
    assert store.get_run(run.id).stop == "terminal"
    events = [event for _, event in store.run_events(run.id)]
    entered = Counter(event.visit for event in events if event.kind == "step_entered")
    assert entered == dict.fromkeys(range(1, STEPS + 1), 1)
    assert [s.step for s in views(events)] == [f"Step {n}" for n in range(1, STEPS + 1)]
    expect(page.get_by_text("The workflow reached its end.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("li.row")).to_have_count(STEPS)


def test_a_run_is_stopped_from_the_page_and_keeps_what_was_done(server: AppServer, page: Page, store: SqlStore) -> None:
    run = queued_run(store, "stopped")
    page.goto(f"{server.url}/run?run={run.id}")
    expect(page.locator("li.row[data-state=done]").first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("stMain").get_by_role("button", name="Stop").last.click()
    expect(page.get_by_text("The run was stopped.")).to_be_visible(timeout=PATIENCE_MS)
    assert store.get_run(run.id).stop == "cancelled"
    assert len(views(e for _, e in store.run_events(run.id))) >= 1
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.get_by_role("button", name="Run again from here").first).to_be_visible()  # without a reload
