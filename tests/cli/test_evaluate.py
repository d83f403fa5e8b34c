"""`autoflow evaluate`: scores with an interval, and every run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Cli

Script = Callable[..., str]

PLAIN = "Answer:::terminal:::Name the models in order.:::\n"


def test_a_workflow_is_scored_on_a_split(cli: Cli, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "plain.core"
    file.write_text(PLAIN)
    model = script({"match": "", "reply": "Image Denoising, Image Deblurring"})
    done = cli("evaluate", str(file), "--suite", "openagi-plan", "--split", "train", "--model", model, "--json")
    told = done.json
    assert done.code == 0
    assert (told["suite"], told["split"], told["score"]["tasks"], len(told["runs"])) == ("openagi-plan", "train", 8, 8)
    assert told["score"]["low"] <= told["score"]["mean"] <= told["score"]["high"]
    assert told["score"]["mean"] == sum(run["score"] for run in told["runs"]) / 8
    assert set(told["parts"]) == {"exact", "overlap", "valid"}
    assert told["usage"]["calls"] == 8


def test_people_get_a_few_lines(cli: Cli, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "plain.core"
    file.write_text(PLAIN)
    model = script({"match": "", "reply": "Colorization"})
    done = cli("evaluate", str(file), "--suite", "openagi-plan", "--tasks", "3", "--repeats", "2", "--model", model)
    assert done.code == 0
    assert "95 % interval" in done.out
    assert "3 tasks" in done.out
    assert "calls     6" in done.out


def test_what_cannot_run_is_told_and_fails(cli: Cli, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "broken.core"
    file.write_text("A:::process:::Go:::next::Nowhere\n")
    model = script({"match": "", "reply": "x"})
    done = cli("evaluate", str(file), "--suite", "openagi-plan", "--tasks", "2", "--model", model, "--json")
    assert done.code == 1
    assert {run["stop"] for run in done.json["runs"]} == {"invalid-workflow"}


def test_an_unknown_suite_is_named(cli: Cli, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "plain.core"
    file.write_text(PLAIN)
    done = cli("evaluate", str(file), "--suite", "travel", "--model", script({"match": "", "reply": "x"}))
    assert done.code == 2
    assert (
        "There is no suite `travel`.\nhint: There is `openagi-plan`, `openagi`, `reasoning`, `travelplanner`, the"
        in done.err
    )
