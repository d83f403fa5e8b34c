"""What the tests of the command line share."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autoflow.cli import main

GOOD = """Step 1:::process:::Read the mail.:::next::Step 2
Step 2:::decision:::Is it justified?:::yes::Step 3::no::Step 1
Step 3:::terminal:::Answer the mail.:::
"""
FAULTY = """Step 1:::proces:::Read.:::next::Step 3
Step 2:::terminal:::Answer.
"""


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in this process."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.core"
    path.write_text(GOOD, "utf-8")
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.core"
    path.write_text(FAULTY, "utf-8")
    return path


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write a script for a scripted model; returns the model's name."""

    def write(*lines: dict[str, Any], name: str = "script.jsonl") -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return f"scripted:{path}"

    return write
