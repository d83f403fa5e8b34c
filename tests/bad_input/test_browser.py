"""What a person with an open tab sees when the data folder is taken away and put back, and when the app restarts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from autoflow.store.sql import open_store
from scripts.appserver import AppServer
from tests.bad_input.conftest import GOOD
from tests.browser.conftest import browser, new_page, page, server, server_env

__all__ = ["browser", "new_page", "page", "server", "server_env"]
pytestmark = pytest.mark.browser
GONE = "was moved, removed or replaced while AutoFlow ran"


@pytest.fixture
def without_folder(server: AppServer) -> Callable[[], Callable[[], None]]:
    """Takes the data folder away; returns what puts it back."""

    def take() -> Callable[[], None]:
        away = server.home.with_name("away")
        server.home.rename(away)

        def put_back() -> None:
            away.rename(server.home)

        return put_back

    return take


def test_an_open_tab_says_that_the_folder_is_gone_and_goes_on_when_it_is_back(
    server: AppServer, page: Page, without_folder: Callable[[], Callable[[], None]]
) -> None:
    store = open_store(f"sqlite:///{server.home / 'autoflow.db'}")
    record = store.create_workflow("Mails", GOOD)
    store.close()
    page.goto(f"{server.url}/write?workflow={record.id}")
    field = page.get_by_label("Instruction")
    expect(field).to_have_value("Read the mail.")
    put_back = without_folder()
    try:
        expect(page.get_by_text(GONE).first).to_be_visible()  # the job strip looks every two seconds
        expect(page.get_by_text("Traceback")).to_have_count(0)
        page.reload()
        expect(page.get_by_text(GONE).first).to_be_visible()
        assert not server.home.exists()
    finally:
        put_back()
    page.reload()
    field = page.get_by_label("Instruction")
    expect(field).to_have_value("Read the mail.")
    field.fill("Read it twice.")
    field.press("Tab")
    store = open_store(f"sqlite:///{server.home / 'autoflow.db'}")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    assert "Read it twice." in store.get_workflow(record.id).text
    store.close()


def test_a_tab_that_is_older_than_the_app_goes_on(server: AppServer, page: Page) -> None:
    store = open_store(f"sqlite:///{server.home / 'autoflow.db'}")
    record = store.create_workflow("Mails", GOOD)
    page.goto(f"{server.url}/write?workflow={record.id}")
    expect(page.get_by_label("Instruction")).to_have_value("Read the mail.")
    server.stop()
    expect(page.get_by_label("Instruction")).to_be_disabled()
    server.start()
    field = page.get_by_label("Instruction")
    expect(field).to_be_enabled(timeout=60_000)  # without a server nothing can be typed, so nothing is lost
    field.fill("Read it twice.")  # perhaps before the new session has drawn the page
    field.press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    assert "Read it twice." in store.get_workflow(record.id).text
    page.reload()
    expect(page.get_by_label("Instruction")).to_have_value("Read it twice.")
    store.close()
