"""Every page in a real browser: axe-core finds nothing, nothing foreign is loaded, headers are sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from autoflow.benchmark import Variant
from autoflow.examples import get_example
from autoflow.interpret.events import event
from autoflow.records import Connection, RunPolicy, Totals
from autoflow.store import SqlStore, open_store
from pages.ui.security import HEADERS
from scripts.appserver import AppServer
from tests.grids import written
from tests.studies import finished_study, new_study

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.stolen=1"> ![x](http://attacker.invalid/x.png) <script>window.stolen=1</script>'


@pytest.fixture(scope="module")
def paths(server: AppServer) -> dict[str, str]:
    """One address of each page and tab, with content that tries to be more than text."""
    store: SqlStore = open_store(f"sqlite:///{server.home / 'autoflow.db'}")
    example = get_example("refund-mail")
    task = store.add_task(example.objective + HOSTILE, example.inputs)
    text = example.text.replace("Step 1:::process:::", f"Step 1:::process:::{HOSTILE.replace(':::', ' ')} ")
    workflow = store.create_workflow(f"Refund {HOSTILE}", text, task=task)
    run = store.create_run(text=text, task=task, model="m", policy=RunPolicy(), workflow_id=workflow.id, version=1)
    store.append_events(run.id, list(visit(HOSTILE)))
    store.finish_run(run.id, stop="terminal", answer=HOSTILE, error="", totals=Totals(calls=1))
    store.save_connection(
        Connection(name="mine", model=HOSTILE, base_url="http://localhost:1/v1", key_env="MY_API_KEY")
    )
    study, waiting = finished_study(store, f"Study {HOSTILE}"), new_study(store, "Waiting", pending=True)
    waiting.begin()
    grid = written(
        store, f"Grid {HOSTILE}", generators=(HOSTILE, "=1+1"), interpreters=("x" * 300,),
        states={"0-0-0-1": "deleted"}, variants=(Variant(name=HOSTILE), Variant(name="plain")),
    )  # fmt: skip
    broken = next(c.number for c in store.study_candidates(study.id) if c.error)
    return {
        "optimize": "/optimize",
        "study": f"/optimize?study={study.id}",
        "study, a trace": f"/optimize?study={study.id}&candidate=1&task={study.splits['val'][0]}",
        "study, a text with errors": f"/optimize?study={study.id}&candidate={broken}",
        "study, answers to rate": f"/optimize?study={waiting.study.id}",
        "benchmark": "/benchmark",
        "benchmark, a grid": f"/benchmark?benchmark={grid.id}",
        "home": "/",
        "write": f"/write?workflow={workflow.id}&step=2",
        "run": f"/run?run={run.id}",
        "run set-up": f"/run?workflow={workflow.id}",
        "models": "/models",
        "connections": "/models?models-tab=Connections",
        "prices": "/models?models-tab=Prices",
        "unknown": "/write?workflow=wf_000000000000",
    }


def visit(text: str) -> list[Any]:
    now = time.time()
    parts = [{"source": "step", "role": "user", "text": text}]
    figures = {"prompt_tokens": 5, "completion_tokens": 2, "seconds": 0.5, "cost_usd": None}
    reply = {"tool_calls": [], "finish": "stop", "strength": "none", "model": "m", "cached": False, "attempts": 1}
    return [
        event("step_entered", 1, now, step="Step 1", type="process", instruction=text),
        event("prompt", 1, now, call=1, parts=parts, tools=[], constraint=None),
        event("reply", 1, now, call=1, text=text, purpose="step", reasoning="", **reply, **figures),
        event("warning", 1, now, message=text, hint=""),
        event("step_finished", 1, now, step="Step 1", type="process", answer=text, branch=None, next="Step 2", calls=1,
              tools=[], **figures),
    ]  # fmt: skip


def settle(page: Page) -> None:
    page.locator('[data-test-script-state="notRunning"]').first.wait_for(timeout=60_000)
    page.wait_for_timeout(1200)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_shows_text_as_text_and_asks_for_nothing_foreign(
    server: AppServer, paths: dict[str, str], new_page: Callable[..., Page], theme: str
) -> None:
    page, found, asked, refused = new_page(theme=theme), {}, [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text else None)
    for name, path in paths.items():
        page.goto(server.url + path)
        settle(page)
        for more in page.locator("li.row details summary").all()[:3]:
            more.click()
        assert page.evaluate("window.stolen") is None
        assert refused == [], "the policy refuses what the page itself needs"
        violations = Axe().run(page).response["violations"]
        if violations:
            found[name] = [(v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in violations]
    assert not found, json.dumps(found, indent=1)
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []


def test_every_answer_carries_the_security_headers(server: AppServer) -> None:
    for path in ("/", "/health", "/write", "/static/favicon.png"):
        headers = httpx.get(server.url + path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_health_says_whether_the_worker_lives(server: AppServer) -> None:
    deadline = time.monotonic() + 30
    while not (answer := httpx.get(f"{server.url}/health").json()).get("worker"):
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    assert answer["ok"]
