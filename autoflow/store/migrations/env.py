"""Run by Alembic; only ever inside `autoflow.store.migrate`, on its connection and in its transaction.

A new revision is a file in `versions`, written by hand, and its number in `migrate.HEAD`; a test compares what the
migrations make with `tables.py`. A new field of a record that is stored as JSON (Task, RunPolicy, Totals, Connection)
needs a revision too, an empty one: an older version would refuse the field, and must refuse the database instead.
"""

from __future__ import annotations

from alembic import context

from autoflow.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter tables in place
    transactional_ddl=True,
)
context.run_migrations()
