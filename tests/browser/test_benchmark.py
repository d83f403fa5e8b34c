"""A benchmark from its set-up to the files, in a real browser: watched, reloaded, paused, taken up, opened, sent."""

from __future__ import annotations

import asyncio
import csv
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from autoflow.records import Connection
from autoflow.store import SqlStore, open_store
from scripts.appserver import AppServer
from tests import grids, searching
from tests.browser.test_pages import settle
from tests.llm.server import Request, Server, says

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000
FIRST, SECOND = "openai:first", "openai:second"


class Gate:
    """A model server whose second model answers only while the gate is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.server = Server()
        self.server.start()
        self.server.script(self._answer)

    async def _answer(self, writer: asyncio.StreamWriter, request: Request) -> None:
        while request.body["model"] == "second" and not self.open.is_set():
            await asyncio.sleep(0.02)
        await says(searching.reply(request.body))(writer, request)


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.open.set()
    found.server.stop()


@pytest.fixture(scope="module")
def server_env() -> dict[str, str]:
    """One cell at a time, so that it is known which are done while the gate is shut."""
    return {"AUTOFLOW_OFFLINE": "1", "AUTOFLOW_DEFAULT_MODEL": FIRST, "AUTOFLOW_WORKER_CONCURRENCY": "1"}


@pytest.fixture
def store(server: AppServer, gate: Gate) -> SqlStore:
    opened = open_store(f"sqlite:///{server.home / 'autoflow.db'}")
    for name in ("first", "second"):
        opened.save_connection(Connection(name=name, model=name, base_url=gate.server.url))
    return opened


def squares(page: Page, state: str) -> Locator:
    """The squares of the picture that are in this state."""
    return page.locator(f'[data-testid="stMain"] tbody [data-state="{state}"]')


def wait_until(found: Callable[[], object], seconds: float = PATIENCE_MS / 1000) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def clean(page: Page) -> None:
    settle(page)
    violations = Axe().run(page).response["violations"]
    assert not violations, [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in violations]


def choose(page: Page, label: str, model: str) -> None:
    """Add a model to one side; the chip is there once it is taken."""
    field = page.get_by_role("combobox", name=label)
    field.click()
    field.fill(model)
    page.get_by_role("option", name=model, exact=True).click()
    expect(page.get_by_test_id("stMultiSelect").filter(has_text=label).get_by_text(model, exact=True)).to_be_visible()
    page.keyboard.press("Escape")


def set_up(page: Page, server: AppServer) -> None:
    page.goto(f"{server.url}/benchmark")
    expect(page.get_by_text("What is a benchmark?")).to_be_visible()
    clean(page)
    page.goto(f"{server.url}/benchmark?benchmark-method=paper&benchmark-rounds=2&benchmark-test=4")
    choose(page, "Generators", SECOND)
    choose(page, "Interpreters", SECOND)
    expect(page.get_by_text("4 cells: 2 generators × 2 interpreters")).to_be_visible()
    expect(page.get_by_text("48 test runs: manual, plain prompt and what was found")).to_be_visible()
    name = page.get_by_label("Name", exact=True)
    name.fill("Two models")
    name.press("Enter")
    expect(page).to_have_url(re.compile("benchmark-name=Two"))


def begin_anew(store: SqlStore, gate: Gate) -> None:
    """A second try of this test finds what the first left: its server, folder and gate are those of the file."""
    gate.open.set()
    for benchmark in store.list_benchmarks():
        for job in store.benchmark_jobs(benchmark.id).values():
            store.request(job.id, "cancel")
            wait_until(lambda job=job: store.get_job(job.id).ended)  # type: ignore[misc]
        store.delete_benchmark(benchmark.id)
    gate.open.clear()


def test_a_grid_is_set_up_watched_disturbed_looked_into_and_sent(
    server: AppServer, page: Page, store: SqlStore, gate: Gate, tmp_path: Path
) -> None:
    begin_anew(store, gate)
    set_up(page, server)
    page.reload()  # what was chosen stands in the address
    expect(page.get_by_text("4 cells: 2 generators × 2 interpreters")).to_be_visible()
    page.get_by_role("button", name="Measure").click()
    page.wait_for_url(re.compile(r"benchmark=bm_"))

    expect(squares(page, "done")).to_have_count(
        1, timeout=PATIENCE_MS
    )  # the first model with itself: no gate before it
    expect(squares(page, "running")).to_have_count(1, timeout=PATIENCE_MS)
    page.reload()
    expect(squares(page, "done")).to_have_count(1, timeout=PATIENCE_MS)
    clean(page)

    page.get_by_role("button", name="Pause all").click()
    (benchmark,) = store.list_benchmarks()

    def states() -> set[str]:
        return {job.state for job in store.benchmark_jobs(benchmark.id).values()}

    wait_until(lambda: states() == {"done", "pausing", "paused"})
    gate.open.set()  # what is under way is finished
    wait_until(lambda: states() == {"done", "paused"})
    expect(squares(page, "paused")).to_have_count(3, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Measured", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(squares(page, "done")).to_have_count(4)
    expect(page.get_by_text("Best mixed pair")).to_be_visible()
    expect(page.get_by_text("Published, not measured")).to_be_visible()
    clean(page)

    open_a_cell_and_come_back(page)
    take_the_files_along(page, tmp_path)


def open_a_cell_and_come_back(page: Page) -> None:
    page.get_by_role("radio", name="Above manual").click()
    expect(page.locator('table[aria-label^="Above manual"]')).to_be_visible()
    page.get_by_role("button", name=re.compile(f"^{SECOND} writes, {FIRST} runs")).click()
    page.wait_for_url(re.compile(r"/optimize\?.*study=st_"))
    expect(page.get_by_text("On the sealed test set")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="The benchmark").click()
    page.wait_for_url(re.compile(r"/benchmark\?.*benchmark=bm_"))
    expect(squares(page, "done")).to_have_count(4, timeout=PATIENCE_MS)


def take_the_files_along(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Export").click()
    found = {}
    for label in ("HTML", "CSV of workflows", "CSV of tasks", "LaTeX"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label, exact=True).click()
        found[label] = folder / waiting.value.suggested_filename
        waiting.value.save_as(found[label])
    assert [path.name for path in found.values()] == [
        "two-models.html", "two-models.csv", "two-models-tasks.csv", "two-models.tex",
    ]  # fmt: skip
    lines = list(csv.DictReader(found["CSV of workflows"].read_text("utf-8-sig").splitlines()))
    assert sum(bool(line["generator"]) for line in lines) == 4
    tasks = list(csv.DictReader(found["CSV of tasks"].read_text("utf-8-sig").splitlines()))
    assert len(tasks) == len(lines) * 4
    assert r"\begin{tabular}" in found["LaTeX"].read_text("utf-8")
    opened_elsewhere(page, found["HTML"])


def opened_elsewhere(page: Page, file: Path) -> None:
    """The file alone, in a tab of its own: whole, clean, and asking for nothing."""
    other, asked = page.context.new_page(), []
    other.on("request", lambda request: asked.append(request.url))
    other.goto(file.as_uri())
    expect(other.get_by_role("heading", name="Published, not measured")).to_be_visible()
    assert Axe().run(other).response["violations"] == []
    assert asked == [file.as_uri()]
    ground = other.locator("table.grid td").nth(1).evaluate("it => getComputedStyle(it).backgroundColor")
    assert ground != "rgba(0, 0, 0, 0)", "the policy let the colours of scores through"
    other.close()


def test_four_hundred_cells_are_drawn_once_and_not_again(server: AppServer, page: Page, store: SqlStore) -> None:
    made = grids.many(store)
    page.goto(f"{server.url}/benchmark?benchmark={made.id}")
    expect(squares(page, "done")).to_have_count(400, timeout=PATIENCE_MS)
    first = page.locator("tbody button").first
    first.evaluate("it => { it.marked = true; }")
    page.get_by_role("radio", name="Plain prompt").click()
    expect(page.locator('table[aria-label^="Plain prompt"]')).to_be_visible()
    expect(squares(page, "done")).to_have_count(400)
    assert first.evaluate("it => it.marked"), "nothing is made anew under the pointer"


def test_what_is_not_there_is_said(server: AppServer, page: Page, store: SqlStore) -> None:
    for named in ("bm_000000000000", "nonsense"):
        page.goto(f"{server.url}/benchmark?benchmark={named}")
        expect(page.get_by_text("This did not work")).to_be_visible(timeout=PATIENCE_MS)
    made = grids.written(store, "With a hole", states={"0-0-1-1": "deleted"})
    page.goto(f"{server.url}/benchmark?benchmark={made.id}")
    expect(squares(page, "deleted")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.get_by_text("Its study was deleted.")).to_be_visible()
    expect(squares(page, "done")).to_have_count(3)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete the benchmark").click()
    expect(page.get_by_text("Which model writes best")).to_be_visible(timeout=PATIENCE_MS)
    assert made.id not in {one.id for one in store.list_benchmarks()}
    assert len(store.list_studies()) >= 3, "its studies stay"
