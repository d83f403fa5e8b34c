"""The tables. What changes here needs a migration; a test compares the two on both databases."""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` as the databases can hold it: NUL (PostgreSQL) and lone surrogates (both) become U+FFFD."""
    return _REFUSED.sub("\ufffd", text)


def _clean_json(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_json(item) for item in value]
    return value


class CleanText(sa.types.TypeDecorator[str]):
    """Text of any length and any Unicode, made storable by `clean`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else clean(value)


class JsonText(sa.types.TypeDecorator[Any]):
    """JSON kept as text, so that both databases give back exactly what was put in. None is SQL NULL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else json.dumps(_clean_json(value), ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = sa.String(16)
_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("body", JsonText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("task", JsonText),
    sa.Column("origin", sa.String(20), nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False, index=True),
    sa.Column("deleted_at", sa.Double),
)

edits = sa.Table(
    "edits",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=True),
    sa.Column("workflow_id", _Id, sa.ForeignKey("workflows.id"), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("removed", CleanText, nullable=False),
    sa.Column("added", CleanText, nullable=False),
    sa.Column("author", CleanText, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index(None, "workflow_id", "state", "id"),
)

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("workflow_id", _Id, sa.ForeignKey("workflows.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("origin", sa.String(20), nullable=False),
    sa.Column("model", CleanText),
    sa.Column("note", CleanText, nullable=False),
    sa.Column("job_id", _Id),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.UniqueConstraint("workflow_id", "job_id"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("task", JsonText, nullable=False),
    sa.Column("model", CleanText, nullable=False),
    sa.Column("policy", JsonText, nullable=False),
    sa.Column("workflow_id", _Id, sa.ForeignKey("workflows.id"), index=True),
    sa.Column("version", sa.Integer),
    sa.Column("job_id", _Id, index=True),
    sa.Column("parent_run_id", _Id),
    sa.Column("fork_visit", sa.Integer),
    sa.Column("stop", sa.String(20)),
    sa.Column("error", CleanText, nullable=False),
    sa.Column("answer", CleanText, nullable=False),
    sa.Column("totals", JsonText, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False, index=True),
    sa.Column("finished_at", sa.Double),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("run_id", _Id, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("visit", sa.Integer, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("data", JsonText, nullable=False),
)

connections = sa.Table(
    "connections",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("body", JsonText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("payload", JsonText, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("title", CleanText, nullable=False),
    sa.Column("subject_id", CleanText, index=True),
    sa.Column("done", sa.Double, nullable=False),
    sa.Column("total", sa.Double),
    sa.Column("unit", CleanText, nullable=False),
    sa.Column("message", CleanText, nullable=False),
    sa.Column("live", JsonText, nullable=False),
    sa.Column("result", JsonText),
    sa.Column("error", CleanText, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("owner", CleanText),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("serial", sa.Integer, nullable=False),
    sa.Column("lease_until", sa.Double),
    sa.Column("created_at", sa.Double, nullable=False, index=True),
    sa.Column("started_at", sa.Double),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double),
    sa.Index(None, "state", "created_at"),
)

suites = sa.Table(
    "suites",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("body", JsonText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False, index=True),
    sa.Column("deleted_at", sa.Double),
)

studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("spec", JsonText, nullable=False),
    sa.Column("splits", JsonText, nullable=False),
    sa.Column("workflow_id", _Id, sa.ForeignKey("workflows.id"), index=True),
    sa.Column("parent_id", _Id),
    sa.Column("job_id", _Id, index=True),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("stop", sa.String(20)),
    sa.Column("best", sa.Integer),
    sa.Column("test_uses", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("unused", JsonText, nullable=False, server_default="{}"),
    sa.Column("recorded", CleanText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False, index=True),
    sa.Column("finished_at", sa.Double),
    sa.Column("deleted_at", sa.Double),
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("study_id", _Id, sa.ForeignKey("studies.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("parent", sa.Integer),
    sa.Column("operator", CleanText, nullable=False),
    sa.Column("note", CleanText, nullable=False),
    sa.Column("error", CleanText, nullable=False),
    sa.Column("totals", JsonText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
    sa.Column("study_id", _Id, sa.ForeignKey("studies.id"), nullable=False),
    sa.Column("candidate", sa.Integer, nullable=False),
    sa.Column("task", CleanText, nullable=False),
    sa.Column("split", sa.String(8), nullable=False),
    sa.Column("repeat", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    sa.Column("parts", JsonText, nullable=False),
    sa.Column("stop", sa.String(20), nullable=False),
    sa.Column("answer", CleanText, nullable=False),
    sa.Column("expected", CleanText, nullable=False),
    sa.Column("error", CleanText, nullable=False),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("totals", JsonText, nullable=False),
    sa.Column("judge", JsonText, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("trace", sa.LargeBinary, nullable=False),  # the run's events: JSON, deflated
    sa.UniqueConstraint("study_id", "candidate", "task", "repeat"),
)

training_steps = sa.Table(
    "training_steps",
    metadata,
    sa.Column("study_id", _Id, sa.ForeignKey("studies.id"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("figures", JsonText, nullable=False),
    sa.Column("samples", JsonText, nullable=False),
    sa.Column("ending", CleanText, nullable=False),
)

ratings = sa.Table(
    "ratings",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=True),
    sa.Column("study_id", _Id, sa.ForeignKey("studies.id"), nullable=False, index=True),
    sa.Column("candidate", sa.Integer, nullable=False),
    sa.Column("task", CleanText, nullable=False),
    sa.Column("repeat", sa.Integer, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("rater", CleanText, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)

benchmarks = sa.Table(
    "benchmarks",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("spec", JsonText, nullable=False),
    sa.Column("studies", JsonText, nullable=False),
    sa.Column("recorded", CleanText, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False, index=True),
    sa.Column("deleted_at", sa.Double),
)
