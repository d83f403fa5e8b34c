"""`autoflow generate` on a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.lang import parse
from tests.cli.conftest import FAULTY, GOOD, Cli

Script = Callable[..., str]


def test_the_workflow_is_on_standard_output(cli: Cli, script: Script) -> None:
    found = cli("generate", "Decide on the mail", "--model", script({"match": "", "reply": f"Sure:\n{GOOD}"}))
    assert (found.code, found.out) == (0, GOOD)
    assert "no errors" in found.err


def test_what_is_given_reaches_the_model(cli: Cli, script: Script, tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"x")
    wanted = r"(?s)2 to 2 steps.*Decide!.*- mail \(text\)\n- photo \(image\).*- calculator:"
    model = script({"match": wanted, "reply": GOOD})
    inputs = ["--input", "mail=x", "--input", f"photo=@{tmp_path}/m.png"]
    found = cli("generate", "Decide!", *inputs, "--tool", "calculator", "--steps", "2", "--model", model)
    assert found.code == 0, found.err


def test_json_tells_all_of_each_draft_and_which_is_best(cli: Cli, script: Script) -> None:
    found = cli("generate", "x", "--drafts", "2", "--json", "--model", script({"match": "", "reply": GOOD}))
    assert found.code == 0
    assert found.json["best"] == 0
    first, second = found.json["drafts"]
    assert list(first) == [
        "text", "ok", "steps", "diagnostics", "rounds", "constrained", "strength", "error", "replies", "usage",
    ]  # fmt: skip
    assert (second["text"], second["ok"], second["steps"], second["replies"]) == (GOOD, True, 3, [GOOD])


def test_a_workflow_that_keeps_its_errors_is_printed_and_fails(cli: Cli, script: Script) -> None:
    found = cli("generate", "x", "--model", script({"match": "", "reply": FAULTY}))
    assert found.code == 1
    assert parse(found.out).workflow.steps
    assert "2 repair rounds" in found.err


def test_a_reply_without_a_workflow_fails_and_shows_what_was_said(cli: Cli, script: Script) -> None:
    found = cli("generate", "x", "--model", script({"match": "", "reply": "I would rather not."}))
    assert found.code == 1
    assert "I would rather not." in found.err
    assert not parse(found.out).workflow.steps


def test_the_file_is_written_whole(cli: Cli, script: Script, tmp_path: Path) -> None:
    path = tmp_path / "new.core"
    found = cli("generate", "x", "-o", path, "--model", script({"match": "", "reply": GOOD}))
    assert (found.code, found.out, path.read_text()) == (0, "", GOOD)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["  "], "objective is empty"),
        (["x", "--constrained"], "grammar"),
        (["x", "--tool", "telephone"], "telephone"),
        (["x", "--input", "mail"], "NAME=TEXT"),
    ],
)
def test_what_cannot_be_asked_is_usage(cli: Cli, script: Script, arguments: list[str], said: str) -> None:
    found = cli("generate", *arguments, "--model", script({"match": "", "reply": GOOD}))
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def test_a_model_that_fails_is_a_sentence(cli: Cli, script: Script) -> None:
    found = cli("generate", "x", "--json", "--model", script({"match": "", "error": "out of order"}))
    assert found.code == 1
    assert "out of order" in found.json["error"]["message"]


def test_terminal_codes_of_a_model_are_not_passed_on(cli: Cli, script: Script) -> None:
    found = cli("generate", "x", "--model", script({"match": "", "reply": "\x1b[2J no"}))
    assert "\x1b" not in found.err


async def test_what_was_written_before_ctrl_c_is_kept(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    from autoflow.cli import generate as command

    enough = asyncio.Event()

    class Watched(command._Live):
        def hear(self, piece: str) -> None:
            super().hear(piece)
            if "".join(self._pieces).count("\n") > 1:
                enough.set()

    monkeypatch.setattr(command, "_Live", Watched)
    model = script({"match": "", "reply": GOOD + "word " * 10_000, "latency_s": 300})
    task = asyncio.create_task(command._generate_all("x", model, [], [], 3, None, 8, 0, 0.4))
    await asyncio.wait_for(enough.wait(), 30)
    task.cancel()
    (draft,) = await task
    assert draft.text.startswith(GOOD.splitlines()[0])
    assert draft.error == "It was stopped."


async def test_a_stop_before_the_first_word_is_just_a_stop(script: Script) -> None:
    from autoflow.cli import generate as command

    model = script({"match": "", "reply": GOOD, "latency_s": 300})
    task = asyncio.create_task(command._generate_all("x", model, [], [], 1, None, 8, 0, 0.4))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
