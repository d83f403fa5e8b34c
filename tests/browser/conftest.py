"""A real server and a real browser for each test module that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.appserver import CHROMIUM_ARGUMENTS, AppServer, clean_environment, free_port
from scripts.browser import find_or_get


@pytest.fixture(scope="module")
def server_env() -> dict[str, str]:
    """Variables for the server on top of a clean environment; modules override this fixture."""
    return {"AUTOFLOW_OFFLINE": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, server_env: dict[str, str]) -> Iterator[AppServer]:
    home = tmp_path_factory.mktemp("home")
    running = AppServer(home, free_port(), clean_environment(home, **server_env))
    running.start()
    yield running
    running.stop_all()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: while Playwright is open, its event loop keeps others in this thread from running."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_or_get(), args=list(CHROMIUM_ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a tab: `new_page(theme="dark", width=420)`."""
    contexts = []

    def open_tab(theme: str = "light", width: int = 1280, height: int = 900) -> Page:
        context = browser.new_context(
            color_scheme="dark" if theme == "dark" else "light", viewport={"width": width, "height": height}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()
