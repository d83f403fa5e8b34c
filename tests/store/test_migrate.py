"""The schema: made, compared with the tables, migrated by many at once, and refused where it is newer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from autoflow.errors import NewerDatabase
from autoflow.settings import settings
from autoflow.store import open_store
from autoflow.store.engine import Database
from autoflow.store.migrate import HEAD
from autoflow.store.tables import metadata

KINDS = ["empty_sqlite_url", pytest.param("empty_postgres_url", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_migrations_make_exactly_the_tables(url: str) -> None:
    open_store(url).close()
    database = Database(url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_head_is_the_newest_migration() -> None:
    files = (Path(__file__).parents[2] / "autoflow/store/migrations/versions").glob("*.py")
    assert max(path.name.split("_")[0] for path in files) == HEAD


def test_processes_that_open_at_once_migrate_once(url: str) -> None:
    code = "import sys; from autoflow.store import open_store; print(open_store(sys.argv[1]).create_workflow('w').id)"
    command = [sys.executable, "-c", code, url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [error.decode() for _, error in outputs] == [""] * 4
    store = open_store(url)
    assert {w.id for w in store.list_workflows()} == {output.decode().strip() for output, _ in outputs}
    store.close()


def test_opening_again_keeps_what_is_there(url: str) -> None:
    store = open_store(url)
    made = store.create_workflow("w", "text")
    store.close()
    again = open_store(url)
    assert again.get_workflow(made.id) == made
    again.close()


def test_newer_database_is_refused_and_left_alone(url: str) -> None:
    store = open_store(url)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    name = store.name
    store.close()
    with pytest.raises(NewerDatabase) as caught:
        open_store(url)
    assert name in caught.value.message
    assert "9999" in caught.value.message
    assert "Update AutoFlow" in caught.value.hint


def test_migration_that_is_killed_half_way_leaves_the_old_schema(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_store(url)
    monkeypatch.undo()
    database = Database(url)
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == []
    database.close()
    open_store(url).close()


def test_default_database_lies_in_the_data_folder_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "a ? folder # 100% \u00e9" / "deeper"
    monkeypatch.setenv("AUTOFLOW_HOME", str(home))
    settings.cache_clear()
    store = open_store()
    assert store.name == str(home / "autoflow.db")
    assert sqlite3.connect(home / "autoflow.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert home.stat().st_mode & 0o777 == 0o700
    store.close()
