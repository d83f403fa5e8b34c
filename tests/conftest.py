"""What every test gets: a data folder of its own, and settings that are read anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autoflow.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh AUTOFLOW_HOME; no key or endpoint of the developer's machine leaks in."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("AUTOFLOW_HOME", str(folder))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AUTOFLOW_DATABASE_URL", "AUTOFLOW_TOOLS"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield folder
    settings.cache_clear()
