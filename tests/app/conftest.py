"""AppTest on the shell: what a person sees, without a browser. No worker is started: jobs stay queued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from autoflow.store import SqlStore
from pages.ui import services

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30


@pytest.fixture(autouse=True)
def fresh_caches(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test opens its own store, and starts no process."""
    monkeypatch.setattr("autoflow.jobs.supervisor.ensure_worker", lambda **_: True)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


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
    return "\n".join(str(element.value) for kind in kinds for element in getattr(app, kind))
