"""The databases."""

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
