"""check, fix, format, extract, export, diff: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoflow.cli.files import write_text
from autoflow.errors import SettingsError
from autoflow.lang import parse
from tests.cli.conftest import FAULTY, GOOD, Cli

READERS = [["check"], ["fix"], ["format"], ["extract"], ["export"], ["diff", "-"]]


def test_check_json_has_the_fixed_shape(cli: Cli, faulty: Path) -> None:
    found = cli("check", "--json", faulty)
    assert found.code == 1
    assert list(found.json) == ["file", "steps", "diagnostics"]
    assert found.json["file"] == str(faulty)
    assert found.json["steps"] == 2
    assert [d["slug"] for d in found.json["diagnostics"]] == ["unknown-type", "unknown-target", "missing-branches"]
    assert found.json["diagnostics"][0] == {
        "slug": "unknown-type",
        "severity": "error",
        "line": 1,
        "column": 10,
        "end_column": 16,
        "message": found.json["diagnostics"][0]["message"],
        "hint": found.json["diagnostics"][0]["hint"],
        "fix": [{"line": 1, "column": 10, "end_line": 1, "end_column": 16, "text": "process"}],
    }
    assert found.json["diagnostics"][1]["fix"] is None
    assert found.err == ""


def test_check_prints_as_a_compiler_does(cli: Cli, faulty: Path) -> None:
    found = cli("check", faulty)
    assert found.code == 1
    assert f"{faulty}:1:10: error[unknown-type]" in found.out
    assert "^^^^^^" in found.out
    assert "2 errors, 1 warning" in found.err


def test_check_of_a_good_workflow_is_quiet_on_standard_output(cli: Cli, good: Path) -> None:
    found = cli("check", good)
    assert (found.code, found.out) == (0, "")
    assert "3 steps" in found.err


def test_a_warning_alone_is_fine(cli: Cli) -> None:
    assert cli("check", "-", stdin=b"A:::terminal:::Say it.").code == 0


def test_the_json_option_may_stand_before_the_command(cli: Cli, good: Path) -> None:
    assert cli("--json", "check", good).json == {"file": str(good), "steps": 3, "diagnostics": []}


@pytest.mark.parametrize("command", READERS)
def test_standard_input_is_read(cli: Cli, good: Path, command: list[str]) -> None:
    arguments = [*command, good] if command[0] == "diff" else [*command, "-"]
    assert cli(*arguments, stdin=GOOD.encode()).code == 0


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x7fELF\x00\x01", "binary file"),
        (b"Step 1:::process\n\xe4:::x", "line 2"),
        ("Step".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_utf8_text_is_refused_with_its_name(
    cli: Cli, tmp_path: Path, good: Path, command: list[str], content: bytes, said: str
) -> None:
    path = tmp_path / "odd.core"
    path.write_bytes(content)
    arguments = ["diff", good, path] if command[0] == "diff" else [*command, path]
    found = cli(*arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: ")
    assert said in found.err
    assert "odd.core" in found.err


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("name", ["missing.core", ".", "a\0b", "x" * 5000])
def test_what_is_no_file_is_a_sentence(cli: Cli, good: Path, command: list[str], name: str) -> None:
    arguments = ["diff", good, name] if command[0] == "diff" else [*command, name]
    found = cli(*arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: ")


def test_errors_are_json_where_json_was_asked_for(cli: Cli) -> None:
    found = cli("check", "--json", "missing.core")
    assert found.code == 2
    assert list(found.json) == ["error"]
    assert list(found.json["error"]) == ["type", "message", "hint"]
    assert "missing.core" in found.json["error"]["message"]


@pytest.mark.parametrize(
    "arguments", [["check"], ["nothing"], ["check", "--nothing", "x"], ["export", "x", "--to", "png"]]
)
def test_wrong_usage_is_two_and_json_if_wanted(cli: Cli, arguments: list[str]) -> None:
    plain = cli(*arguments)
    assert (plain.code, plain.out) == (2, "")
    assert "Error" in plain.err
    assert cli(*arguments, "--json").json["error"]["type"] == "UsageError"


def test_fix_prints_the_mended_text_and_says_what_is_left(cli: Cli, faulty: Path) -> None:
    found = cli("fix", faulty)
    assert found.code == 1
    assert found.out == "Step 1:::process:::Read.:::next::Step 3\nStep 2:::terminal:::Answer.:::\n"
    assert "mended [unknown-type]" in found.err
    assert "error[unknown-target]" in found.err
    assert faulty.read_text() == FAULTY


def test_fix_writes_the_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mend.core"
    path.write_text("A:::Process:::x:::next::B\nB:::terminal:::y\n")
    path.chmod(0o640)
    found = cli("fix", "--write", path)
    assert (found.code, found.out) == (0, "")
    assert not parse(path.read_text()).diagnostics
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.glob(".mend*")) == []


def test_what_cannot_be_written_is_named(cli: Cli) -> None:
    with pytest.raises(SettingsError, match=r"/proc/new\.core.*cannot be written"):
        write_text("/proc/new.core", "x")
    assert cli("fix", "--write", "-", stdin=GOOD.encode()).code == 2


def test_a_device_is_written_to_and_never_replaced() -> None:
    write_text("/dev/null", "x")
    assert not Path("/dev/null").is_file()


def test_format_is_canonical_and_refuses_a_faulty_workflow(cli: Cli, tmp_path: Path, faulty: Path) -> None:
    path = tmp_path / "loose.core"
    path.write_text("# kept\nA ::: PROCESS ::: Do   it. ::: Next::b\nB:::Terminal:::Say.:::")
    assert cli("format", path).out == "# kept\nA:::process:::Do it.:::next::B\nB:::terminal:::Say.:::\n"
    refused = cli("format", "--write", faulty)
    assert (refused.code, refused.out) == (1, "")
    assert "error[unknown-type]" in refused.err
    assert faulty.read_text() == FAULTY


def test_extract_prints_core_alone(cli: Cli) -> None:
    reply = f"Sure! Here it is:\n\n```\n{GOOD}```\nI hope it helps."
    found = cli("extract", "-", stdin=reply.encode())
    assert (found.code, found.out) == (0, GOOD)
    assert "extracted" in found.err


def test_extract_of_a_faulty_workflow_prints_it_and_fails(cli: Cli) -> None:
    found = cli("extract", "-", stdin=f"```\n{FAULTY}```".encode())
    assert found.code == 1
    assert "Step 1" in found.out
    assert "error[" in found.err


@pytest.mark.parametrize("reply", [b"", b"I cannot do that.", b"<think>Step 1:::process:::x:::next::Step 2"])
def test_extract_prints_nothing_where_there_is_no_workflow(cli: Cli, reply: bytes) -> None:
    found = cli("extract", "-", stdin=reply)
    assert (found.code, found.out) == (1, "")
    assert "no-steps" in found.err


def test_export_to_each_form(cli: Cli, good: Path) -> None:
    assert cli("export", good).out.startswith("flowchart TD\n")
    assert cli("export", good, "--to", "dot").out.startswith("digraph")
    steps = cli("export", good, "--to", "json").json["steps"]
    assert steps[1] == {
        "name": "Step 2",
        "type": "decision",
        "instruction": "Is it justified?",
        "branches": [["yes", "Step 3"], ["no", "Step 1"]],
    }
    assert cli("export", good, "--json").json["text"].startswith("flowchart TD\n")


def test_diff_is_by_step(cli: Cli, good: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.core"
    other.write_text(GOOD.replace("Is it justified?", "Is it fair?"))
    assert "Is it fair?" in cli("diff", good, other).out
    assert cli("diff", "--json", good, other).json["counts"] == {"changed": 1}
    assert cli("diff", good, good).code == 0
    assert cli("diff", "-", "-").code == 2


def test_ten_thousand_steps_are_read(cli: Cli, tmp_path: Path) -> None:
    lines = [f"Step {i}:::process:::Do {i}.:::next::Step {i + 1}" for i in range(1, 10_000)]
    path = tmp_path / "long.core"
    path.write_text("\n".join([*lines, "Step 10000:::terminal:::End.:::"]))
    found = cli("check", "--json", path)
    assert (found.code, found.json["steps"]) == (0, 10_000)


def test_version(cli: Cli) -> None:
    from autoflow import __version__

    assert cli("--version").out == f"autoflow {__version__}\n"
    assert cli("--version", "--json").json == {"version": __version__}


def test_any_unicode_survives_the_way_through(cli: Cli) -> None:
    text = "Schritt 😀:::terminal:::Sag «déjà vu» 日本.:::\n"
    assert cli("format", "-", stdin=text.encode()).out == text
    assert json.loads(cli("export", "-", "--to", "json", stdin=text.encode()).out)["steps"][0]["name"] == "Schritt 😀"
