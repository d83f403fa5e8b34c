"""Studies that train their generator: what was measured and sampled in each step.

Kept as it is for ever: plain types, so that later changes of `tables.py` do not reach back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "training_steps",
        sa.Column("study_id", sa.String(16), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("samples", sa.Text, nullable=False),
        sa.Column("ending", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_training_steps_study_id"),
        sa.PrimaryKeyConstraint("study_id", "step", name="pk_training_steps"),
    )
