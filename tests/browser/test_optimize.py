"""A search from its set-up to a comparison to send, in a real browser: reloaded, paused, its worker killed."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from autoflow.store import SqlStore, open_store
from autoflow.study import PLAIN, Study
from scripts.appserver import AppServer
from tests import searching
from tests.browser.test_pages import settle
from tests.llm.server import Server
from tests.studies import finished_study, new_study

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000
ROUNDS = 30
LATENCY_S = 0.25  # of the model, so that there is something to watch

# The curves as Plotly holds them: how many candidates have a validation score, and what part of them is on show.
SCORED = """() => { const plot = document.querySelector(".js-plotly-plot");
  return plot && plot.data ? plot.data.find((trace) => trace.uid === "val").x.length : 0; }"""
RANGE = '() => [...document.querySelector(".js-plotly-plot").layout.xaxis.range]'


@pytest.fixture(scope="module")
def model() -> Iterator[Server]:
    with searching.model_server(LATENCY_S, stride=1) as running:
        yield running


@pytest.fixture(scope="module")
def server_env() -> dict[str, str]:
    return {"AUTOFLOW_OFFLINE": "1", "AUTOFLOW_DEFAULT_MODEL": searching.MODEL}


@pytest.fixture
def store(server: AppServer, model: Server) -> SqlStore:
    opened = open_store(f"sqlite:///{server.home / 'autoflow.db'}")
    searching.connect(opened, model)
    return opened


def wait_until(found: Callable[[], object], seconds: float = PATIENCE_MS / 1000) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def ended(store: SqlStore, study: Study) -> bool:
    (job,) = store.list_jobs(kind="study", subject_id=study.id)
    assert job.state != "failed", job.error
    return store.get_study(study.id).stop is not None


def scored(page: Page) -> int:
    return int(page.evaluate(SCORED))


def fill(page: Page, label: str, value: float) -> None:
    field = page.get_by_label(label, exact=True).first
    field.fill(str(value))
    field.press("Enter")
    page.wait_for_timeout(300)


def set_up(page: Page, server: AppServer) -> None:
    page.goto(f"{server.url}/optimize")
    fill(page, "Train", 3)
    fill(page, "Validation", 5)
    fill(page, "Test", 4)
    fill(page, "Rounds", ROUNDS)
    page.get_by_role("radio", name="As in the paper").click()
    name = page.get_by_label("Name of the study")
    name.fill("Plans in the browser")
    name.press("Enter")
    expect(page).to_have_url(re.compile("search-name=Plans"))


def zoom(page: Page) -> list[float]:
    """Drag over a part of the curves; the range of candidates that is on show then."""
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    return [round(float(edge), 3) for edge in page.evaluate(RANGE)]


def kill_worker(server: AppServer) -> None:
    (victim,) = server.processes("autoflow.jobs.worker")
    os.kill(victim.pid, signal.SIGKILL)
    with suppress(psutil.Error):
        victim.wait(10)


def test_a_search_is_set_up_watched_disturbed_adopted_and_sent(
    server: AppServer, page: Page, store: SqlStore, tmp_path: Path
) -> None:
    set_up(page, server)
    page.reload()  # what was typed stands in the address
    expect(page.get_by_label("Name of the study")).to_have_value("Plans in the browser")
    expect(page.get_by_label("Validation", exact=True).first).to_have_value("5")
    page.get_by_test_id("stMain").get_by_role("button", name="Optimize", exact=True).click()
    page.wait_for_url(re.compile(r"study=st_"))
    study = store.list_studies()[0]  # the newest: a second try finds what the first has left

    wait_until(lambda: scored(page) >= 3)
    before, seen = zoom(page), scored(page)
    wait_until(lambda: scored(page) > seen)
    assert [round(float(edge), 3) for edge in page.evaluate(RANGE)] == before

    page.reload()
    wait_until(lambda: scored(page) > seen)
    page.get_by_test_id("stMain").get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    at_rest = len(store.study_candidates(study.id)), len(store.study_outcomes(study.id))
    page.wait_for_timeout(1500)
    assert (len(store.study_candidates(study.id)), len(store.study_outcomes(study.id))) == at_rest
    page.get_by_test_id("stMain").get_by_role("button", name="Resume").click()
    wait_until(lambda: len(store.study_candidates(study.id)) > at_rest[0])
    kill_worker(server)
    wait_until(lambda: ended(store, study))
    expect(page.get_by_text("On the sealed test set")).to_be_visible(timeout=PATIENCE_MS)
    every_candidate_is_there_once(store, study)

    adopt_and_send(page, store, study, tmp_path)


def test_an_estimate_is_measured_and_told(server: AppServer, page: Page, store: SqlStore) -> None:
    page.goto(f"{server.url}/optimize")
    settle(page)
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_text(re.compile(r"^About .* calls · .* tokens .* in all$"))).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Reckoned from 4 runs")).to_be_visible()
    expect(page.get_by_role("button", name="Estimate again")).to_be_enabled()


def every_candidate_is_there_once(store: SqlStore, study: Study) -> None:
    """As an undisturbed search would have left them."""
    study = store.get_study(study.id)
    candidates = store.study_candidates(study.id)
    rounds = study.rounds
    assert [c.number for c in candidates] == list(range(2 + rounds))
    assert [c.text for c in candidates[2:]] == [searching.workflow(n) for n in range(1, rounds + 1)]
    outcomes = [o for _, o in store.study_outcomes(study.id)]
    assert set(Counter((o.candidate, o.task, o.repeat) for o in outcomes).values()) == {1}
    assert study.test_uses == 1
    assert {o.task for o in outcomes if o.candidate == study.best and o.split == "val"} == set(study.splits["val"])


def adopt_and_send(page: Page, store: SqlStore, study: Study, folder: Path) -> None:
    page.get_by_role("button", name="Adopt the best").click()
    page.get_by_role("button", name="Adopt as v1 of a new workflow").click()
    expect(page.get_by_text("is v1 of Plans in the browser.")).to_be_visible()
    best = store.get_study(study.id).best
    workflow = store.get_workflow(store.get_study(study.id).workflow_id or "")
    assert workflow.text == store.study_candidates(study.id)[best or 0].text
    page.get_by_role("link", name=re.compile("Compare candidate")).first.click()
    page.wait_for_url(re.compile("/compare"))
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert "is better by" in file.read_text("utf-8") or "scored higher by" in file.read_text("utf-8")


def test_from_a_task_alone_to_accepted_examples_to_a_search(server: AppServer, page: Page, store: SqlStore) -> None:
    page.goto(f"{server.url}/optimize")
    page.get_by_text("From a task alone").click()
    task = page.get_by_label("What should get done?")
    task.fill(searching.MAILS)
    task.press("Control+Enter")
    page.get_by_role("button", name="Propose 10 examples").click()
    accept = page.get_by_role("button", name="Accept 10 examples")
    expect(accept).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(re.compile("10 of 10 examples are as .* proposed them"))).to_be_visible()
    accept.click()
    expect(page.get_by_text("10 of 10 proposed by a model").first).to_be_visible(timeout=PATIENCE_MS)
    (suite,) = store.list_suites()

    fill(page, "Rounds", 4)
    page.reload()  # the suite is chosen still: the address names it
    expect(page.get_by_text("10 of 10 proposed by a model").first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("stMain").get_by_role("button", name="Optimize", exact=True).click()
    page.wait_for_url(re.compile(r"study=st_"))
    study = store.list_studies()[0]
    assert (study.spec.method, study.spec.suite.options) == ("in-context", {"suite": suite.id})
    wait_until(lambda: ended(store, study))
    assert store.get_study(study.id).stop in ("rounds", "perfect")
    expect(page.get_by_text("On the sealed test set")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("10 of 10 proposed by a model").first).to_be_visible()  # marked wherever it is used
    assert store.study_candidates(study.id)[0].operator == PLAIN  # there is no manual workflow


def test_answers_are_rated_by_keys(server: AppServer, page: Page, store: SqlStore) -> None:
    writer = new_study(store, "To rate", pending=True)
    writer.begin()
    study = writer.study
    page.goto(f"{server.url}/optimize?study={study.id}")
    expect(page.get_by_text("Which candidate gave an answer is not shown.")).to_be_visible()
    settle(page)  # while a page is first drawn, presses are lost
    for number, (key, value) in enumerate((("5", 1.0), ("1", 0.0), ("3", 0.5)), 1):
        page.keyboard.press(key)
        wait_until(lambda number=number: len(store.ratings(study.id)) == number)
        assert store.ratings(study.id)[-1].value == value
        expect(page.get_by_text(re.compile(f"^{number} of "))).to_be_visible()
        page.locator('[data-test-script-state="notRunning"]').first.wait_for()  # until then a press is not heard
    assert len({(r.candidate, r.task) for r in store.ratings(study.id)}) == 3


def test_candidates_are_selected_in_the_table_the_map_and_the_curves(
    server: AppServer, page: Page, store: SqlStore
) -> None:
    study = finished_study(store, "To look at")
    page.goto(f"{server.url}/optimize?study={study.id}")
    row = page.get_by_role("row", name=re.compile(r"^\D*1 .*plain prompt"))
    row.click()
    expect(page.get_by_role("heading", name="Candidate 1", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name="Candidate 2", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("candidate=2"))

    cells = page.locator(".js-plotly-plot").nth(1).locator(".nsewdrag").first
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 12, box["y"] + 8)  # the first task of the first candidate
    expect(page).to_have_url(re.compile(f"candidate=0.*task={study.splits['train'][0]}"))
    expect(page.get_by_role("heading", name="Candidate 0", exact=True)).to_be_visible()
    expect(page.locator("li.row").first).to_be_visible()  # its trace
    page.reload()
    expect(page.locator("li.row").first).to_be_visible()


def test_what_is_set_up_outlives_a_reload_and_an_error(server: AppServer, page: Page, store: SqlStore) -> None:
    page.goto(f"{server.url}/optimize")
    fill(page, "Model calls", 3)
    fill(page, "Patience", 2)
    page.get_by_text("Reward: what counts as better").click()
    fill(page, "1,000 tokens", 0.02)
    page.get_by_test_id("stMain").get_by_role("button", name="Optimize", exact=True).click()
    expect(page.get_by_text("3 calls are too few")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Model calls", exact=True)).to_have_value("3")
    expect(page.get_by_label("Patience", exact=True)).to_have_value("2")
    page.get_by_text("Reward: what counts as better").click()
    expect(page.get_by_label("1,000 tokens", exact=True)).to_have_value("0.020")


def test_from_write_to_a_search_for_a_better_one(server: AppServer, page: Page, store: SqlStore) -> None:
    workflow = store.create_workflow("Plans by hand", searching.workflow(1))
    page.goto(f"{server.url}/write?workflow={workflow.id}")
    page.get_by_test_id("stMain").get_by_role("button", name="More").click()
    page.get_by_text("Find a better one").click()
    page.wait_for_url(re.compile(f"/optimize.*workflow={workflow.id}"))
    expect(page.get_by_role("combobox", name="What should become better")).to_have_value("Plans by hand")
