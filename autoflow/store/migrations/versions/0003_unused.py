"""Studies count what proposals took that came to nothing.

Kept as it is for ever: plain types, so that later changes of `tables.py` do not reach back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("studies", sa.Column("unused", sa.Text, nullable=False, server_default="{}"))
