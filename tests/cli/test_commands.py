"""models, jobs, tools, examples, serve: the commands around workflows and runs."""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.cli.serve import APP, serve_command
from autoflow.settings import settings
from autoflow.store import open_store
from tests.cli.conftest import Cli

Script = Callable[..., str]


def test_jobs_are_listed_shown_paused_and_cancelled(cli: Cli) -> None:
    job = open_store().submit("run", {"run_id": "rn_000000000000"}, title="Run a thing")
    assert job.id in cli("jobs", "list").out
    assert [j["id"] for j in cli("jobs", "list", "--active", "--json").json] == [job.id]
    assert "Run a thing" in cli("jobs", "show", job.id).out
    assert cli("jobs", "pause", job.id, "--json").json["state"] == "paused"
    assert cli("jobs", "cancel", job.id, "--json").json["state"] == "cancelled"
    assert cli("jobs", "list", "--active", "--json").json == []
    watched = cli("jobs", "watch", job.id, "--json")
    assert (watched.code, watched.json["state"]) == (1, "cancelled")


@pytest.mark.parametrize("verb", ["pause", "cancel", "resume"])
def test_a_job_that_has_ended_cannot_be_asked_for_anything(cli: Cli, good: Path, script: Script, verb: str) -> None:
    cli("run", good, "--task", "x", "--model", script({"match": "Is it", "reply": "yes"}, {"match": "", "reply": "b"}))
    job = open_store().list_jobs()[0]
    asked = cli("jobs", verb, job.id, "--json")
    assert (asked.code, asked.json["state"]) == (1, "done")
    assert "Nothing was changed" in asked.err


def test_cancelling_twice_is_fine(cli: Cli) -> None:
    job = open_store().submit("run", {"run_id": "rn_000000000000"}, title="x")
    assert [cli("jobs", "cancel", job.id).code for _ in "ab"] == [0, 0]


def test_a_resumed_job_gets_a_worker(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[bool] = []
    monkeypatch.setattr("autoflow.jobs.supervisor.ensure_worker", lambda: started.append(True))
    job = open_store().submit("run", {"run_id": "rn_000000000000"}, title="x")
    cli("jobs", "pause", job.id)
    assert cli("jobs", "resume", job.id, "--json").json["state"] == "queued"
    assert started == [True]


@pytest.mark.parametrize("verb", ["show", "pause", "cancel", "resume", "watch"])
@pytest.mark.parametrize("name", ["jb_000000000000", "nonsense", "'; --"])
def test_an_unknown_job_is_named(cli: Cli, verb: str, name: str) -> None:
    found = cli("jobs", verb, name)
    assert (found.code, found.out) == (2, "")
    assert name in found.err


def test_a_finished_run_is_watched_whole(cli: Cli, good: Path, script: Script) -> None:
    model = script({"match": "Read", "reply": "a"}, {"match": "Is it", "reply": "yes"}, {"match": "", "reply": "b"})
    run = open_store().get_run(cli("run", good, "--task", "x", "--model", model, "--json").json["run_id"])
    watched = cli("jobs", "watch", run.job_id or "")
    assert watched.code == 0
    assert sum(line[:1] in "●◆■" for line in watched.err.splitlines() if line) == 3


def test_logs_are_shown_whole_or_for_one_job(cli: Cli) -> None:
    settings().logs.mkdir(parents=True)
    (settings().logs / "worker.log").write_text("begins jb_1\nother\nends jb_1\n")
    assert cli("jobs", "logs").out == "begins jb_1\nother\nends jb_1\n"
    assert cli("jobs", "logs", "jb_1", "--lines", "1").out == "ends jb_1\n"
    assert cli("jobs", "logs", "jb_1", "--json").json["lines"] == ["begins jb_1", "ends jb_1"]


def test_models_are_listed_with_what_they_are_and_whether_they_are_here(cli: Cli) -> None:
    models = {m["name"]: m for m in cli("models", "list", "--json").json["models"]}
    default = models["qwen2.5-coder-1.5b"]
    assert (default["model"], default["here"], default["path"]) == ("embedded:qwen2.5-coder-1.5b", False, None)
    assert default["size"] == 1_117_320_768
    assert "embedded:smollm2-135m" in cli("models", "list").out


def test_a_model_that_cannot_be_had_offers_another_way(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFLOW_OFFLINE", "1")
    settings.cache_clear()
    found = cli("models", "get", "smollm2-135m")
    assert found.code == 1
    assert "GGUF" in found.err
    assert "OPENAI_BASE_URL" in found.err


def test_an_unknown_model_is_usage(cli: Cli) -> None:
    found = cli("models", "get", "smollm")
    assert found.code == 2
    assert "smollm2-135m" in found.err


def test_a_file_that_is_no_model_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF but no more")
    found = cli("models", "add", "mine", tmp_path / "x.gguf")
    assert found.code == 2
    assert "x.gguf" in found.err


def test_connections_are_added_used_by_name_and_forgotten(cli: Cli) -> None:
    saved = cli("models", "connect", "local", "--url", "http://localhost:11434/v1/", "--model", "llama3", "--json")
    assert (saved.code, saved.json["base_url"]) == (0, "http://localhost:11434/v1")
    assert "openai:local" in cli("models", "list").out
    assert cli("models", "disconnect", "openai:local").code == 0
    assert cli("models", "disconnect", "local").code == 2


@pytest.mark.parametrize(
    "options",
    [["--url", "ftp://x"], ["--url", "http://169.254.169.254/"], ["--key-env", "PATH"], ["--url", "not a url"]],
)
def test_a_connection_that_cannot_be_is_refused(cli: Cli, options: list[str]) -> None:
    found = cli("models", "connect", "x", *options)
    assert (found.code, found.out) == (2, "")
    assert open_store().list_connections() == []


def test_a_model_is_tried_with_real_calls(cli: Cli, script: Script) -> None:
    good = cli("models", "test", script({"match": "", "reply": "ready"}), "--json")
    assert good.code == 0
    assert good.json["ok"] is True
    bad = cli("models", "test", script({"match": "", "error": "out of order"}))
    assert bad.code == 1
    assert "out of order" in bad.err


def test_tools_are_listed(cli: Cli) -> None:
    tools = {t["name"]: t for t in cli("tools", "list", "--json").json["tools"]}
    assert tools["calculator"]["source"] == "builtin"
    assert "expression" in json.dumps(tools["calculator"]["parameters"])
    assert "calculator" in cli("tools", "list").out


def test_expert_tools_are_listed_and_what_is_not_here_says_what_to_get(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoflow.tools.openagi import availability

    monkeypatch.setattr(availability, "hub_answers", lambda: False)
    listed = cli("tools", "list", "--json").json["tools"]
    tools = {t["name"]: t for t in listed if t["source"] == "openagi"}
    assert len(tools) == 15
    assert tools["openagi__image_denoising"]["unavailable"] == ""
    assert "vit-gpt2-image-captioning" in tools["openagi__image_captioning"]["unavailable"]
    assert "vit-gpt2-image-captioning (Apache-2.0) is fetched at the first use" in cli("tools", "list").err


def test_mcp_servers_are_added_listed_and_removed(cli: Cli) -> None:
    assert cli("tools", "mcp", "add", "files", "--env", "KEY=${MY_KEY}", "--", "npx", "-y", "srv", "--all").code == 0
    assert cli("tools", "mcp", "add", "web", "--url", "https://example.org/mcp", "--header", "A=b=c").code == 0
    listed = cli("tools", "mcp", "list", "--json").json["mcpServers"]
    assert listed == {
        "files": {"command": "npx", "args": ["-y", "srv", "--all"], "env": {"KEY": "${MY_KEY}"}},
        "web": {"url": "https://example.org/mcp", "headers": {"A": "b=c"}},
    }
    assert cli("tools", "mcp", "add", "web", "--url", "https://example.org/2").code == 2
    assert cli("tools", "mcp", "add", "web", "--url", "https://example.org/2", "--replace").code == 0
    assert cli("tools", "mcp", "remove", "web").code == 0
    assert cli("tools", "mcp", "remove", "web").code == 2


def test_tools_of_a_server_that_is_not_there_are_told_before_the_run(cli: Cli, good: Path, script: Script) -> None:
    cli("tools", "mcp", "add", "files", "--", "no-such-program")
    model = script({"match": "Is it", "reply": "yes"}, {"match": "", "reply": "b"})
    command = ["run", good, "--task", "x", "--model", model, "--tool"]
    for unknown in ("mcp:file", "file.read"):
        found = cli(*command, unknown)
        assert (found.code, found.out) == (2, "")
        assert unknown in found.err
    assert open_store().list_runs() == []
    assert cli(*command, "mcp:files").code == 0


@pytest.mark.parametrize(
    "options", [[], ["--url", "ftp://x"], ["--url", "https://x", "--", "echo"], ["--env", "x", "--", "e"]]
)
def test_an_mcp_server_that_cannot_be_is_refused(cli: Cli, options: list[str]) -> None:
    found = cli("tools", "mcp", "add", "x", *options)
    assert (found.code, found.out) == (2, "")
    assert cli("tools", "mcp", "list", "--json").json["mcpServers"] == {}


def test_an_example_is_copied_and_its_command_runs(cli: Cli, script: Script, tmp_path: Path) -> None:
    assert [e["name"] for e in cli("examples", "list", "--json").json] == [
        "refund-mail",
        "german-caption",
        "split-invoice",
    ]
    copied = cli("examples", "copy", "split-invoice", tmp_path / "new")
    assert copied.code == 0
    program, *arguments = shlex.split(copied.out)
    assert program == "autoflow"
    model = script({"match": "Use the calculator to add up what", "reply": "yes"}, {"match": "", "reply": "fine"})
    run = cli(*arguments, "--model", model, "--json")
    assert (run.code, run.json["stop"]) == (0, "terminal")
    again = cli("examples", "copy", "split-invoice", tmp_path / "new")
    assert again.code == 2


def test_the_app_is_served_by_streamlit_from_the_checkout() -> None:
    command = serve_command("localhost", 8600)
    assert command[1:5] == ["-m", "streamlit", "run", str(APP)]
    assert {"--server.address=localhost", "--server.port=8600"} <= set(command)
    assert APP.is_file()


def test_a_taken_port_is_told_before_anything_starts(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = cli("serve", "--host", "127.0.0.1", "--port", str(port))
    assert found.code == 2
    assert str(port) in found.err
    assert cli("serve", "--port", "70000").code == 2
    found = cli("serve", "--host", "no such host")
    assert found.code == 2
    assert "--host" in found.err


def test_the_app_gets_its_folders_whole(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, str]] = []
    monkeypatch.setattr("os.execve", lambda path, command, environment: started.append(environment))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOFLOW_HOME", "data")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    cli("serve", "--host", "127.0.0.1", "--port", str(port))
    assert started[0]["AUTOFLOW_HOME"] == str(tmp_path / "data")


@pytest.mark.parametrize("source", ["hub:", "hub:me", "hub:me/repo", "hub:me//x.gguf"])
def test_a_file_of_the_hub_is_named_whole(cli: Cli, source: str) -> None:
    found = cli("models", "add", "x", source)
    assert (found.code, found.out) == (2, "")
    assert "hub:OWNER/REPOSITORY/FILE.gguf" in found.err


def test_a_model_of_the_catalogue_is_tested_by_its_bare_name(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOFLOW_MODELS_DIR", str(tmp_path / "none"))
    settings.cache_clear()
    found = cli("models", "test", "smollm2-135m")
    assert (found.code, found.out) == (1, "embedded:smollm2-135m: no answer\n")
    assert "autoflow models get smollm2-135m" in found.err
