"""Bring a database to the present schema, whoever else tries the same at the same moment.

The lock (SQLite: the write lock; PostgreSQL: an advisory lock) is taken before the schema is looked at, and everything
happens in one transaction: a process that is killed half-way leaves the old schema.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa

from autoflow.store.engine import Database
from autoflow.store.faults import fault

HEAD = "0005"  # the newest file in `migrations/versions`; looked up here so that Alembic is loaded only to migrate
_LOCK = 4_115_770_031  # any number that nobody else on the server uses


def prepare(database: Database) -> None:
    """Make folder and tables where they are missing, and migrate where they are old.

    Raises StorageUnavailable, NewerDatabase.
    """
    if database.is_sqlite:
        _make_folder(Path(database.name).parent)
        _use_wal(database)
    if _revision_read(database) != HEAD:
        _migrate(database)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise fault("folder", str(folder), error.strerror or str(error)) from error


def _use_wal(database: Database) -> None:
    """Turn on WAL, which stays in the file. SQLite does not wait for others here, so this tries again."""
    deadline = time.monotonic() + database.patience_s
    while not _wal_is_on(database):
        if time.monotonic() > deadline:
            raise fault("locked", database.name)
        time.sleep(0.05)


def _wal_is_on(database: Database) -> bool:
    with database.read() as connection:
        connection.rollback()  # the journal cannot be changed inside a transaction, and this begins none
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        try:
            return str(raw.execute("PRAGMA journal_mode = WAL").fetchone()[0]) == "wal"
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False


def _revision_read(database: Database) -> str | None:
    with database.read() as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        present = _revision(connection)
        if present is not None and present not in known:
            raise fault("newer", database.name, f"{present}; this one knows {HEAD}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
