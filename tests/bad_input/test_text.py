"""Text of every kind, wherever people and models can put it: names, tasks, inputs, steps, answers, tools, ids.

What no database can hold (NUL, halves of surrogate pairs) becomes U+FFFD; everything else stays as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.errors import NotFound
from autoflow.jobs.payloads import GeneratePayload
from autoflow.records import RunPolicy, TaskInput
from autoflow.store import SqlStore
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, carried_out, hostile, run_job
from tests.cli.conftest import Cli

Script = Callable[..., str]
_NONE = str.maketrans(dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd"))


def kept(text: str) -> str:
    """The text as it can be kept."""
    return text.translate(_NONE)


@hostile
class TestPages:
    def test_names_texts_tasks_and_answers_are_shown_as_text(
        self, visit: Callable[..., AppTest], store: SqlStore, script: Script, text: str
    ) -> None:
        task = store.add_task(text, [TaskInput(name=kept(text)[:200], text=kept(text))])
        body = f"{text}:::process:::{text}:::next::End\nEnd:::terminal:::{text}:::\n"
        record = store.create_workflow(text, body, task=task)
        run = store.create_run(text=body, task=task, model=script({"match": "", "reply": text}), policy=RunPolicy(),
                               workflow_id=record.id, version=1)  # fmt: skip
        ended = run_job(store, run)
        assert ended.stop in ("terminal", "invalid-workflow")
        for app in (visit("home"), visit("write", workflow=record.id), visit("run", run=run.id), visit("models")):
            assert not app.exception
            assert "Something in AutoFlow failed" not in words(app)
            assert not any("evil.example" in m.value and "\\" not in m.value for m in (*app.markdown, *app.caption))

    def test_what_is_typed_into_fields_is_kept(self, visit: Callable[..., AppTest], store: SqlStore, text: str) -> None:
        typed = text.encode("utf-8", "replace").decode()  # a browser sends no half of a pair
        app = visit("home")
        app.text_area(key="home-objective").set_value(typed)
        app.button(key="home-generate").click().run()
        assert not app.exception
        (record,) = store.list_workflows()
        assert record.task is not None
        assert record.task.objective == kept(typed).strip()
        for label in ("Name of the workflow", "Instruction", "Name"):
            store.save_draft(record.id, GOOD, revision=store.get_workflow(record.id).revision)
            app = visit("write", workflow=record.id)
            field = next(f for f in (*app.text_input, *app.text_area) if f.label == label)
            field.set_value(typed).run()
            assert not app.exception, label
            assert "Something in AutoFlow failed" not in words(app), label

    def test_a_name_of_a_file_is_only_a_name(self, visit: Callable[..., AppTest], store: SqlStore, text: str) -> None:
        record = store.create_workflow("Mails", GOOD)
        typed = text.encode("utf-8", "replace").decode()
        app = visit("write", workflow=record.id)
        app.file_uploader[0].upload(f"{typed[:150]}.txt", b"Money back").run()
        assert not app.exception
        task = store.get_workflow(record.id).task
        assert task is not None
        assert [store.read_file(i.sha256 or "") for i in task.inputs] == [b"Money back"]


@hostile
class TestWorker:
    def test_a_run_keeps_what_the_model_said(self, store: SqlStore, script: Script, text: str) -> None:
        model = script({"match": "Does it ask", "reply": f"yes, {text}"}, {"match": "", "reply": text})
        run = store.create_run(text=GOOD, task=store.add_task(text), model=model, policy=RunPolicy())
        ended = run_job(store, run)
        assert ended.stop == "terminal"
        assert ended.answer == kept(text).strip()
        assert store.run_events(run.id)[-1][1].data["answer"] == ended.answer

    def test_a_draft_of_the_model_is_kept(self, store: SqlStore, script: Script, text: str) -> None:
        reply = f"{text}\n{GOOD}Extra:::terminal:::{text}:::\n"
        record = store.create_workflow("Any", task=store.add_task("Answer the mail"))
        asked = GeneratePayload(model=script({"match": "", "reply": reply}), workflow_id=record.id)
        done = carried_out(store, store.submit("generate", asked.model_dump(), title=text, subject_id=record.id))
        assert done.state == "done", done.error
        assert done.result is not None
        assert done.result["drafts"][0]["replies"][0] == kept(reply)
        assert "Refund?" in store.get_workflow(record.id).text

    def test_a_tool_call_may_hold_it(self, store: SqlStore, script: Script, text: str) -> None:
        call = {"name": text[:200], "arguments": text}
        model = script({"match": "", "tool_calls": [call, {"name": "lookup", "arguments": {"query": text}}]})
        task = store.add_task("x", [TaskInput(name="mail", text="Money back")], ["lookup"])
        run = store.create_run(text=GOOD, task=task, model=model, policy=RunPolicy())
        assert run_job(store, run).stop in ("tool-error", "model-error")

    def test_an_id_may_be_anything(self, store: SqlStore, text: str) -> None:
        for find in (store.get_run, store.get_workflow, store.get_task, store.get_job, store.read_file,
                     store.get_connection):  # fmt: skip
            with pytest.raises(NotFound) as caught:
                find(text)
            assert len(str(caught.value)) < 300


@hostile
class TestCommandLine:
    def test_run_takes_it_as_task_input_and_answer(
        self, cli: Cli, store: SqlStore, tmp_path: Path, script: Script, text: str
    ) -> None:
        (tmp_path / "w.core").write_text(GOOD)
        model = script({"match": "Does it ask", "reply": "yes"}, {"match": "", "reply": text})
        for extra in (["--json"], []):
            found = cli("run", tmp_path / "w.core", "--task", text, "--input", f"mail={text}", "--model", model, *extra)
            assert found.code == 0, found.err
            assert "AutoFlow itself" not in found.err + found.out
        assert store.list_runs()[0].answer == kept(text).strip()

    def test_names_that_mean_nothing_are_told(self, cli: Cli, tmp_path: Path, text: str) -> None:
        word = text[:100]
        for command in (
            ["check", word], ["run", word, "--task", word], ["jobs", "show", word], ["models", "get", word],
            ["models", "test", word], ["generate", "x", "--model", word], ["tools", "mcp", "remove", word],
            ["examples", "copy", word], [word], ["check", f"--{word}"],
        ):  # fmt: skip
            for extra in ([], ["--json"]):
                found = cli(*command, *extra)
                assert found.code in (1, 2), (command, found)
                assert "AutoFlow itself" not in found.err + found.out, (command, found)
                assert "\x1b[2J" not in found.err, command

    def test_a_file_of_it_is_read(self, cli: Cli, tmp_path: Path, text: str) -> None:
        path = tmp_path / "w.core"
        path.write_bytes(f"{text}\n{GOOD}".encode("utf-8", "surrogatepass"))
        for command in ("check", "fix", "format", "extract", "export"):
            found = cli(command, path)
            assert found.code in (0, 1, 2)
            assert "AutoFlow itself" not in found.err


def test_bytes_that_are_no_text_as_arguments(tmp_path: Path, home: Path) -> None:
    """The shell may pass any bytes."""
    (tmp_path / "w.core").write_text(GOOD)
    (tmp_path / "s.jsonl").write_text(json.dumps({"match": "", "reply": "yes"}) + "\n")
    odd = b"\xff\xfe caf\xe9"
    command: list[str | bytes] = [
        os.fsencode(sys.executable), "-m", "autoflow.cli", "run", str(tmp_path / "w.core"), "--task", odd, "--input",
               b"mail=" + odd, "--model", f"scripted:{tmp_path / 's.jsonl'}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, env={**os.environ, "AUTOFLOW_HOME": str(home)}, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"AutoFlow itself" not in done.stderr
