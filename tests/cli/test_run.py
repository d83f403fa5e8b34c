"""`autoflow run`: on a scripted model, in this process, on the record that the app shows too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.store import open_store
from tests.cli.conftest import Cli

Script = Callable[..., str]
READ = {"match": "Read the mail", "reply": "It is a refund mail."}
YES = {"match": "Is it justified", "reply": '{"answer": "It is.", "branch": "yes"}'}
ANSWER = {"match": "Answer the mail", "reply": "You get your money back."}


def test_json_has_the_fixed_shape(cli: Cli, good: Path, script: Script) -> None:
    model = script(READ, YES, ANSWER)
    found = cli("run", good, "--task", "Decide", "--input", "mail=Money back!", "--model", model, "--json")
    assert found.code == 0
    told = found.json
    assert list(told) == ["run_id", "stop", "answer", "steps", "usage"]
    assert (told["stop"], told["answer"]) == ("terminal", "You get your money back.")
    keys = [
        "visit",
        "step",
        "type",
        "answer",
        "branch",
        "tools",
        "calls",
        "prompt_tokens",
        "completion_tokens",
        "seconds",
    ]
    assert [list(step) for step in told["steps"]] == [keys] * 3
    assert [(s["visit"], s["step"], s["type"], s["calls"], s["tools"]) for s in told["steps"]] == [
        (1, "Step 1", "process", 1, []),
        (2, "Step 2", "decision", 1, []),
        (3, "Step 3", "terminal", 1, []),
    ]
    assert [s["branch"] for s in told["steps"]][1:] == ["yes", None]
    assert list(told["usage"]) == ["calls", "cached", "prompt_tokens", "completion_tokens", "cost_usd", "seconds"]
    assert told["usage"]["calls"] == 3


def test_the_run_is_on_the_record_and_its_job_is_done(cli: Cli, good: Path, script: Script) -> None:
    found = cli("run", good, "--task", "Decide", "--model", script(READ, YES, ANSWER), "--json")
    store = open_store()
    run = store.get_run(found.json["run_id"])
    assert run.text == good.read_text()
    assert (run.task.objective, run.stop) == ("Decide", "terminal")
    job = store.get_job(run.job_id or "")
    assert (job.state, job.subject_id) == ("done", run.id)
    kinds = [event.kind for _, event in store.run_events(run.id)]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"


def test_the_answer_is_on_standard_output_and_the_trace_on_standard_error(cli: Cli, good: Path, script: Script) -> None:
    found = cli("run", good, "--task", "Decide", "--model", script(READ, YES, ANSWER))
    assert (found.code, found.out) == (0, "You get your money back.\n")
    trace = found.err.splitlines()
    heads = [line for line in trace if line[:1] in "●◆■"]
    assert [head.split()[1:4] for head in heads] == [["1", "Step", "1"], ["2", "Step", "2"], ["3", "Step", "3"]]
    assert sum("→ yes: Step 3" in line for line in trace) == 1
    assert "The workflow reached its end." in found.err


def test_a_run_that_does_not_reach_a_terminal_fails_and_keeps_its_steps(cli: Cli, good: Path, script: Script) -> None:
    no = {"match": "Is it justified", "reply": '{"answer": "No.", "branch": "no"}'}
    found = cli("run", good, "--task", "x", "--model", script(READ, no, ANSWER), "--max-steps", "5", "--json")
    assert (found.code, found.json["stop"], len(found.json["steps"])) == (1, "max-steps", 5)
    assert found.json["answer"] == ""


def test_a_model_that_fails_is_told_as_the_stop(cli: Cli, good: Path, script: Script) -> None:
    found = cli("run", good, "--task", "x", "--model", script({"match": "", "error": "out of order"}))
    assert found.code == 1
    assert "The model could not answer." in found.err
    assert "out of order" in found.err


def test_a_faulty_workflow_is_not_run(cli: Cli, faulty: Path, script: Script) -> None:
    found = cli("run", faulty, "--task", "x", "--model", script(READ), "--json")
    assert (found.code, found.json["stop"], found.json["usage"]["calls"]) == (1, "invalid-workflow", 0)


def test_inputs_are_text_or_files(cli: Cli, good: Path, script: Script, tmp_path: Path) -> None:
    (tmp_path / "mail.txt").write_text("Geld zurück", "utf-8")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "data.bin").write_bytes(b"\x00\x01")
    (tmp_path / "long.txt").write_text("x" * 200_000)
    given = ["plain=a=b", "at=@@home", f"mail=@{tmp_path}/mail.txt", f"photo=@{tmp_path}/photo.png"]
    given += [f"data=@{tmp_path}/data.bin", f"long=@{tmp_path}/long.txt"]
    options = [part for value in given for part in ("--input", value)]
    found = cli("run", good, "--task", "x", *options, "--model", script(READ, YES, ANSWER), "--json")
    store = open_store()
    inputs = {i.name: i for i in store.get_run(found.json["run_id"]).task.inputs}
    assert [(i.name, i.kind) for i in inputs.values()] == [
        ("plain", "text"), ("at", "text"), ("mail", "text"), ("photo", "image"), ("data", "file"), ("long", "file"),
    ]  # fmt: skip
    assert (inputs["plain"].text, inputs["at"].text, inputs["mail"].text) == ("a=b", "@home", "Geld zurück")
    assert store.read_file(inputs["data"].sha256 or "") == b"\x00\x01"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--task", " "], "task is empty"),
        (["--task", "x", "--input", "mail"], "NAME=TEXT"),
        (["--task", "x", "--input", "=x"], "NAME=TEXT"),
        (["--task", "x", "--input", "a=1", "--input", "A=2"], "given twice"),
        (["--task", "x", "--input", "a=@/nowhere"], "/nowhere"),
        (["--task", "x", "--input", "a=@."], "folder"),
        (["--task", "x", "--input", "n" * 300 + "=x"], "cannot be used"),
        (["--task", "x", "--tool", "telephone"], "telephone"),
        (["--task", "x", "--model", "scripted:nowhere.jsonl"], "nowhere.jsonl"),
        (["--task", "x", "--model", "telepathy:x"], "telepathy"),
        (["--task", "x", "--max-time", "0"], "--max-time"),
        (["--task", "x", "--memory", "elephant"], "--memory"),
    ],
)
def test_wrong_arguments_leave_no_record(cli: Cli, good: Path, script: Script, extra: list[str], said: str) -> None:
    model = [] if "--model" in extra else ["--model", script(READ)]
    found = cli("run", good, *model, *extra)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert open_store().list_runs() == []
    assert open_store().list_jobs() == []


def test_a_task_is_needed(cli: Cli, good: Path) -> None:
    assert cli("run", good).code == 2


def test_every_limit_is_passed_on(cli: Cli, good: Path, script: Script) -> None:
    options = {
        "memory": "none", "memory-tokens": 7, "max-steps": 9, "max-calls": 8, "max-tokens": 9999, "max-cost": 1.5,
        "max-time": 60, "max-tool-errors": 1, "tool-timeout": 3, "answer-tokens": 44, "default-branch": "no",
        "temperature": 0.5, "seed": 3,
    }  # fmt: skip
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    found = cli("run", good, "--task", "x", "--model", script(READ, YES, ANSWER), "--json", *given)
    policy = open_store().get_run(found.json["run_id"]).policy.model_dump()
    renamed = {name.replace("-", "_"): value for name, value in options.items()}
    renamed["max_cost_usd"], renamed["max_time_s"] = renamed.pop("max_cost"), renamed.pop("max_time")
    renamed["tool_timeout_s"] = renamed.pop("tool_timeout")
    assert policy == renamed


def test_detached_is_queued_for_a_worker_that_can_find_the_files(
    cli: Cli, good: Path, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[bool] = []
    monkeypatch.setattr("autoflow.jobs.supervisor.ensure_worker", lambda: started.append(True))
    script(READ)
    monkeypatch.chdir(tmp_path)
    found = cli("run", "good.core", "--task", "x", "--model", "scripted:script.jsonl", "--detach", "--json")
    assert found.code == 0
    assert started == [True]
    job = open_store().get_job(found.json["job_id"])
    assert (job.state, job.subject_id) == ("queued", found.json["run_id"])
    assert open_store().get_run(found.json["run_id"]).model == f"scripted:{tmp_path}/script.jsonl"


def test_ctrl_c_cancels_and_keeps_what_was_done(good: Path, script: Script, home: Path) -> None:
    model = script(READ, {**YES, "latency_s": 60})
    command = [sys.executable, "-m", "autoflow.cli", "run", str(good), "--task", "x", "--model", model, "--json"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AUTOFLOW_HOME": str(home)},
    )
    assert process.stderr is not None
    while "2 Step 2" not in (line := process.stderr.readline()):
        assert line, "ended before the second step"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 1
    assert "Traceback" not in err
    told = json.loads(out)
    assert told["stop"] == "cancelled"
    assert [step["step"] for step in told["steps"]] == ["Step 1"]
    assert open_store().list_jobs()[0].state == "cancelled"


def test_a_run_that_nobody_watches_any_more_is_cancelled(good: Path, script: Script, home: Path) -> None:
    model = script(READ, {**YES, "latency_s": 60})
    command = [sys.executable, "-m", "autoflow.cli", "run", str(good), "--task", "x", "--model", model]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "AUTOFLOW_HOME": str(home)}
    )
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    process.send_signal(signal.SIGINT)  # its words find no reader
    assert process.wait(timeout=30) in (1, 141)
    assert open_store().list_jobs()[0].state == "cancelled"
    assert open_store().list_runs()[0].stop == "cancelled"
