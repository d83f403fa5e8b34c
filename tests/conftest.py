"""What every test gets: a data folder of its own, and settings that are read anew."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from autoflow.settings import settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that no process of a parallel run has a long one left when the others are done.

    A browser test that fails is run once more, and the report counts it: on a loaded machine a page may be drawn anew
    just where a test clicks. What fails twice is a fault.
    """

    def rank(item: pytest.Item) -> int:
        return 0 if item.get_closest_marker("model") else 1 if item.get_closest_marker("browser") else 2

    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=rank)


class Groups(LoadScopeScheduling):
    """What a process of a parallel run is given as a whole: a file, or several that share something.

    Real models follow each other in one process: each takes all cores, and two at a time slow each other tenfold. What
    needs a Ray cluster shares one. (The groups that xdist knows by a mark come to nothing with pytest 9.2: xdist 3.8
    writes them into a field that is no longer read.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(self.config.rootpath / nodeid.partition("::")[0])


@cache
def group_of(path: Path) -> str:
    """By what stands in the file, as the process that deals the tests out knows nothing of their marks."""
    text = path.read_text("utf-8")
    return next((mark for mark in ("model", "ray") if f"pytest.mark.{mark}" in text), str(path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    return Groups(config, log)


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
