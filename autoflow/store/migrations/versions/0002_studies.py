"""Studies: saved suites, studies with candidates and outcomes, and what people rated.

Kept as it is for ever: plain types, so that later changes of `tables.py` do not reach back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:  # long: one statement a table, without a turn
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "suites",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("deleted_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_suites"),
    )
    op.create_index("ix_suites_updated_at", "suites", ["updated_at"])
    op.create_table(
        "studies",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("splits", sa.Text, nullable=False),
        sa.Column("workflow_id", sa.String(length=16)),
        sa.Column("parent_id", sa.String(length=16)),
        sa.Column("job_id", sa.String(length=16)),
        sa.Column("rounds", sa.Integer, nullable=False),
        sa.Column("stop", sa.String(length=20)),
        sa.Column("best", sa.Integer),
        sa.Column("test_uses", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("recorded", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double),
        sa.Column("deleted_at", sa.Double),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], name="fk_studies_workflow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
    )
    for column in ("workflow_id", "job_id", "created_at"):
        op.create_index(f"ix_studies_{column}", "studies", [column])
    op.create_table(
        "candidates",
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("totals", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_candidates_study_id"),
        sa.PrimaryKeyConstraint("study_id", "number", name="pk_candidates"),
    )
    op.create_table(
        "outcomes",
        sa.Column("seq", serial, autoincrement=True, nullable=False),
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("candidate", sa.Integer, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("split", sa.String(length=8), nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("stop", sa.String(length=20), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("expected", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("totals", sa.Text, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("trace", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_outcomes_study_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_outcomes"),
        sa.UniqueConstraint(
            "study_id", "candidate", "task", "repeat", name="uq_outcomes_study_id_candidate_task_repeat"
        ),
    )
    op.create_table(
        "ratings",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("study_id", sa.String(length=16), nullable=False),
        sa.Column("candidate", sa.Integer, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("rater", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_ratings_study_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ratings"),
    )
    op.create_index("ix_ratings_study_id", "ratings", ["study_id"])
