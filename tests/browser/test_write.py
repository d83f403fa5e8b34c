"""The Write page in a real browser: what `AppTest` cannot reach (cards, graph, text editor, two tabs, reloads)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from autoflow.examples import list_examples
from autoflow.lang import parse
from autoflow.records import WorkflowRecord
from autoflow.store import SqlStore, open_store
from scripts.appserver import AppServer

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

WRITTEN = """Read:::process:::Read the mail:::next::Refund?
Refund?:::decision:::Does it ask for money?:::yes::Grant::no::Answer
Grant:::terminal:::Grant it:::
Answer:::terminal:::Answer kindly:::"""


@pytest.fixture(scope="module")
def server_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The default model is a script, so that a generation runs through the real worker in no time."""
    script = tmp_path_factory.mktemp("script") / "model.jsonl"
    script.write_text(json.dumps({"match": "refund", "reply": WRITTEN, "latency_s": 4.0}) + "\n", "utf-8")
    return {"AUTOFLOW_OFFLINE": "1", "AUTOFLOW_DEFAULT_MODEL": f"scripted:{script}"}


@pytest.fixture
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


@pytest.fixture
def record(store: SqlStore) -> WorkflowRecord:
    example = next(e for e in list_examples() if e.slug == "refund-mail")
    task = store.add_task(example.objective, example.inputs)
    return store.create_workflow(example.title, example.text, task=task, origin="example")


@pytest.fixture
def write(server: AppServer) -> Callable[..., Page]:
    def open_write(page: Page, workflow_id: str, extra: str = "") -> Page:
        page.goto(f"{server.url}/write?workflow={workflow_id}{extra}")
        expect(page.get_by_label("Name of the workflow")).to_be_visible()
        return page

    return open_write


def field(page: Page, label: str) -> Locator:
    """A field of the step's form; while the page is drawn anew the old one may stand beside it for a moment."""
    return page.get_by_label(label, exact=True).first


def expect_selected(page: Page, name: str) -> None:
    """The card that is selected, as soon as it is drawn: the form may be there before."""
    expect(page.locator("[role=option][aria-selected=true] .name")).to_have_text(name)


def wait_for_text(store: SqlStore, workflow_id: str, page: Page, wanted: str) -> str:
    for _ in range(100):
        text = store.get_workflow(workflow_id).text
        if wanted in text:
            return text
        page.wait_for_timeout(100)
    raise AssertionError(f"{wanted!r} was not saved; the draft is:\n{text}")


def test_edit_save_reload_undo(page: Page, write: Callable[..., Page], store: SqlStore, record: WorkflowRecord) -> None:
    write(page, record.id, "&step=2")
    instruction = field(page, "Instruction")
    expect(instruction).to_have_value("Does the mail ask for money back?")
    instruction.fill("Is money asked for?")
    instruction.blur()
    expect(page.get_by_role("option").nth(1)).to_contain_text("Is money asked for?")
    page.reload()
    expect(field(page, "Instruction")).to_have_value("Is money asked for?")
    expect_selected(page, "Step 2")
    page.get_by_role("button", name="Undo").click()
    expect(field(page, "Instruction")).to_have_value("Does the mail ask for money back?")
    assert store.get_workflow(record.id).text == record.text


def test_selecting_anywhere_selects_everywhere(page: Page, write: Callable[..., Page], record: WorkflowRecord) -> None:
    write(page, record.id)
    page.get_by_role("option").nth(3).click()
    expect(field(page, "Name")).to_have_value("Step 4")
    expect(page.locator(".node.selected .name")).to_have_text("Step 4")
    page.locator(".node[data-index='5']").click()
    expect(field(page, "Name")).to_have_value("Step 6")
    expect_selected(page, "Step 6")
    page.get_by_label("View").get_by_text("Text").click()
    editor = page.get_by_label("Text of the workflow")
    editor.click()
    editor.evaluate("e => e.setSelectionRange(70, 70)")  # in line 2
    editor.press("ArrowRight")
    expect(field(page, "Name")).to_have_value("Step 1")
    expect(page.locator("[role=option][aria-selected=true] .name")).to_have_text("Step 1")
    assert "step=1" in page.url


def test_the_cards_are_driven_by_keys(
    page: Page, write: Callable[..., Page], store: SqlStore, record: WorkflowRecord
) -> None:
    write(page, record.id, "&step=2")
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowDown")
    expect(field(page, "Name")).to_have_value("Step 3")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_role("option").nth(1).locator(".name")).to_have_text("Step 3")
    expect_selected(page, "Step 3")
    assert [s.name for s in parse(store.get_workflow(record.id).text).workflow.steps][:3] == [
        "Step 1", "Step 3", "Step 2"
    ]  # fmt: skip
    page.get_by_role("listbox").focus()
    page.keyboard.press("Delete")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("option")).to_have_count(7)


def test_a_card_is_dragged_to_its_place(
    page: Page, write: Callable[..., Page], store: SqlStore, record: WorkflowRecord
) -> None:
    write(page, record.id)
    options = page.get_by_role("option")
    options.nth(0).drag_to(options.nth(2), target_position={"x": 200, "y": 5})
    expect(options.nth(1).locator(".name")).to_have_text("Step 1")
    names = [s.name for s in parse(store.get_workflow(record.id).text).workflow.steps]
    assert names[:3] == ["Step 2", "Step 1", "Step 3"]


def test_text_is_saved_as_it_is_typed_and_mended(
    page: Page, write: Callable[..., Page], store: SqlStore, record: WorkflowRecord
) -> None:
    write(page, record.id, "&view=Text")
    editor = page.get_by_label("Text of the workflow")
    editor.click()
    editor.press("Control+End")
    page.keyboard.type("Extra:::proces:::Do more:::next::Step 1")
    wait_for_text(store, record.id, page, "Extra:::proces")  # without leaving the field
    expect(page.locator("u.error")).to_have_text(["proces"])
    page.get_by_role("button", name="Fix all").click()
    expect(page.locator("u.error")).to_have_count(0)
    assert "Extra:::process:::" in editor.input_value()


def test_what_was_just_typed_survives_leaving_the_page(
    page: Page, write: Callable[..., Page], store: SqlStore, record: WorkflowRecord
) -> None:
    write(page, record.id, "&view=Text")
    editor = page.get_by_label("Text of the workflow")
    editor.click()
    editor.press("Control+Home")
    page.keyboard.type("# a last word\n")
    page.get_by_role("link", name="Models").click()
    wait_for_text(store, record.id, page, "# a last word")


def test_two_tabs_that_edit_the_same_workflow(
    new_page: Callable[..., Page], write: Callable[..., Page], store: SqlStore, record: WorkflowRecord
) -> None:
    first, second = new_page(), new_page()
    for tab in (first, second):
        write(tab, record.id, "&step=2")
        expect(field(tab, "Instruction")).to_be_visible()
    for tab, words in ((first, "The first tab says this"), (second, "The second tab says that")):
        field(tab, "Instruction").fill(words)
        field(tab, "Instruction").blur()
        if tab is first:
            wait_for_text(store, record.id, first, words)
    expect(second.get_by_text("saved in another tab")).to_be_visible()
    expect(second.get_by_text("The first tab says this").first).to_be_visible()
    second.get_by_role("button", name="Use mine").click()
    wait_for_text(store, record.id, second, "The second tab says that")
    first.get_by_role("button", name="Show it").click()
    expect(field(first, "Instruction")).to_have_value("The second tab says that")


def test_a_model_writes_and_one_can_reload_meanwhile(page: Page, server: AppServer, store: SqlStore) -> None:
    page.goto(server.url)
    page.get_by_label("What should get done?").fill("Decide whether a refund mail is justified")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url("**/write?**job=jb_**")
    expect(page.get_by_text("Writing", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("option")).to_have_count(4)
    expect(page.get_by_text("kept as v1")).to_be_visible()
    workflow_id = page.url.split("workflow=")[1][:15]
    assert store.get_workflow(workflow_id).version == 1


def test_nothing_is_fetched_that_a_text_names(page: Page, write: Callable[..., Page], store: SqlStore) -> None:
    evil = "![x](http://evil.example/a.png) <img src=http://evil.example/b.png>"
    text = f"A {evil}:::process:::{evil}:::next::B\nB:::terminal:::{evil}:::\n"
    record = store.create_workflow(evil, text, task=store.add_task(evil))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for view in ("Graph", "Text", "Problems"):
        write(page, record.id, f"&view={view}")
        expect(page.get_by_role("option")).to_have_count(2)
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("Recent work")).to_be_visible()
    assert not [url for url in asked if "evil.example" in url]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(
    new_page: Callable[..., Page], server: AppServer, store: SqlStore, record: WorkflowRecord, theme: str
) -> None:
    broken = store.create_workflow("Broken", "Read:::proces:::Read it:::next::Nowhere\nOops:::x\n")
    page = new_page(theme=theme)
    address = f"{server.url}/write?workflow="
    for url in (
        server.url,
        address + record.id,
        f"{address}{broken.id}&view=Text",
        f"{address}{broken.id}&view=Problems",
    ):
        page.goto(url)
        expect(page.get_by_text("Begin with an example").or_(page.get_by_role("listbox")).first).to_be_visible()
        page.wait_for_timeout(1500)  # until fonts and icons are there
        found = Axe().run(page).response["violations"]
        assert not found, f"{url}: {[(v['id'], [n['target'] for n in v['nodes']]) for v in found]}"


def test_the_page_fits_a_narrow_screen(
    new_page: Callable[..., Page], write: Callable[..., Page], record: WorkflowRecord, tmp_path: Path
) -> None:
    page = write(new_page(width=420), record.id)
    expect(page.get_by_role("listbox")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
