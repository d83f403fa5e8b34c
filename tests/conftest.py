"""What every test gets: a data folder of its own, and settings that are read anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autoflow.settings import settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order and groups for parallel runs (`pytest -n 2 --dist loadgroup`).

    Real models follow each other in one process: each takes all cores, and two at a time slow each other tenfold. What
    needs a Ray cluster shares one. The longest come first, so that no process has a long one left when the others are
    done.

    A browser test that fails is run once more, and the report counts it: on a loaded machine a page may be drawn anew
    just where a test clicks. What fails twice is a fault.
    """

    def rank(item: pytest.Item) -> int:
        return 0 if item.get_closest_marker("model") else 1 if item.get_closest_marker("browser") else 2

    def group(item: pytest.Item) -> str:
        return "models" if rank(item) == 0 else "ray" if item.get_closest_marker("ray") else str(item.path)

    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=rank)


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
