"""`autoflow runs`: what was run, going on after a stop, and running again from a step on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

Script = Callable[..., str]
LINE = (
    "".join(f"S{n}:::process:::Say {n}.:::next::S{n + 1}\n" for n in range(1, 4)) + "S4:::terminal:::Say the end.:::\n"
)


@pytest.fixture
def stopped(cli: Cli, script: Script, tmp_path: Path) -> dict[str, Any]:
    """A run that ended at its limit of two steps."""
    file = tmp_path / "line.core"
    file.write_text(LINE)
    model = script({"match": "the end", "reply": "The end."}, {"match": "", "reply": "said"})
    done = cli("run", file, "--task", "Count", "--model", model, "--max-steps", "2", "--json")
    assert done.code == 1
    found: dict[str, Any] = done.json
    return found


def test_runs_are_listed_and_shown(cli: Cli, stopped: dict[str, Any]) -> None:
    run = stopped["run_id"]
    assert [r["id"] for r in cli("runs", "list", "--json").json] == [run]
    assert run in cli("runs", "list").out
    assert cli("runs", "show", run, "--json").json == stopped
    shown = cli("runs", "show", run)
    assert "S2" in shown.err
    assert "limit" in shown.err


def test_after_a_limit_a_run_goes_on_as_one_of_its_own(cli: Cli, stopped: dict[str, Any]) -> None:
    done = cli("runs", "go-on", stopped["run_id"], "--max-steps", "10", "--json")
    assert done.code == 0
    assert (done.json["stop"], done.json["answer"]) == ("terminal", "The end.")
    assert done.json["run_id"] != stopped["run_id"]
    assert [s["step"] for s in done.json["steps"]] == ["S1", "S2", "S3", "S4"]


def test_a_run_whose_model_did_not_answer_goes_on_itself(cli: Cli, tmp_path: Path) -> None:
    file, script = tmp_path / "line.core", tmp_path / "model.jsonl"
    file.write_text(LINE)
    script.write_text('{"match": "Say 2", "error": "connection"}\n{"match": "", "reply": "said"}\n')
    run = cli("run", file, "--task", "Count", "--model", f"scripted:{script}", "--json").json
    assert run["stop"] == "model-error"
    script.write_text('{"match": "", "reply": "said"}\n')
    done = cli("runs", "go-on", run["run_id"], "--json")
    assert (done.code, done.json["run_id"], done.json["stop"]) == (0, run["run_id"], "terminal")
    assert [s["step"] for s in done.json["steps"]] == ["S1", "S2", "S3", "S4"]


def test_a_run_is_carried_out_again_from_a_visit_on(cli: Cli, stopped: dict[str, Any]) -> None:
    done = cli("runs", "fork", stopped["run_id"], "--from", "2", "--max-steps", "4", "--json")
    assert (done.code, done.json["stop"]) == (0, "terminal")
    assert [s["visit"] for s in done.json["steps"]] == [1, 2, 3, 4]


def test_what_cannot_be_taken_up_is_told(cli: Cli, stopped: dict[str, Any]) -> None:
    ended = cli("runs", "go-on", stopped["run_id"], "--max-steps", "10", "--json").json["run_id"]
    done = cli("runs", "go-on", ended)
    assert done.code == 2
    assert "cannot go on: The workflow reached its end." in done.err
    far = cli("runs", "fork", ended, "--from", "9")
    assert far.code == 2
    assert "`1 <= visit <= 5` must hold, but got visit=9." in far.err
    assert "rn_000000000000" in cli("runs", "show", "rn_000000000000").err


def test_a_detached_run_waits_for_a_worker(cli: Cli, stopped: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoflow.jobs.supervisor.ensure_worker", lambda **_: True)
    done = cli("runs", "fork", stopped["run_id"], "--from", "1", "--detach", "--json")
    assert done.code == 0
    assert cli("jobs", "show", done.json["job_id"], "--json").json["state"] == "queued"
