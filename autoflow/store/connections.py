"""Connections: which models a person set up. A key is never among what is stored, only the name of its variable."""

from __future__ import annotations

import sqlalchemy as sa

from autoflow.errors import NotFound
from autoflow.records import Connection
from autoflow.store import tables
from autoflow.store.part import Part

_table = tables.connections


class Connections(Part):
    """Connections, by name."""

    def save_connection(self, connection: Connection) -> Connection:
        """Add or replace, by name. The time of creation is the first one's."""
        with self.database.write() as db:
            if not self.database.is_sqlite:  # two writers of one new name would both find nothing to replace
                db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"connection {connection.name}"))))
            row = db.execute(sa.select(_table.c.created_at).where(_table.c.name == connection.name)).first()
            created_at = row.created_at if row else connection.created_at or self.database.now(db)
            saved = connection.model_copy(update={"created_at": created_at})
            db.execute(_table.delete().where(_table.c.name == saved.name))
            db.execute(_table.insert().values(name=saved.name, body=saved.model_dump(), created_at=created_at))
        return self.get_connection(saved.name)

    def get_connection(self, name: str) -> Connection:
        with self.database.read() as db:
            query = sa.select(_table.c.body).where(_table.c.name == tables.clean(name))
            found = db.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound(f"There is no connection {name[:64]!r}.", "The page Models lists those there are.")
        return Connection.model_validate(found)

    def list_connections(self) -> list[Connection]:
        """By name."""
        with self.database.read() as db:
            found = db.execute(sa.select(_table.c.body)).scalars().all()
        return sorted((Connection.model_validate(body) for body in found), key=lambda c: (c.name.casefold(), c.name))

    def delete_connection(self, name: str) -> None:
        self.get_connection(name)
        with self.database.write() as db:
            db.execute(_table.delete().where(_table.c.name == name))
