"""AppTest on the shell: what a person sees, without a browser. No worker is started: jobs stay queued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from autoflow.store import SqlStore
from pages.ui import services

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30


@pytest.fixture(autouse=True)
def fresh_caches(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test opens its own store, and starts no process."""
    monkeypatch.setattr("autoflow.jobs.supervisor.ensure_worker", lambda **_: True)
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)  # reads the metadata of all packages
    _tell_errors_as_the_app(monkeypatch)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def _tell_errors_as_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """`st.App(on_script_error=...)` in `app.py`, which AppTest does not read."""
    begin = LocalScriptRunner.__init__

    def begin_with(self: LocalScriptRunner, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self._on_script_error = services.tell

    monkeypatch.setattr(LocalScriptRunner, "__init__", begin_with)


@pytest.fixture
def store(fresh_caches: None) -> SqlStore:
    return services.store()


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    """Open a page as its URL does: `visit("run", workflow="wf_...")`."""

    def open_page(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "ui" / "shell.py"), default_timeout=PATIENCE_S)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        return app.switch_page(services.PAGES[page]).run() if page != "home" else app

    return open_page


def words(app: AppTest) -> str:
    """All text on the page, for assertions on what is visible."""
    kinds = ("title", "header", "subheader", "markdown", "text", "caption", "code", "info", "warning", "error")
    shown = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    return "\n".join([*shown, *(toast.value.replace("\\", "") for toast in app.toast)])
