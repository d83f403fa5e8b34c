"""Pictures on the command line: given to a run, worked on by its tools, and written as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoflow.tools.openagi.images import read_image, to_png
from tests.cli.conftest import Cli
from tests.tools.openagi.files import no_hub
from tests.tools.openagi.pictures import natural

__all__ = ["no_hub"]  # a fixture
pytestmark = pytest.mark.usefixtures("no_hub")

TEXT = "Step 1:::process:::Mend the picture.:::next::Step 2\nStep 2:::terminal:::Say what was done.:::\n"
CALL = {"name": "openagi__image_deblurring", "arguments": {"image": "photo"}}


@pytest.fixture
def ran(cli: Cli, script: Callable[..., str], tmp_path: Path) -> Any:
    file, photo = tmp_path / "mend.core", tmp_path / "photo.png"
    file.write_text(TEXT)
    photo.write_bytes(to_png(natural("chelsea.png")))
    model = script(
        {"match": "^picture", "reply": "sharpened"}, {"match": "Mend the", "tool_calls": [CALL]},
        {"match": "", "reply": "done"},
    )  # fmt: skip
    return cli("run", file, "--task", "Mend", "--input", f"photo=@{photo}", "--tool", "openagi.image_deblurring",
               "--model", model, "--json")  # fmt: skip


def test_a_run_with_an_expert_tool_shows_what_did_the_work(cli: Cli, ran: Any) -> None:
    assert ran.json["steps"][0]["tools"] == ["openagi__image_deblurring"]
    shown = cli("runs", "show", ran.json["run_id"]).err
    assert "= picture result-1, 256 x 256  (offline: Richardson-Lucy)" in shown


def test_pictures_of_a_run_are_listed_and_written_and_overwrite_nothing(cli: Cli, ran: Any, tmp_path: Path) -> None:
    run, folder = ran.json["run_id"], tmp_path / "out" / "here"
    (listed,) = cli("runs", "pictures", run, "--json").json
    assert (listed["name"], listed["width"], listed["by"]) == ("result-1", 256, "offline: Richardson-Lucy")
    assert "result-1" in cli("runs", "pictures", run, "--to", folder).out
    written = (folder / "result-1.png").read_bytes()
    assert read_image(written, "result").size == (256, 256)
    again = cli("runs", "pictures", run, "--to", folder)
    assert again.code == 2
    assert "result-1.png` cannot be written: File exists." in again.err


def test_a_tool_that_does_not_exist_is_told_before_there_is_a_run(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mend.core"
    file.write_text(TEXT)
    done = cli("run", file, "--task", "Mend", "--tool", "openagi.sing")
    assert done.code == 2
    assert "`openagi.sing`" in done.err
    assert "openagi__image_denoising" in done.err
    assert cli("runs", "list", "--json").json == []
