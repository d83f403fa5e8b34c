"""What lasts: tasks, workflows, runs, connections and jobs. `base` is the contract, `open_store` the way in.

One module a group of tables (`workflows`, `drafts`, `versions`, `runs`, `files`, `connections`), two for the jobs
(`queue`: what people ask for, `leases`: what workers do), `engine` for transactions, `faults` for what can go wrong
with a database, `migrate` for its schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoflow.store.sql import SqlStore

__all__ = ["SqlStore", "open_store"]


def open_store(url: str | None = None) -> SqlStore:
    """Open the database of the settings, or of this URL; see `autoflow.store.sql.open_store`."""
    from autoflow.store import sql  # SQLAlchemy takes 0.2 s to load

    return sql.open_store(url)


def __getattr__(name: str) -> Any:
    if name == "SqlStore":
        from autoflow.store.sql import SqlStore

        return SqlStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
