"""A training in a real browser: its curves grow under a zoom, its samples are read, and all of it is plain text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from autoflow.store import SqlStore, open_store
from autoflow.store.base import Lease
from autoflow.study import Candidate, Study, StudyBatch, StudySample
from scripts.appserver import AppServer
from tests.browser.test_optimize import wait_until
from tests.browser.test_pages import HOSTILE, settle
from tests.trainings import Training, new_training, trained_study

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong

# Each chart as Plotly holds it: how many points each of its curves has, and what part of it is on show.
POINTS = """(at) => { const plot = document.querySelectorAll(".js-plotly-plot")[at];
  return plot && plot.data ? Object.fromEntries(plot.data.map((trace) => [trace.uid, trace.x.length])) : {}; }"""
RANGE = '(at) => [...document.querySelectorAll(".js-plotly-plot")[at].layout.xaxis.range]'
MARKED = '(at) => document.querySelectorAll(".js-plotly-plot")[at].layout.shapes.map((shape) => shape.x0)'
PLACE = """([at, uid, step]) => { const plot = document.querySelectorAll(".js-plotly-plot")[at];
  const trace = plot.data.find((one) => one.uid === uid), i = trace.x.indexOf(step), box = plot.getBoundingClientRect();
  const { xaxis, yaxis } = plot._fullLayout;
  return { x: box.x + xaxis._offset + xaxis.l2p(step), y: box.y + yaxis._offset + yaxis.l2p(trace.y[i]) }; }"""


@pytest.fixture(scope="module")
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


@pytest.fixture
def under_way(store: SqlStore) -> Training:
    """Five steps of a training whose worker is this process, so that nobody else goes on with it."""
    writer = new_training(store, "Under way", steps=30)
    for step in range(1, 6):
        writer.train(step)
    lease = held(store, writer.study)
    store.checkpoint(lease, done=5, total=30, unit="rounds")
    store.heartbeat(lease, {"round": 6, "doing": "Drawing 8 samples"})
    return writer


def held(store: SqlStore, study: Study) -> Lease:
    """A job of the study that the app's own worker was not quicker to take."""
    for _ in range(20):
        job = store.submit("study", {"study_id": study.id}, title="Under way", subject_id=study.id)
        lease = store.claim("test", lease_s=3600, job_id=job.id)
        if lease is not None:
            return lease
    raise AssertionError("the worker took every job")


def points(page: Page, at: int) -> dict[str, int]:
    return dict(page.evaluate(POINTS, at))


def zoom(page: Page, at: int) -> list[float]:
    plot = page.locator(".js-plotly-plot").nth(at).locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    return [float(edge) for edge in page.evaluate(RANGE, at)]


def click(page: Page, at: int, curve: str, step: int) -> None:
    """The point of a step on a curve."""
    page.locator(".js-plotly-plot").nth(at).scroll_into_view_if_needed()
    place = page.evaluate(PLACE, [at, curve, step])
    page.mouse.move(place["x"] - 3, place["y"])
    page.mouse.move(place["x"], place["y"])
    page.mouse.down()
    page.mouse.up()


def test_both_charts_grow_under_a_zoom_while_it_trains(server: AppServer, page: Page, under_way: Training) -> None:
    page.goto(f"{server.url}/optimize?study={under_way.study.id}")
    expect(page.get_by_text("Drawing 8 samples")).to_be_visible()
    wait_until(lambda: points(page, 0).get("mean") == 5 and points(page, 1).get("counts") == 5)
    assert points(page, 0)["spread"] == 10  # there and back
    before = zoom(page, 1)
    assert "step=" not in page.url  # a drag chooses no step
    under_way.train(6)
    wait_until(lambda: points(page, 0)["mean"] == 6 and points(page, 1)["sound"] == 6)
    assert [float(edge) for edge in page.evaluate(RANGE, 1)] == before
    expect(page.get_by_text("Step 6 of 30 · 42 s a step")).to_be_visible()
    expect(page.get_by_text("8 samples of step 6")).to_be_visible()  # the latest is followed
    expect(page.get_by_label("Samples of step", exact=True)).to_have_value("6")
    assert page.evaluate(MARKED, 0) == [6]
    assert "step=" not in page.url


def test_the_samples_of_a_step_are_read_and_lead_to_their_candidate(
    server: AppServer, page: Page, store: SqlStore
) -> None:
    study = trained_study(store, "To read", steps=12)
    steps = store.training_steps(study.id)
    page.goto(f"{server.url}/optimize?study={study.id}")
    wait_until(lambda: points(page, 0).get("mean") == 12)
    settle(page)  # until it is laid out, points move
    click(page, 0, "mean", 4)
    expect(page).to_have_url(re.compile(r"step=4\b"))
    expect(page.get_by_text("8 samples of step 4")).to_be_visible()
    wait_until(lambda: page.evaluate(MARKED, 1) == [4])
    best = max(steps[3].samples, key=lambda s: s.reward)
    expect(page.locator("section.sample pre").first).to_have_text(best.text)
    page.get_by_role("radio", name="Worst first").click()
    worst = min(steps[3].samples, key=lambda s: s.reward)
    expect(page.locator("section.sample pre").first).to_have_text(worst.text)

    field = page.get_by_label("Samples of step", exact=True)
    expect(field).to_have_value("4")
    field.fill("99")
    field.press("Enter")
    expect(page.get_by_text("8 samples of step 12")).to_be_visible()
    expect(page).to_have_url(re.compile(r"step=12\b"))
    page.get_by_role("radio", name="Best first").click()
    ran = max((s for s in steps[-1].samples if s.candidate is not None), key=lambda s: s.reward)
    page.get_by_role("button", name=f"Candidate {ran.candidate}", exact=True).click()
    expect(page).to_have_url(re.compile(f"candidate={ran.candidate}"))
    expect(page.get_by_role("heading", name=f"Candidate {ran.candidate}", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("8 samples of step 12")).to_be_visible()
    page.get_by_role("button", name="Latest").click()
    expect(page).not_to_have_url(re.compile("step="))
    expect(page.get_by_role("button", name="Latest")).to_be_hidden()


def test_other_figures_tell_the_value_under_the_pointer(server: AppServer, page: Page, store: SqlStore) -> None:
    study = trained_study(store, "Small charts", steps=8)
    page.goto(f"{server.url}/optimize?study={study.id}")
    settle(page)
    page.get_by_text("More figures").click()
    tile = page.locator('.tile[data-figure="kl"]')
    expect(tile).to_be_visible()
    expect(tile.locator(".last")).to_have_text("0.048")
    expect(tile.locator(".range")).to_have_text("0.006 to 0.048")
    tile.locator("svg").hover(position={"x": 2, "y": 20})
    expect(tile.locator(".range")).to_have_text("step 1: 0.006")
    box = tile.locator("svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    expect(tile.locator(".range")).to_have_text("step 8: 0.048")
    page.mouse.move(0, 0)
    expect(tile.locator(".range")).to_have_text("0.006 to 0.048")


@pytest.fixture(scope="module")
def hostile(store: SqlStore) -> str:
    """A training whose model writes what would like to be more than text, in all of its parts."""
    writer = new_training(store, HOSTILE, steps=9)
    writer.train(1)
    text = f"A:::terminal:::{HOSTILE.replace(':::', ' ')}:::\n"
    writer.add(Candidate(number=2, round=2, text=text, operator=HOSTILE, parent=0))
    base = {"text": HOSTILE, "reward": -1.0, "advantage": 0.0, "tokens": 5, "ended": True}
    samples = [
        StudySample.model_validate(base | more)
        for more in ({"error": HOSTILE}, {"text": text, "candidate": 2, "score": 0.5, "reached": 1.0, "reward": 0.5})
    ]
    step = writer.train(2, ending=HOSTILE)
    made = step.model_copy(update={"samples": tuple(samples), "figures": step.figures.model_copy(update={"step": 3})})
    store.add_to_study(StudyBatch(writer.study.id, steps=[made], stop="collapsed"))
    return writer.study.id


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 420)])
def test_it_is_accessible_and_shows_text_as_text(
    server: AppServer, hostile: str, new_page: Callable[..., Page], theme: str, width: int
) -> None:
    page = new_page(theme=theme, width=width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/optimize?study={hostile}")
    settle(page)
    page.get_by_text("More figures").click()
    expect(page.locator("section.sample")).to_have_count(2)
    assert page.locator("section.sample pre").all_inner_texts()[-1] == HOSTILE
    assert page.evaluate("window.stolen") is None
    violations = Axe().run(page).response["violations"]
    assert not [(v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in violations]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []
