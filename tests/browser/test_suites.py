"""From a task alone to accepted examples to a study; from a table to tasks: in a real browser, with a real worker."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from autoflow.store import SqlStore, open_store
from scripts.appserver import AppServer

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
TASK = "Which department does this mail belong to: delivery or refund?"
TABLE = "mail,department\n" + "".join(f"Mail {n},{('delivery', 'refund')[n % 2]}\n" for n in range(20)) + "Mail 3,x\n"
INPUT, ANSWER = 280, 450  # pixels from the left edge of the grid to these columns
# Streamlit's own: its drop zone for files has a role and a label at once.
OF_STREAMLIT = {"presentation-role-conflict"}


def told(*numbers: int) -> str:
    examples = [{"inputs": {"mail": f"Parcel {n}"}, "expected": ("refund", "delivery")[n % 2]} for n in numbers]
    return json.dumps({"examples": examples})


@pytest.fixture(scope="module")
def server_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One scripted model proposes, carries out, and as a generator writes nothing that is a workflow."""
    lines = (
        {"match": r"(?s)Parcel 5.*Make 5 new ones", "reply": told(6, 7, 8, 9, 10), "latency_s": 1.5},
        {"match": "Make 5 new ones", "reply": told(1, 2, 3, 4, 5), "latency_s": 1.5},
        {"match": "", "reply": "delivery"},
    )
    script = tmp_path_factory.mktemp("script") / "model.jsonl"
    script.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return {"AUTOFLOW_OFFLINE": "1", "AUTOFLOW_DEFAULT_MODEL": f"scripted:{script}"}


@pytest.fixture
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


def faults(page: Page) -> list[object]:
    found = Axe().run(page).response["violations"]
    return [
        (v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found if v["id"] not in OF_STREAMLIT
    ]  # fmt: skip


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_role("textbox", name=label, exact=True)
    expect(field).to_have_count(1)  # while the page is drawn anew, the old one may stand beside it
    field.fill(text)
    field.press("Control+Enter" if field.evaluate("e => e.tagName") == "TEXTAREA" else "Enter")
    page.wait_for_timeout(500)


def number(page: Page, label: str, value: int) -> None:
    field = page.get_by_label(label, exact=True).first
    field.fill(str(value))
    field.press("Enter")
    page.wait_for_timeout(300)


def edit(page: Page, row: int, place: int, text: str) -> None:
    """Type over a cell, as in a spreadsheet: the grid is a canvas, so the mouse goes where the cell stands.

    Args:
        row: from 0. place: pixels from the left edge of the grid.
    """
    grid = page.get_by_test_id("stDataFrame").first
    editor = page.locator("#portal textarea, #portal input").first
    for _ in range(10):  # a click before the grid listens opens nothing
        grid.evaluate("e => e.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(500)
        box = grid.bounding_box()
        assert box is not None
        page.mouse.dblclick(box["x"] + place, box["y"] + 52 + 33 * row)
        page.wait_for_timeout(300)
        if editor.count():
            break
    editor.fill(text)
    editor.press("Enter")
    expect(editor).to_have_count(0)
    page.wait_for_timeout(500)


def wait_until(found: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_from_a_task_alone_to_accepted_examples_to_a_study(server: AppServer, page: Page, store: SqlStore) -> None:
    page.goto(f"{server.url}/optimize")
    page.get_by_text("From a task alone").click()
    fill(page, "What should get done?", TASK)
    fill(page, "What differs from task to task", "mail")
    page.get_by_role("button", name="Propose 10 examples").click()
    expect(page.get_by_test_id("stText").filter(has_text="Parcel 1")).to_be_visible()  # while the model writes
    expect(page).to_have_url(re.compile("propose=jb_"))
    page.reload()
    expect(page.get_by_role("button", name="Accept 10 examples")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("textbox", name="What should get done?")).to_have_value(TASK)
    page.wait_for_timeout(1000)  # what is drawn anew is pale for a moment
    assert not faults(page)

    edit(page, 0, INPUT, "Where is my parcel?")
    expect(page.get_by_text("9 of 10 examples are as")).to_be_visible()
    page.get_by_role("button", name="Accept 10 examples").click()
    expect(page.get_by_text("9 of 10 proposed by a model")).to_be_visible()
    [suite_id] = store.suite_names()
    rows = store.get_suite(suite_id).body["rows"]
    assert rows[0] == {
        "objective": TASK, "inputs": {"mail": "Where is my parcel?"}, "expected": "delivery", "row": 1,
        "origin": "edited",
    }  # fmt: skip
    assert [row["origin"] for row in rows[1:]] == ["model"] * 9

    number(page, "Rounds", 1)
    page.get_by_role("button", name="Optimize", exact=True).click()
    expect(page).to_have_url(re.compile("study=st_"))
    [study] = store.list_studies()
    assert study.spec.suite.options == {"suite": suite_id}
    assert sum(map(len, study.splits.values())) == 10
    wait_until(lambda: store.get_study(study.id).stop)
    done = store.get_study(study.id)
    assert done.best is not None
    scores = {o.score for _, o in store.study_outcomes(study.id, candidate=0)}
    assert scores == {0.0, 1.0}  # it says `delivery` to all of them
    expect(page.get_by_text("9 of 10 proposed by a model").first).to_be_visible()


def test_a_person_writes_examples_without_a_model(server: AppServer, page: Page, store: SqlStore) -> None:
    page.goto(f"{server.url}/optimize")
    page.get_by_text("From a task alone").click()
    fill(page, "What should get done?", "Say the opposite.")
    fill(page, "What differs from task to task", "word")
    page.get_by_role("button", name="Write them yourself").click()
    expect(page.get_by_text("Write at least two examples")).to_be_visible()
    for row, (word, opposite) in enumerate((("hot", "cold"), ("up", "down"))):
        edit(page, row, INPUT, word)
        edit(page, row, ANSWER, opposite)
    fill(page, "Name of these tasks", "Opposites")
    page.get_by_role("button", name="Accept 2 examples").click()
    expect(page.get_by_text("2 examples accepted and saved as “Opposites”, which is chosen.")).to_be_visible()
    suite_id = next(key for key, name in store.suite_names().items() if name == "Opposites")
    assert [(row["inputs"], row["expected"], "origin" in row) for row in store.get_suite(suite_id).body["rows"]] == [
        ({"word": "hot"}, "cold", False), ({"word": "up"}, "down", False),
    ]  # fmt: skip
    for label, size in (("Train", "1"), ("Validation", "1"), ("Test", "0")):
        expect(page.get_by_label(label, exact=True).first).to_have_value(size)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 420)])
def test_a_table_is_looked_through_and_becomes_the_tasks(
    server: AppServer, new_page: Callable[..., Page], store: SqlStore, tmp_path: Path, theme: str, width: int
) -> None:
    page, name = new_page(theme=theme, width=width), f"mails {theme}"
    page.goto(f"{server.url}/optimize")
    page.get_by_text("From a table: your own rows").click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": TABLE.encode("utf-16")}
    )
    expect(page.get_by_text("20 of 21 rows can be used.")).to_be_visible()
    expect(page.get_by_text("row 22 asks the same as an earlier row, with another answer")).to_be_visible()
    assert not faults(page)
    page.get_by_role("button", name="Save as tasks").click()
    expect(page.get_by_text(f"20 tasks were saved as “{name}”, and are chosen.")).to_be_visible()
    expect(page.get_by_text("20 rows, scored: the same text.")).to_be_visible()
    assert name in store.suite_names().values()
    page.get_by_role("button", name="Look at them").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(500)  # its fading in would count as too little contrast
    assert not faults(page)
