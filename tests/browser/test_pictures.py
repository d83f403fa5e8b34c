"""A picture from the upload through two tools to the trace, in a real browser, with a real worker and real tools."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from autoflow.store import SqlStore, open_store
from autoflow.tools.openagi.degrading import degraded
from autoflow.tools.openagi.images import to_png
from scripts.appserver import AppServer
from tests.browser.test_pages import settle
from tests.browser.test_suites import faults
from tests.tools.openagi.pictures import natural

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
TEXT = "Step 1:::process:::Mend the picture.:::next::Step 2\nStep 2:::terminal:::Say what was done.:::\n"
HOSTILE = "<img src=x onerror=window.stolen=1>.png"
WORSE = to_png(degraded(natural("chelsea.png"), ["blurry", "noisy"], "seed"))


def call(tool: str, image: str) -> dict[str, object]:
    return {"name": f"openagi__{tool}", "arguments": {"image": image}}


@pytest.fixture(scope="module")
def server_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    lines = (
        {"match": "^picture result-1", "tool_calls": [call("image_deblurring", "result-1")]},
        {"match": "^picture result-2", "reply": "Denoised, then sharpened."},
        {"match": "Mend the picture", "tool_calls": [call("image_denoising", HOSTILE)]},
        {"match": "", "reply": f"It is sharp. {HOSTILE}"},
    )
    script = tmp_path_factory.mktemp("script") / "model.jsonl"
    script.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return {"AUTOFLOW_OFFLINE": "1", "AUTOFLOW_DEFAULT_MODEL": f"scripted:{script}"}


@pytest.fixture(scope="module")
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


def pictures(page: Page) -> list[list[object]]:
    """Each picture of the trace: its text alternative, and how wide the file is that the browser got."""
    found = page.locator("li.row img").evaluate_all("all => all.map((it) => [it.alt, it.naturalWidth])")
    return [list(one) for one in found]


def test_an_uploaded_picture_is_seen_before_and_after_each_tool_also_after_a_reload_and_a_restart(
    server: AppServer, store: SqlStore, page: Page
) -> None:
    asked: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text else None)
    task = store.add_task("Mend it.", (), ["openagi.image_denoising", "openagi.image_deblurring"])
    workflow = store.create_workflow("Mend", TEXT, task=task)
    page.goto(f"{server.url}/run?workflow={workflow.id}")
    settle(page)
    page.get_by_text("Add inputs").click()
    page.locator("input[type=file]").set_input_files({"name": HOSTILE, "mimeType": "image/png", "buffer": WORSE})
    expect(page.get_by_role("img", name=HOSTILE)).to_be_visible()  # before it is run
    assert not faults(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("The workflow reached its end.")).to_be_visible()
    seen = [
        [f"{HOSTILE}, before the tool", 192], ["result-1, after the tool", 192],
        ["result-1, before the tool", 192], ["result-2, after the tool", 192],
    ]  # fmt: skip
    expect(page.locator("li.row img")).to_have_count(4)
    assert pictures(page) == seen
    expect(page.get_by_text("offline: Richardson-Lucy").first).to_be_visible()
    (run,) = store.list_runs(workflow.id)
    page.reload()
    expect(page.locator("li.row img")).to_have_count(4)
    assert pictures(page) == seen
    server.stop_all()
    server.start()
    page.goto(f"{server.url}/run?run={run.id}")
    expect(page.locator("li.row img")).to_have_count(4)
    assert pictures(page) == seen
    assert page.evaluate("window.stolen") is None
    assert refused == [], "the policy refuses what the page itself needs"
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 420)])
def test_a_picture_is_opened_larger_by_keyboard_and_kept(
    server: AppServer, store: SqlStore, new_page: Callable[..., Page], theme: str, width: int
) -> None:
    page = new_page(theme=theme, width=width)
    page.goto(f"{server.url}/run?run={store.list_runs()[0].id}")
    small = page.get_by_role("button", name="result-2, after the tool")
    small.wait_for()
    settle(page)
    assert not Axe().run(page).response["violations"]
    small.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="result-2")).to_be_visible()
    assert not faults(page)
    with page.expect_download() as given:
        dialog.get_by_role("button", name="Download").click()
    assert given.value.suggested_filename == "result-2.png"
    assert Image.open(io.BytesIO(given.value.path().read_bytes())).size == (256, 256)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    small.click()
    expect(dialog).to_have_count(1)  # it can be opened once more
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
