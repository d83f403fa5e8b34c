"""A store of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autoflow.store import SqlStore, open_store


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store()
    yield opened
    opened.close()
