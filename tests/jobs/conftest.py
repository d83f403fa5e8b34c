"""The databases, and a store on each."""

from collections.abc import Iterator

import pytest

from autoflow.store import SqlStore
from autoflow.store.sql import open_store
from tests.databases import (
    _migrated_file,
    empty_postgres_url,
    empty_sqlite_url,
    postgres_server,
    postgres_url,
    sqlite_url,
)

__all__ = [
    "_migrated_file", "empty_postgres_url", "empty_sqlite_url", "postgres_server", "postgres_url", "sqlite_url",
]  # fmt: skip


@pytest.fixture(params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()
