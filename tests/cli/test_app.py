"""How the command line ends, whatever happens; and what starts fast."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autoflow.cli import output
from tests.cli.conftest import GOOD, Cli

AUTOFLOW = [sys.executable, "-m", "autoflow.cli"]


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "long.core"
    path.write_text(
        "".join(f"Step {i}:::process:::{'x' * 80}:::next::Step {i + 1}\n" for i in range(5000)) + "E:::terminal:::y:::"
    )
    process = subprocess.Popen([*AUTOFLOW, "fix", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == output.BROKEN_PIPE
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


@pytest.mark.parametrize("arguments", [["export", "FILE"], ["check", "--json", "FILE"], ["check", "--json", "missing"]])
def test_output_that_cannot_be_written_is_a_sentence(good: Path, arguments: list[str]) -> None:
    command = [*AUTOFLOW, *(str(good) if part == "FILE" else part for part in arguments)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("error: The output cannot be written: No space left on device.\n")
    assert "Traceback" not in done.stderr


def test_output_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    text = "Schritt é 😀:::terminal:::日本.:::\n"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*AUTOFLOW, "format", "-"], input=text.encode(), capture_output=True, env=environment, check=True
    )
    assert done.stdout == text.encode()


def test_check_loads_nothing_heavy() -> None:
    code = (
        "import sys; from autoflow.cli import main; "
        "main(['check', '-', '--json']); sys.stderr.write(str([*sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=GOOD, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["steps"] == 3
    heavy = {
        "sqlalchemy",
        "openai",
        "torch",
        "mcp",
        "httpx",
        "streamlit",
        "xllamacpp",
        "numpy",
        "transformers",
        "alembic",
    }
    loaded = {name.strip("'\" ") for name in done.stderr.strip("[]\n ").split(",")}
    assert "autoflow.cli.workflows" in loaded
    assert not heavy & loaded


def _on_a_terminal(path: Path, environment: dict[str, str]) -> bytes:
    """What `check` writes where standard output is a terminal."""
    parent, child = pty.openpty()
    subprocess.run(
        [*AUTOFLOW, "check", str(path)], stdout=child, stderr=subprocess.DEVNULL, env=environment, check=False
    )
    os.close(child)
    found = b""
    try:
        while block := os.read(parent, 65536):
            found += block
    except OSError:  # the other end is closed
        pass
    os.close(parent)
    return found


def test_colours_are_for_terminals_and_no_color_is_honoured(faulty: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    assert b"\x1b[" in _on_a_terminal(faulty, environment)
    assert b"\x1b[" not in _on_a_terminal(faulty, environment | {"NO_COLOR": "1"})
    assert b"\x1b[" not in _on_a_terminal(faulty, environment | {"TERM": "dumb"})


def test_a_fault_of_ours_is_told_without_a_traceback_which_is_in_the_log(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, good: Path, home: Path
) -> None:
    def broken(text: str) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("autoflow.lang.parse", broken)
    found = cli("check", good)
    assert found.code == 1
    assert "AutoFlow itself failed: ZeroDivisionError" in found.err
    assert "Traceback" not in found.err
    assert cli("check", good, "--json").json["error"]["type"] == "InternalError"
    assert "ZeroDivisionError: oh" in (home / "logs" / "cli.log").read_text()


@pytest.mark.parametrize(
    "command",
    [["jobs", "list"], ["models", "list"], ["worker"], ["run", "GOOD", "--task", "x", "--model", "scripted:S"]],
)
def test_a_data_folder_that_cannot_be_used_is_a_sentence(
    cli: Cli, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    from autoflow.settings import settings

    (tmp_path / "file").write_text("in the way")
    (tmp_path / "s.jsonl").write_text("")
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "file" / "home"))
    settings.cache_clear()
    named = {"GOOD": str(good), "scripted:S": f"scripted:{tmp_path}/s.jsonl"}
    found = cli(*(named.get(part, part) for part in command))
    assert found.code in (1, 2)
    assert found.err.startswith("error: ")
    assert "AutoFlow itself failed" not in found.err
    assert str(tmp_path / "file") in found.err


def test_a_setting_that_breaks_its_rule_is_usage(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from autoflow.settings import settings

    monkeypatch.setenv("AUTOFLOW_MEMORY_LIMIT_GB", "much")
    settings.cache_clear()
    found = cli("jobs", "list")
    assert found.code == 2
    assert "AUTOFLOW_MEMORY_LIMIT_GB" in found.err
    monkeypatch.delenv("AUTOFLOW_MEMORY_LIMIT_GB")
    settings.cache_clear()


@pytest.mark.parametrize(
    "command",
    [
        "check",
        "fix",
        "format",
        "extract",
        "export",
        "diff",
        "generate",
        "run",
        "models",
        "jobs",
        "worker",
        "serve",
        "tools",
    ],
)
def test_every_command_explains_itself(cli: Cli, command: str) -> None:
    found = cli(command, "--help")
    assert found.code == 0
    assert "Usage: autoflow " + command in found.out


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_closed_streams_are_no_fault(good: Path, tmp_path: Path, closed: str) -> None:
    shut = " ".join(f"{number}{'<' if number == '0' else '>'}&-" for number in closed.split())
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {shut}', "sh", *AUTOFLOW, "check", str(good)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "itself failed" not in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_that_is_closed_is_a_sentence() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&-', "sh", *AUTOFLOW, "check", "-"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Standard input is closed.")


def test_ctrl_c_says_that_it_stopped() -> None:
    process = subprocess.Popen(
        [*AUTOFLOW, "check", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write("# more than a pipe holds: it is being read\n" * 10_000)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (output.INTERRUPTED, "", "Stopped.")


def test_a_wrong_choice_is_told_in_plain_words(cli: Cli, good: Path) -> None:
    found = cli("export", good, "--to", "xml")
    assert found.code == 2
    assert "Invalid value for '--to': 'xml' is not one of 'mermaid', 'dot', 'json'." in found.err
