"""`SqlStore`: all of `Store`, `StudyStore` and `JobStore`, on SQLite or PostgreSQL."""

from __future__ import annotations

from autoflow.settings import settings
from autoflow.store.benchmarks import Benchmarks
from autoflow.store.connections import Connections
from autoflow.store.drafts import Drafts
from autoflow.store.engine import DEFAULT_PATIENCE_S, Database, sqlite_url
from autoflow.store.files import Files
from autoflow.store.leases import Leases
from autoflow.store.migrate import prepare
from autoflow.store.queue import Queue
from autoflow.store.runs import Runs
from autoflow.store.studies import Studies
from autoflow.store.versions import Versions
from autoflow.store.workflows import Workflows


class SqlStore(Workflows, Drafts, Versions, Runs, Files, Connections, Studies, Benchmarks, Queue, Leases):
    """The store. Safe to share between threads; every process opens its own."""

    @property
    def name(self) -> str:
        """The database in words: its path, or its URL without the password."""
        return self.database.name

    def close(self) -> None:
        self.database.close()


def open_store(url: str | None = None, *, patience_s: float = DEFAULT_PATIENCE_S) -> SqlStore:
    """Open the database, made and migrated where needed.

    Args:
        url: SQLAlchemy's spelling, or `postgresql://...`. None: as the settings say (SQLite in AUTOFLOW_HOME).
        patience_s: how long a write waits on SQLite while another process writes.
    Raises: StorageUnavailable, NewerDatabase; SettingsError for a URL that cannot be read.
    """
    own_file = url is None and not settings().database_url
    database = Database(
        sqlite_url(settings().home / "autoflow.db") if own_file else url or settings().database, patience_s
    )
    prepare(database)
    return SqlStore(database)
