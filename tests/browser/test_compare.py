"""Compare in a real browser: from the comparison of a study to its traces and its files, and runs that are missing."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from autoflow.records import Connection
from autoflow.store import SqlStore, open_store
from autoflow.study import Study
from scripts.appserver import AppServer
from tests.browser.test_pages import settle
from tests.report.studies import HOSTILE, NEW, OLD, written
from tests.studies import finished_study

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


@pytest.fixture(scope="module")
def study(store: SqlStore) -> Study:
    return finished_study(store)


@pytest.fixture(scope="module")
def hostile(store: SqlStore) -> Study:
    return written(store, names=[f"old {HOSTILE}", f"new {HOSTILE}"], reply=lambda _: HOSTILE)


def violations(page: Page) -> str:
    found = Axe().run(page).response["violations"]
    told = [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found]
    return json.dumps(told, indent=1) if told else ""


def download(page: Page, kind: str, folder: Path) -> Path:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name=kind, exact=True).click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    page.keyboard.press("Escape")
    return path


def test_from_a_study_to_its_tasks_and_the_traces_of_one(server: AppServer, page: Page, study: Study) -> None:
    page.goto(f"{server.url}/compare?study={study.id}")
    expect(page.get_by_role("heading", name=re.compile("is better by .*95 % interval .*12 tasks"))).to_be_visible(
        timeout=60_000
    )
    expect(page.get_by_text("Scored on the sealed test, which was opened once.")).to_be_visible()
    lines = page.locator("tr[data-task]")
    expect(lines).not_to_have_count(0)
    different = lines.count()
    page.get_by_test_id("stMain").get_by_text("All 12 tasks").click()
    expect(lines).to_have_count(12)
    assert 0 < different <= 12
    name = lines.last.get_attribute("data-task") or ""
    page.get_by_label("Find", exact=True).fill(name)
    page.get_by_label("Find", exact=True).press("Enter")
    expect(lines).to_have_count(1)
    page.get_by_role("button", name=f"Traces of {name}", exact=True).click()
    page.wait_for_url(re.compile(f"task={name}"))
    grid = page.get_by_role("group", name=f"Both traces of {name}", exact=True)  # not those that stood there before
    expect(grid.locator(".row[data-type=terminal]")).to_have_count(2)
    grid.get_by_text("Prompt and reply").first.click()
    expect(grid.locator("pre").first).to_be_visible()
    page.reload()
    expect(grid.locator(".row").first).to_be_visible()
    assert f"task={name}" in page.url


def test_the_files_hold_the_comparison_and_the_html_asks_for_nothing(
    server: AppServer, page: Page, new_page: Callable[..., Page], study: Study, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/compare?study={study.id}")
    settle(page)
    verdict = page.get_by_role("heading", name=re.compile("is better by")).inner_text()
    rows = list(csv.DictReader(download(page, "CSV", tmp_path).read_text("utf-8-sig").splitlines()))
    assert [row["task"] for row in rows] == list(study.splits["test"])

    path = download(page, "HTML", tmp_path)
    alone = new_page()
    asked: list[str] = []
    faults: list[Any] = []
    alone.context.set_offline(True)
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("pageerror", lambda fault: faults.append(fault))
    alone.on("console", lambda message: faults.append(message.text))
    alone.goto(path.as_uri())
    expect(alone.get_by_text(verdict)).to_be_visible()
    alone.get_by_label("all 12 tasks").check()
    expect(alone.locator(".tasks tbody tr:visible")).to_have_count(12)
    alone.locator("details.trace summary").first.click()
    expect(alone.locator("details.trace .visit").first).to_be_visible()
    assert (asked, faults) == ([path.as_uri()], [])


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 420)])
def test_page_and_file_are_accessible_and_hostile_text_is_text(
    server: AppServer, new_page: Callable[..., Page], study: Study, hostile: Study, tmp_path: Path, theme: str,
    width: int,
) -> None:  # fmt: skip
    page = new_page(theme=theme, width=width)
    for shown in (study, hostile):
        page.goto(f"{server.url}/compare?study={shown.id}&show=all")
        settle(page)
        expect(page.get_by_role("heading", name="Traces")).to_be_visible()
        assert not violations(page)
        assert page.evaluate("window.stolen") is None
        path = download(page, "HTML", tmp_path)
        alone = new_page(theme=theme, width=width)
        alone.goto(path.as_uri())
        for folded in alone.locator("details.trace > summary").all()[:1]:
            folded.click()
        assert not violations(alone)
        assert alone.evaluate("window.stolen") is None


def test_what_is_missing_is_run_from_the_page_stopped_and_taken_up(
    server: AppServer, page: Page, store: SqlStore, tmp_path: Path
) -> None:
    script = tmp_path / "script.jsonl"
    slow = {"match": "", "reply": "Colorization", "latency_s": 1.0}
    script.write_text(json.dumps({"match": "Name all models", "reply": "Image Deblurring, Object Detection"}) + "\n")
    script.write_text(script.read_text() + json.dumps(slow) + "\n")
    store.save_connection(Connection(name="slow", kind="scripted", path=str(script)))
    workflow = store.create_workflow("Plans", OLD)
    store.save_version(workflow.id, origin="generated", text=NEW)
    page.goto(f"{server.url}/compare?a={workflow.id}:1&b={workflow.id}:2&model=slow&val=150&test=0&train=1")
    page.get_by_role("button", name="Run both").click()
    page.wait_for_url(re.compile(r"study=st_"))
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text(re.compile(r"Running, \d+ of 300 runs"))).to_be_visible(timeout=60_000)
    expect(main.get_by_text(re.compile("runs still missing"))).to_be_visible(timeout=60_000)
    main.get_by_role("button", name="Stop").click()
    again = page.get_by_role("button", name=re.compile(r"Run what is missing \(\d+ runs\)"))
    expect(again).to_be_visible(timeout=30_000)
    kept = len(store.study_outcomes(re.search(r"study=(st_\w+)", page.url).group(1)))  # type: ignore[union-attr]
    assert 0 < kept < 300
    again.click()
    expect(page.get_by_role("heading", name=re.compile("150 tasks"))).to_be_visible(timeout=90_000)
    expect(page.get_by_role("button", name="Export")).to_be_visible(timeout=30_000)
    expect(again).to_have_count(0)
