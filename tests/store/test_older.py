"""A database of the first version, with a row in each table: the present one opens it, and all of it works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from autoflow.errors import NewerDatabase
from autoflow.records import RunPolicy, Task
from autoflow.store import SqlStore, migrate, open_store
from autoflow.store.engine import Database
from autoflow.study import StudySpec, SuiteSpec

KINDS = ["empty_sqlite_url", pytest.param("empty_postgres_url", marks=pytest.mark.postgres)]
WF, TK, RN, JB = "wf_000000000001", "tk_000000000001", "rn_000000000001", "jb_000000000001"
TEXT = "Answer:::terminal:::Say \U0001f600:::\n"
TASK = {"id": TK, "objective": "Decide \U0001f600", "inputs": [{"name": "mail", "text": "Dear ..."}], "created_at": 5.0}
POLICY = {"memory": "none", "max_steps": 7}
TOTALS = {"calls": 1, "cost_usd": None, "seconds": 0.5}
EVENT = {"step": "Answer", "seconds": 0.5}

# As the first version wrote them, for ever: no record and no table of today's is asked how they look.
ROWS: dict[str, dict[str, Any]] = {
    "tasks": {"id": TK, "body": json.dumps(TASK), "created_at": 5.0},
    "files": {"sha256": "0" * 64, "data": b"\x00\xff", "created_at": 5.0},
    "workflows": {
        "id": WF, "name": "Refund mail", "text": TEXT, "revision": 2, "version": 1, "task": json.dumps(TASK),
        "origin": "manual", "created_at": 5.0, "updated_at": 6.0,
    },
    "edits": {
        "id": 1, "workflow_id": WF, "state": "done", "position": 0, "removed": "", "added": TEXT, "author": "person",
        "at": 6.0,
    },
    "versions": {
        "workflow_id": WF, "number": 1, "text": TEXT, "origin": "manual", "model": None, "note": "n", "created_at": 5.0,
    },
    "runs": {
        "id": RN, "text": TEXT, "task": json.dumps(TASK), "model": "scripted:x", "policy": json.dumps(POLICY),
        "workflow_id": WF, "version": 1, "job_id": JB, "stop": "terminal", "error": "", "answer": "yes",
        "totals": json.dumps(TOTALS), "last_seq": 1, "created_at": 5.0, "finished_at": 6.0,
    },
    "events": {"run_id": RN, "seq": 1, "kind": "step_finished", "visit": 1, "at": 5.5, "data": json.dumps(EVENT)},
    "connections": {"name": "gpt", "body": json.dumps({"name": "gpt", "model": "m"}), "created_at": 5.0},
    "jobs": {
        "id": JB, "kind": "run", "payload": json.dumps({"run_id": RN}), "state": "queued", "title": "Run",
        "subject_id": RN, "done": 0.0, "unit": "", "message": "", "live": "{}", "error": "", "claims": 0, "token": 3,
        "serial": 2, "created_at": 5.0, "updated_at": 5.0,
    },
}  # fmt: skip


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    """Of a database as the first version left it."""
    found = str(request.getfixturevalue(request.param))
    database = Database(found)
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, row in ROWS.items():
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
        assert not sa.inspect(connection).has_table("studies")
    database.close()
    return found


def opened(url: str) -> SqlStore:
    store = open_store(url)
    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == migrate.HEAD
    return store


def test_all_that_was_there_is_there_still(url: str) -> None:
    store = opened(url)
    task = Task.model_validate(TASK)
    workflow = store.get_workflow(WF)
    assert (workflow.name, workflow.text, workflow.revision, workflow.task) == ("Refund mail", TEXT, 2, task)
    assert [version.text for version in store.list_versions(WF)] == [TEXT]
    assert store.undo(WF, revision=2).text == ""
    run = store.get_run(RN)
    assert (run.task, run.answer, run.stop, run.job_id) == (task, "yes", "terminal", JB)
    assert run.policy == RunPolicy(memory="none", max_steps=7)
    assert (run.totals.calls, run.totals.cost_usd) == (1, None)
    assert [(number, event.data) for number, event in store.run_events(RN)] == [(1, EVENT)]
    assert store.read_file("0" * 64) == b"\x00\xff"
    assert store.get_task(TK) == task
    assert store.get_connection("gpt").model == "m"
    store.close()


def test_what_was_queued_is_carried_out_behind_the_old_fence(url: str) -> None:
    store = opened(url)
    lease = store.claim("w", lease_s=60)
    assert lease is not None
    assert (lease.job.id, lease.token, lease.serial) == (JB, 4, 2)
    assert store.finish(lease, "done").state == "done"
    store.close()


def test_studies_work_in_it(url: str) -> None:
    store = opened(url)
    spec = StudySpec(method="evaluate", suite=SuiteSpec(name="table"), interpreter="scripted:x")
    study = store.create_study("s", spec, {"val": ["a"]}, workflow_id=WF)
    assert store.list_studies(workflow_id=WF) == [study]
    assert store.get_suite(store.save_suite("t", {}).id).name == "t"
    store.close()


def test_processes_that_open_it_at_once_migrate_it_once(url: str) -> None:
    code = "import sys; from autoflow.store import open_store; print(open_store(sys.argv[1]).save_suite('t', {}).id)"
    made = [subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE) for _ in range(3)]
    told = {process.communicate(timeout=60)[0].decode().strip() for process in made}
    store = opened(url)
    assert {suite.id for suite in store.list_suites()} == told
    assert store.get_run(RN).answer == "yes"
    store.close()


def test_the_present_version_opens_for_the_older_one_no_more(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first version knows one revision: it must refuse the database in words, and leave it alone."""
    store = opened(url)
    study = store.create_study(
        "s", StudySpec(method="evaluate", suite=SuiteSpec(name="t"), interpreter="i"), {"val": ["a"]}
    )
    present = migrate.HEAD
    monkeypatch.setattr(migrate, "HEAD", "0001")
    monkeypatch.setattr(
        "alembic.script.ScriptDirectory.walk_revisions", lambda _: [type("S", (), {"revision": "0001"})]
    )
    with pytest.raises(NewerDatabase) as caught:
        open_store(url)
    assert store.name in caught.value.message
    assert f"newer version of AutoFlow (schema {present}; this one knows 0001)" in caught.value.message
    assert "Update AutoFlow" in caught.value.hint
    assert store.get_study(study.id) == study
    store.close()
