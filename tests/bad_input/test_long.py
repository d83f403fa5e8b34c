"""Workflows of 200 and of 10,000 steps, and tasks of 100,000 characters or of none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.jobs.payloads import GeneratePayload
from autoflow.records import RunPolicy, TaskInput
from autoflow.store import SqlStore
from pages.ui.write.board import PAGE
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, carried_out, run_job
from tests.cli.conftest import Cli

Script = Callable[..., str]
LONG = "Decide whether this is justified. " * 3_000  # 102,000 characters
FINE = {"match": "", "reply": "fine"}


def chain(count: int) -> str:
    """A workflow of so many steps, each followed by the next."""
    lines = [f"Step {n}:::process:::Do part {n}:::next::Step {n + 1}\n" for n in range(1, count)]
    return "".join(lines) + f"Step {count}:::terminal:::Sum up:::\n"


@pytest.mark.parametrize("count", [200, 10_000])
class TestManySteps:
    def test_write_shows_a_page_of_cards_and_any_step_can_be_changed(
        self, visit: Callable[..., AppTest], store: SqlStore, count: int
    ) -> None:
        record = store.create_workflow("Long", chain(count))
        app = visit("write", workflow=record.id, step=str(count - 1))
        assert not app.exception
        assert f"of {count:,}" in words(app)
        field = next(a for a in app.text_area if a.label == "Instruction")
        assert field.value == f"Do part {count - 1}"
        field.set_value("Do it well").run()
        assert not app.exception
        assert f"Step {count - 1}:::process:::Do it well:::" in store.get_workflow(record.id).text
        assert len(app.text_input) + len(app.text_area) + len(app.button) < PAGE

    def test_write_shows_the_text_and_the_problems(
        self, visit: Callable[..., AppTest], store: SqlStore, count: int
    ) -> None:
        text = chain(count).replace(":::next::", ":::next::No ")
        record = store.create_workflow("Faulty", text)
        for view in ("Text", "Problems", "Graph"):
            app = visit("write", workflow=record.id, view=view)
            assert not app.exception, view
            assert len(words(app)) < 50_000

    def test_run_page_and_worker_carry_it_to_its_end(
        self, visit: Callable[..., AppTest], store: SqlStore, script: Script, count: int
    ) -> None:
        record = store.create_workflow("Long", chain(count), task=store.add_task("Count"))
        app = visit("run", workflow=record.id)
        assert not app.exception
        assert not app.button(key="start").disabled
        most = 60 if count > 200 else 200
        run = store.create_run(
            text=record.text, task=store.add_task("Count"), model=script(FINE), policy=RunPolicy(max_steps=most),
            workflow_id=record.id, version=1,
        )  # fmt: skip
        ended = run_job(store, run)
        assert (ended.stop, ended.totals.calls) == ("terminal" if most == count else "max-steps", most)
        app = visit("run", run=run.id)
        assert not app.exception
        assert "Something in AutoFlow failed" not in words(app)

    def test_home_and_the_command_line_take_it(
        self, visit: Callable[..., AppTest], store: SqlStore, cli: Cli, tmp_path: Path, count: int
    ) -> None:
        (tmp_path / "long.core").write_text(chain(count))
        assert cli("check", "--json", tmp_path / "long.core").json["steps"] == count
        store.create_workflow("Long", chain(count))
        app = visit("home")
        assert not app.exception
        assert f"v1 · {count} steps" in words(app).replace(",", "")


class TestTasks:
    def test_generate_shows_a_model_what_fits(self, store: SqlStore, tmp_path: Path, script: Script) -> None:
        task = store.add_task(LONG, [TaskInput(name="n" * 200, text=LONG)] * 1)
        record = store.create_workflow("Long", task=task)
        asked = GeneratePayload(model=script({"match": "left out here", "reply": GOOD}), workflow_id=record.id)
        done = carried_out(store, store.submit("generate", asked.model_dump(), title="g", subject_id=record.id))
        assert (done.state, store.get_workflow(record.id).text.strip()) == ("done", GOOD.strip())

    def test_run_keeps_the_whole_task_on_the_record(self, store: SqlStore, script: Script) -> None:
        task = store.add_task(LONG, [TaskInput(name="mail", text=LONG)])
        run = store.create_run(text=GOOD, task=task, model=script(
            {"match": "Does it ask", "reply": "yes"}, FINE), policy=RunPolicy())  # fmt: skip
        ended = run_job(store, run)
        assert (ended.stop, ended.task.objective, ended.task.inputs[0].text) == ("terminal", LONG, LONG)

    def test_the_pages_show_it_short_and_edit_it_whole(self, visit: Callable[..., AppTest], store: SqlStore) -> None:
        record = store.create_workflow("Long", GOOD, task=store.add_task(LONG))
        for page in ("write", "run"):
            app = visit(page, workflow=record.id)
            assert not app.exception
            assert LONG in [a.value for a in app.text_area]
            assert len(words(app)) < 20_000
        app = visit("home")
        app.text_area(key="home-objective").set_value(LONG)
        app.button(key="home-generate").click().run()
        assert not app.exception
        assert store.list_workflows()[0].task.objective.strip() == LONG.strip()  # type: ignore[union-attr]
        assert len(store.list_workflows()[0].name) <= 60

    @pytest.mark.parametrize("objective", ["", " \n\t"])
    def test_an_empty_task_is_asked_for(
        self, visit: Callable[..., AppTest], store: SqlStore, cli: Cli, tmp_path: Path, script: Script, objective: str
    ) -> None:
        record = store.create_workflow("Empty", GOOD, task=store.add_task(objective))
        app = visit("run", workflow=record.id)
        assert app.button(key="start").disabled
        assert "Say what should get done" in words(app)
        app = visit("write", workflow=record.id)
        app.button(key="generate").click().run()
        assert "Say first what should get done" in words(app)
        (tmp_path / "w.core").write_text(GOOD)
        found = cli("run", tmp_path / "w.core", "--task", objective, "--model", script(FINE))
        assert (found.code, "task is empty" in found.err) == (2, True)
        found = cli("generate", objective, "--model", script(FINE))
        assert (found.code, "objective is empty" in found.err) == (2, True)
        asked = GeneratePayload(model=script(FINE), workflow_id=record.id)
        done = carried_out(store, store.submit("generate", asked.model_dump(), title="g", subject_id=record.id))
        assert done.state == "failed"
        assert "no task" in done.error
