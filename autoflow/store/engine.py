"""The one place that opens the database: engine, transactions, clock, and drivers' errors made into ours.

SQLite runs in WAL mode, so that readers and the one writer do not wait for each other. A writer takes the write lock at
its start (`BEGIN IMMEDIATE`): a transaction that reads first and locks later can fail half-way. `synchronous=NORMAL`
outlives the crash of any process; a power cut may cost the last transactions, never the file.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url

from autoflow.store.faults import fault, kind_of

_PASSWORDS = ("password", "sslpassword")  # that PostgreSQL reads from behind the `?` of an address
FROZEN_S = 30.0  # PostgreSQL ends a transaction that says nothing for so long: a frozen process would keep its locks
DEFAULT_PATIENCE_S = 10.0  # how long a writer waits for the lock of another


class Database:
    """An open database, safe to share between threads."""

    def __init__(self, url: str | URL, patience_s: float = DEFAULT_PATIENCE_S) -> None:
        self.url = _known(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.patience_s = patience_s
        self.name = str(self.url.database) if self.is_sqlite else _shown(self.url)
        self._engine = _sqlite_engine(self.url, patience_s) if self.is_sqlite else _postgres_engine(self.url)
        self._writer = self._engine.execution_options(writes=True)
        self._file: tuple[int, int] | None = None  # device and number of SQLite's file, once it is there

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads; it never waits for a writer."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes: whole or not at all."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def now(self, connection: sa.Connection) -> float:
        """Seconds since 1970 by the clock that all users of this database share."""
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(_POSTGRES_CLOCK).scalar_one())

    def close(self) -> None:
        self._engine.dispose()

    def _look_at_the_file(self) -> None:
        """SQLite goes on writing into a file that was deleted or moved away: all of it would be lost unnoticed.

        Raises StorageUnavailable.
        """
        if not self.is_sqlite:
            return
        try:
            found = os.stat(self.name)
            mark = found.st_dev, found.st_ino
        except OSError:
            mark = None
        if self._file is None:
            self._file = mark
        elif mark != self._file:
            raise fault("gone", self.name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._look_at_the_file()
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error) as error:  # the latter from the set-up of a connection
            cause = getattr(error, "orig", None) or error
            raise fault(kind_of(cause), self.name, _words(cause)) from error
        except sa.exc.TimeoutError as error:
            raise fault("busy", self.name) from error


_POSTGRES_CLOCK = sa.text("SELECT extract(epoch FROM clock_timestamp())")


def sqlite_url(path: Path) -> URL:
    """The URL of a file, whatever characters its path holds."""
    return URL.create("sqlite", database=str(path))


def _known(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:  # the latter where the port is no number
        shown = re.sub(r"(//[^:@/]*):.*@", r"\1:***@", str(url), flags=re.DOTALL)
        raise fault("url", repr(shown)) from error
    in_memory = parsed.database in (None, "", ":memory:")  # no other process could see it
    if parsed.drivername in ("sqlite", "sqlite+pysqlite") and not in_memory:
        return parsed
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    raise fault("url", _shown(parsed))


def _shown(url: URL) -> str:
    """As people may see it: without passwords, wherever they stand."""
    return url.difference_update_query(_PASSWORDS).render_as_string(hide_password=True)


def _words(error: BaseException) -> str:
    """What the driver says, without how it came there (`connection failed: connection to ... failed: FATAL:  `)."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line.split(" failed: ")[-1].removeprefix("FATAL:").strip()


def _postgres_engine(url: URL) -> sa.Engine:
    # Each connection is tried before use: after a restart of the server the pool is full of dead ones.
    engine = sa.create_engine(
        url, pool_pre_ping=True, pool_size=8, max_overflow=16, pool_timeout=15, connect_args={"connect_timeout": 10}
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = {int(1000 * FROZEN_S)}")
        connection.commit()

    return engine


def _sqlite_engine(url: URL, patience_s: float) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=8, max_overflow=16, pool_timeout=15, connect_args={"timeout": patience_s})

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver would begin transactions by a rule of its own
        for pragma in ("foreign_keys = ON", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
