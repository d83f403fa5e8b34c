"""What files, servers and models wrote cannot steer the terminal that it is printed on."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.cli import output
from tests.bad_input.conftest import GOOD, HOSTILE

EVIL = HOSTILE["escapes"] + HOSTILE["bidi"] + "\rover"
STEERING = ("\x1b[2J", "\x1b]", "\x07", "\x1b[8m", "\x9b", "\x08", "\x7f", "\u202e", "\u2066")


def on_a_terminal(*arguments: str | Path, home: Path) -> str:
    """Everything that a command prints where both streams are a terminal."""
    parent, child = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    environment |= {"AUTOFLOW_HOME": str(home), "TERM": "xterm"}
    command = [sys.executable, "-m", "autoflow.cli", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=child, stderr=child, env=environment)
    os.close(child)
    found = b""
    try:
        while block := os.read(parent, 65_536):
            found += block
    except OSError:  # the other end is closed
        pass
    os.close(parent)
    process.wait(timeout=60)
    return found.decode()


@pytest.fixture
def said(tmp_path: Path, home: Path, script: Callable[..., str]) -> Callable[..., str]:
    """Run a command on a workflow, a model and a name that hold everything that could steer a terminal."""
    (tmp_path / "good.core").write_text(GOOD, "utf-8")
    (tmp_path / "evil.core").write_text(f"{EVIL}:::proces:::{EVIL}:::next::{EVIL}\n", "utf-8")
    model = script(
        {"match": "fails", "error": f"It said {EVIL}"},
        {"match": "Does it ask", "reply": f"yes {EVIL}"},
        {"match": "", "reply": f"{EVIL}\n{GOOD}"},
    )
    places: dict[str, str | Path] = {"GOOD": tmp_path / "good.core", "EVIL": tmp_path / "evil.core", "MODEL": model}

    def run(line: str) -> str:
        return on_a_terminal(*(places.get(word, EVIL if word == "NAME" else word) for word in line.split()), home=home)

    return run


@pytest.mark.parametrize(
    "line",
    [
        "run GOOD --task NAME --model MODEL",
        "run GOOD --task NAME --model MODEL --json",
        "run GOOD --task fails --model MODEL",
        "run EVIL --task NAME --model MODEL",
        "generate NAME --model MODEL --free",
        "generate x --model MODEL --free --json",
        "generate fails --model MODEL --free",
        "check EVIL",
        "check EVIL --json",
        "fix EVIL",
        "extract EVIL",
        "export EVIL",
        "diff EVIL GOOD",
        "check NAME",
        "NAME",
        "jobs show NAME",
        "models test NAME",
    ],
)
def test_nothing_printed_steers_the_terminal(said: Callable[..., str], line: str) -> None:
    found = said(line)
    assert found.strip()
    assert [code for code in STEERING if code in found] == []
    assert "Traceback" not in found


def test_a_piped_answer_is_exact(tmp_path: Path, home: Path, script: Callable[..., str]) -> None:
    (tmp_path / "w.core").write_text("A:::terminal:::Answer:::\n")
    command = [sys.executable, "-m", "autoflow.cli", "run", str(tmp_path / "w.core"), "--task", "x", "--model",
               script({"match": "", "reply": EVIL})]  # fmt: skip
    done = subprocess.run(command, capture_output=True, env={**os.environ, "AUTOFLOW_HOME": str(home)}, timeout=60)
    assert done.stdout.decode() == EVIL + "\n"


def test_json_stays_json_and_our_colours_stay_colours() -> None:
    told = json.dumps({"answer": EVIL}, ensure_ascii=False)
    assert json.loads(output.harmless(told)) == {"answer": EVIL}
    assert output.harmless("\x1b[31;1merror:\x1b[0m a\r\nb\tc", coloured=True) == "\x1b[31;1merror:\x1b[0m a\r\nb\tc"
    assert output.harmless("\x1b[31mred", coloured=False) == "\\u001b[31mred"
    assert output.harmless("👩‍👧 \u200f") == "👩‍👧 \u200f"
