"""What can be wrong with a database: each fault is made for real, and told in a sentence."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from autoflow.errors import AutoFlowError, SettingsError, StorageUnavailable
from autoflow.store import open_store
from autoflow.store.faults import FAULTS, as_markdown
from autoflow.store.sql import open_store as open_with_patience

NOBODY = 65_534


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that this process may only read. Root may write everywhere, so it steps down for the test."""
    folder = Path(tempfile.mkdtemp(prefix="af-ro-"))
    store = open_store(f"sqlite:///{folder / 'there.db'}")
    store.create_workflow("kept", "text")
    store.close()
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        yield folder
        os.seteuid(0)
    else:
        yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def told(error: AutoFlowError, *parts: str) -> None:
    """A sentence that names the database, and what to do."""
    for part in parts:
        assert part in error.message
    assert error.message.endswith(".")
    assert error.hint


def test_documentation_is_made_from_the_table() -> None:
    page = Path(__file__).parents[2] / "docs/errors-storage.md"
    assert page.read_text("utf-8") == as_markdown(), (
        "write it anew: python -m autoflow.store.faults > docs/errors-storage.md"
    )


def test_no_code_means_two_faults() -> None:
    codes = [code for fault in FAULTS.values() for code in (*fault.sqlite, *fault.postgres)]
    assert len(codes) == len(set(codes))


def test_full_disk_is_told_and_loses_nothing(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    made = store.create_workflow("w", "text")
    with store.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    store.close()
    store = open_store(sqlite_url)
    engine = store.database._engine
    event.listen(engine, "begin", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(StorageUnavailable) as caught:
        store.save_draft(made.id, os.urandom(50_000).hex(), revision=1)
    told(caught.value, "full", "test.db")
    assert store.get_workflow(made.id) == made
    store.close()


def test_locked_database_is_told_after_patience(sqlite_url: str) -> None:
    store = open_with_patience(sqlite_url, patience_s=0.2)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable) as caught:
        store.create_workflow("w")
    told(caught.value, "locked", "test.db")
    assert store.list_workflows() == []  # readers do not wait
    other.execute("ROLLBACK")
    other.close()
    store.create_workflow("w")
    store.close()


def test_writers_wait_for_each_other(sqlite_url: str) -> None:
    stores = [open_store(sqlite_url) for _ in range(4)]
    threads = [threading.Thread(target=lambda s=s: [s.create_workflow("w") for _ in range(20)]) for s in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores[0].list_workflows(limit=100)) == 80
    for store in stores:
        store.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(StorageUnavailable) as caught:
        open_store(f"sqlite:///{path}")
    told(caught.value, str(path), "no database")
    assert path.read_bytes() == content


def test_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable) as caught:
        open_store(f"sqlite:///{tmp_path}")
    told(caught.value, str(tmp_path), "cannot be opened")


def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable) as caught:
        open_store(f"sqlite:///{tmp_path / 'file' / 'deeper' / 'x.db'}")
    told(caught.value, "data folder", str(tmp_path / "file"))


def test_new_database_in_a_read_only_folder(read_only_folder: Path) -> None:
    with pytest.raises(StorageUnavailable) as caught:
        open_store(f"sqlite:///{read_only_folder / 'new.db'}")
    told(caught.value, str(read_only_folder / "new.db"))
    with pytest.raises(StorageUnavailable) as caught:
        open_store(f"sqlite:///{read_only_folder / 'sub' / 'new.db'}")
    told(caught.value, "data folder", str(read_only_folder / "sub"))


def test_old_database_in_a_read_only_folder(read_only_folder: Path) -> None:
    path = read_only_folder / "there.db"
    with pytest.raises(StorageUnavailable) as caught:
        open_store(f"sqlite:///{path}").create_workflow("w")
    told(caught.value, str(path))


@pytest.mark.parametrize(
    "url", ["nonsense", "", "mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://h/d"]
)
def test_address_that_means_no_database(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFLOW_DATABASE_URL", url)
    with pytest.raises(SettingsError) as caught:
        open_store(url or "x")
    told(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@h:port/d",  # no number
        "postgresql://u:secret@[::1/d",
        "postgres//u:se/cr@secret@h/d",
        "postgresql://u@127.0.0.1:1/d?password=secret",
    ],
)
def test_address_that_cannot_be_used_is_told_without_the_password(url: str) -> None:
    with pytest.raises(AutoFlowError) as caught:
        open_store(url)
    assert "u" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_unreachable_server_is_told_without_the_password() -> None:
    with pytest.raises(StorageUnavailable) as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/af")
    told(caught.value, "cannot be reached", "me:***@127.0.0.1:1/af")
    assert "secret" not in str(caught.value)


@pytest.mark.postgres
class TestPostgres:
    def test_missing_database(self, postgres_url: str) -> None:
        with pytest.raises(StorageUnavailable) as caught:
            open_store(postgres_url.replace("/migrated", "/missing"))
        told(caught.value, 'database "missing" does not exist')

    def test_unknown_user(self, postgres_url: str) -> None:
        with pytest.raises(StorageUnavailable) as caught:
            open_store(postgres_url.replace("postgres:@", "stranger:@"))
        told(caught.value, 'role "stranger" does not exist')

    def test_read_only_server(self, empty_postgres_url: str) -> None:
        open_store(empty_postgres_url).close()
        with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        store = open_store(empty_postgres_url)
        with pytest.raises(StorageUnavailable) as caught:
            store.create_workflow("w")
        told(caught.value, "read-only")
        store.close()

    def test_connections_that_the_server_dropped_are_replaced(self, postgres_url: str) -> None:
        store = open_store(postgres_url)
        store.create_workflow("before")
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        store.create_workflow("after")
        assert len(store.list_workflows()) == 2
        store.close()

    def test_connection_that_breaks_in_a_transaction_is_told_and_leaves_nothing(self, postgres_url: str) -> None:
        store = open_store(postgres_url)
        with pytest.raises(StorageUnavailable) as caught, store.database.write() as connection:  # noqa: PT012
            store.database.now(connection)
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        told(caught.value, "cannot be reached")
        assert store.list_workflows() == []
        store.close()
