"""The Models page in a real browser, with its real worker: an adapter is seen, taken elsewhere, renamed and removed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from scripts.appserver import AppServer
from tests.adapters import write_adapter

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
HOSTILE = '<img src=x onerror="window.stolen=1"> ![x](http://attacker.invalid/x.png)'


@pytest.fixture
def open_adapters(server: AppServer, page: Page) -> Callable[..., Page]:
    def opened(name: str, where: Page = page) -> Page:
        write_adapter(server.home / "adapters" / name, study_name=HOSTILE)
        where.goto(f"{server.url}/models?models-tab=Adapters")
        expect(where.get_by_text(f"local:smollm2-135m+{name}")).to_be_visible()
        return where

    return opened


def test_an_adapter_is_downloaded_as_peft_reads_it(open_adapters: Callable[..., Page], tmp_path: Path) -> None:
    page = open_adapters("taken")
    page.get_by_role("button", name="Download").click()
    page.get_by_role("button", name="peft folder (zip)").click()
    page.keyboard.press("Escape")
    save = page.get_by_role("button", name="Save taken.zip")
    expect(save).to_be_visible(timeout=90_000)  # the worker may have to start first
    with page.expect_download() as started:
        save.click()
    path = tmp_path / "taken.zip"
    started.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert {Path(name).name for name in archive.namelist()} == {
            "README.md", "adapter_config.json", "adapter_model.safetensors", "autoflow.json",
        }  # fmt: skip
        assert json.loads(archive.read("taken/autoflow.json"))["step"] == 7
        assert "# taken" in archive.read("taken/README.md").decode()


def test_an_adapter_is_renamed_and_removed(open_adapters: Callable[..., Page], server: AppServer) -> None:
    page = open_adapters("before")
    page.locator(".st-key-adapter-before").get_by_role("button", name="More").click()
    page.get_by_label("Name", exact=True).fill("after")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("local:smollm2-135m+after")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".st-key-adapter-after").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Remove the adapter").click()
    expect(page.get_by_text("local:smollm2-135m+after")).to_have_count(0)
    assert not (server.home / "adapters" / "after").exists()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 420)])
def test_the_list_is_accessible_and_fits(
    open_adapters: Callable[..., Page], new_page: Callable[..., Page], server: AppServer, theme: str, width: int
) -> None:
    half = write_adapter(server.home / "adapters" / "half")
    (half / "adapter_model.safetensors").write_bytes(b"cut")
    page = open_adapters("looked-at", new_page(theme=theme, width=width))
    expect(page.get_by_text("damaged or incomplete")).to_be_visible()
    page.wait_for_timeout(1000)
    assert page.evaluate("window.stolen") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = violations(page)
    for _ in range(4):  # while the list is drawn anew what is to be replaced is pale
        if found:
            page.locator('[data-test-script-state="notRunning"]').first.wait_for()
            found = violations(page)
    assert found == []


def violations(page: Page) -> list[tuple[str, list[str]]]:
    return [(v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in Axe().run(page).response["violations"]]
