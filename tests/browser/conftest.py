"""A real server and a real browser for each test module that asks for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.browser import find_or_get

ROOT = Path(__file__).resolve().parents[2]
START_PATIENCE_S = 60.0
CHROMIUM = (
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """The app under test, as `make run` starts it, on a data folder of its own."""

    home: Path
    port: int
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        log = (self.home / "app.log").open("ab")
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        deadline = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/_stcore/health", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError("the app did not start:\n" + (self.home / "app.log").read_text())

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def stop_helpers(self) -> None:
        """End the worker and the model server that this data folder's app started."""
        for process in _processes_of(self.home):
            process.kill()


def _processes_of(home: Path) -> list[object]:
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AUTOFLOW_HOME") == str(home) and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def server_env() -> dict[str, str]:
    """Variables for the server on top of the test's own; modules override this fixture."""
    return {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, server_env: dict[str, str]) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOFLOW_", "OPENAI_"))}
    env |= {"AUTOFLOW_HOME": str(home), "AUTOFLOW_OFFLINE": "1", **server_env}
    running = Server(home, free_port(), env)
    running.start()
    yield running
    running.stop()
    running.stop_helpers()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_or_get(), args=list(CHROMIUM))
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a tab: `new_page(theme="dark", width=420)`. Fails the test where the page logged an error."""
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
