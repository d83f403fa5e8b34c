"""The data folder: removed while the app runs, read-only, full, of a newer version, used twice; its files broken."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from autoflow.errors import SettingsError, StorageUnavailable
from autoflow.jobs.context import JobContext
from autoflow.jobs.runner import carry_out, handlers
from autoflow.records import RunPolicy
from autoflow.settings import save_secret, secret, settings
from autoflow.store import SqlStore, open_store
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, PAGES, carried_out
from tests.cli.conftest import Cli

Script = Callable[..., str]
FINE = ({"match": "Does it ask", "reply": "yes"}, {"match": "", "reply": "fine"})


class TestRemoved:
    def test_every_page_says_so_and_all_is_there_when_it_is_put_back(
        self, open_all: Callable[[], dict[str, str]], store: SqlStore, home: Path, workflow: str
    ) -> None:
        open_all()
        home.rename(home.with_name("away"))
        for shown in open_all().values():
            assert "was moved, removed or replaced while AutoFlow ran" in shown
        with pytest.raises(StorageUnavailable):
            store.save_draft(workflow, "lost?", revision=1)
        home.with_name("away").rename(home)
        assert "v1 · 3 steps" in open_all()["home"]

    def test_nothing_is_written_beside_a_new_file_of_the_same_name(self, store: SqlStore, home: Path) -> None:
        store.create_workflow("Old", GOOD)
        shutil.rmtree(home)
        fresh = open_store()
        with pytest.raises(StorageUnavailable, match="replaced"):
            store.create_workflow("Lost", GOOD)
        assert fresh.list_workflows() == []
        fresh.close()

    def test_a_run_under_way_ends_without_a_crash(self, store: SqlStore, script: Script, home: Path) -> None:
        run = store.create_run(text=GOOD, task=store.add_task("x"), model=script(*FINE), policy=RunPolicy())
        job = store.submit("run", {"run_id": run.id}, title="run", subject_id=run.id)
        lease = store.claim("test", lease_s=60, job_id=job.id)
        assert lease is not None
        home.rename(home.with_name("away"))
        asyncio.run(carry_out(JobContext(store, lease, patience_s=0.1), handlers()["run"]))
        home.with_name("away").rename(home)
        assert store.get_job(job.id).state == "running"  # claimed again when its lease has run out
        store.orphan("test")
        carried_out(store, job)
        assert store.get_run(run.id).stop == "terminal"


def _press(app: AppTest) -> None:
    """Everything on a page that writes at once."""
    for key in ("home-get-model", "home-generate", "undo", "start", "generate"):
        found = [b for b in app.button if b.key == key and not b.disabled]
        if found:
            found[0].click().run()
            assert not app.exception, (key, app.exception)
            assert "Something in AutoFlow failed" not in words(app), key


class TestReadOnly:
    @pytest.fixture
    def read_only(self, store: SqlStore, workflow: str) -> Iterator[None]:
        """As SQLite itself reports a file that cannot be written; root may write everywhere."""
        store.save_draft(workflow, GOOD + "# more\n", revision=1)
        from sqlalchemy import event

        def refuse(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute("PRAGMA query_only = ON")

        event.listen(store.database._engine, "checkout", refuse)
        yield
        event.remove(store.database._engine, "checkout", refuse)

    @pytest.mark.usefixtures("read_only")
    def test_pages_can_be_read_and_what_cannot_be_saved_is_told(
        self, visit: Callable[..., AppTest], open_all: Callable[[], dict[str, str]], workflow: str
    ) -> None:
        open_all()
        app = visit("home")
        app.text_area(key="home-objective").set_value("Answer the mail").run()
        _press(app)
        assert "read-only" in words(app)
        app = visit("home")
        app.button(key="home-get-model").click().run()
        assert not app.exception
        assert "read-only" in words(app)
        for page in ("write", "run"):
            app = visit(page, workflow=workflow)
            _press(app)
            assert "read-only" in words(app), page

    @pytest.mark.usefixtures("read_only")
    def test_what_was_typed_is_kept_on_the_page(self, visit: Callable[..., AppTest], workflow: str) -> None:
        app = visit("write", workflow=workflow)
        next(a for a in app.text_area if a.label == "Instruction").set_value("Typed with love").run()
        assert "read-only" in words(app)
        assert any("Typed with love" in code.value for code in app.code) or "Typed with love" in words(app)


@pytest.mark.parametrize("what", ["newer", "damaged", "folder"])
def test_a_database_that_cannot_be_opened_is_told_on_every_page_and_by_every_command(
    visit: Callable[..., AppTest], cli: Cli, store: SqlStore, home: Path, tmp_path: Path, script: Script, what: str
) -> None:
    store.create_workflow("Mails", GOOD)
    if what == "newer":
        store.close()
        with sqlite3.connect(home / "autoflow.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        store.close()
        shutil.rmtree(home)
        home.mkdir()
        if what == "damaged":
            (home / "autoflow.db").write_bytes(b"not a database, " * 100)
        else:
            (home / "autoflow.db").mkdir()
    before = (home / "autoflow.db").read_bytes() if what == "damaged" else None
    said = {"newer": "newer version", "damaged": "is damaged", "folder": "cannot be opened"}[what]
    st.cache_resource.clear()
    for page in PAGES:
        app = visit(page)
        assert not app.exception
        assert said in words(app)
    (tmp_path / "w.core").write_text(GOOD)
    for command in (["jobs", "list"], ["run", tmp_path / "w.core", "--task", "x", "--model", script(*FINE)]):
        found = cli(*command)
        assert found.code == 1
        assert said in found.err
    assert cli("check", tmp_path / "w.core").code == 0  # needs no database
    assert before is None or (home / "autoflow.db").read_bytes() == before


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from autoflow.cli import main
from autoflow.jobs.context import JobContext
JobContext.__init__.__kwdefaults__["patience_s"] = 1.0
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("room", [0, 4_096, 200_000])
def test_a_full_disk_loses_nothing_and_is_told(home: Path, tmp_path: Path, script: Script, room: int) -> None:
    (tmp_path / "w.core").write_text("A:::process:::Go on:::next::B\nB:::terminal:::End:::\n")
    store = open_store()
    kept = store.create_workflow("Kept", GOOD)
    store.close()
    model = script({"match": "", "reply": "x" * 200_000})
    command = [sys.executable, "-c", FULL, str(room), "run", str(tmp_path / "w.core"), "--task", "x", "--model", model]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "AUTOFLOW_HOME": str(home)}, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "AutoFlow itself" not in done.stderr
    assert any(word in done.stderr for word in ("full", "disk", "cannot be")), done.stderr
    after = open_store()
    assert after.get_workflow(kept.id).text == GOOD
    after.close()


def test_a_key_that_cannot_be_kept_leaves_the_old_ones(home: Path) -> None:
    save_secret("OLD_KEY", "sk-old")
    (home / "secrets.new").mkdir()  # whatever keeps the new file from being written
    with pytest.raises(SettingsError, match="cannot be kept"):
        save_secret("NEW_KEY", "sk-new")
    assert secret("OLD_KEY") == "sk-old"
    assert "sk-new" not in settings().model_dump_json()
