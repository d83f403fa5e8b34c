"""`autoflow compare`: both are run once, whatever they are; what was run is not run again; the files hold the same."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from autoflow.records import RunPolicy
from autoflow.store import open_store
from autoflow.study import StudyBatch
from tests.cli.conftest import Cli
from tests.report.studies import HOSTILE, NEW, OLD, written
from tests.studies import finished_study, given_study

Script = Callable[..., str]
SMALL = ("--suite", "openagi-plan", "--train", "1", "--val", "6", "--test", "3")
OTHER = "Answer:::terminal:::Name all models that are needed, in order.:::\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.core", tmp_path / "new.core"
    old.write_text(OLD)
    new.write_text(OTHER)
    return old, new


@pytest.fixture
def model(script: Script) -> str:
    return script(
        {"match": "Name all models", "reply": "Image Super Resolution, Image Deblurring, Image Classification"},
        {"match": "", "reply": "Colorization"},
    )


def test_two_files_are_run_and_the_json_says_what_came_of_it(cli: Cli, files: Sequence[Path], model: str) -> None:
    found = cli("compare", *files, *SMALL, "--model", model, "--json")
    told = found.json
    assert found.code == 0
    assert (told["suite"], told["split"], told["model"], told["tasks"], told["missing"]) == (
        "openagi-plan", "val", model, 6, 0,
    )  # fmt: skip
    assert (told["a"]["name"], told["b"]["name"]) == ("old.core", "new.core")
    assert told["wins"] + told["ties"] + told["losses"] == 6
    means = [sum(row[side]["score"] for row in told["rows"]) / 6 for side in "ab"]
    assert told["difference"]["mean"] == pytest.approx(means[1] - means[0])
    assert told["difference"]["low"] <= told["difference"]["mean"] <= told["difference"]["high"]
    assert [told[side]["usage"]["calls"] for side in "ab"] == [12, 6]
    assert told["diff"]
    assert "12 runs" in found.err


def test_what_was_run_is_not_run_again_and_swapping_turns_the_sign(cli: Cli, files: Sequence[Path], model: str) -> None:
    first = cli("compare", *files, *SMALL, "--model", model, "--json")
    Path(model.removeprefix("scripted:")).write_text('{"match": "", "error": "asked again"}\n')
    swapped = cli("compare", *reversed(files), *SMALL, "--model", model, "--json")
    assert swapped.json["study_id"] == first.json["study_id"]
    assert swapped.json["difference"]["mean"] == -first.json["difference"]["mean"]
    assert swapped.json["a"]["text"] == OTHER
    assert len(open_store().list_jobs()) == 1


def test_people_get_the_verdict_first(cli: Cli, files: Sequence[Path], model: str) -> None:
    found = cli("compare", *files, *SMALL, "--model", model)
    first, second, *table = found.out.splitlines()
    assert re.search(r"95 % interval|score the same", first)
    assert re.fullmatch(r"new.core better on \d tasks?, same on \d, old.core better on \d", second)
    assert [line.split("  ")[0] for line in table][1:4] == [
        "Score (95 % interval)", "Runs with a usable answer", "Model calls a run",
    ]  # fmt: skip
    assert "Suite openagi-plan (seed 0), validation tasks" in found.err


def test_what_the_suite_brings_and_what_the_store_holds_can_be_compared(cli: Cli, model: str) -> None:
    store = open_store()
    workflow = store.create_workflow("Plans", OLD)
    store.save_version(workflow.id, origin="generated", text=NEW)
    found = cli("compare", "manual", "plain", *SMALL, "--model", model, "--json").json
    assert (found["a"]["name"], found["b"]["name"]) == ("manual workflow", "plain prompt")
    found = cli("compare", "plain", f"{workflow.id}@1", *SMALL, "--model", model, "--json").json
    assert (found["b"]["name"], found["b"]["text"]) == ("Plans v1", OLD)
    study = given_study(store, [OTHER])
    found = cli("compare", f"{workflow.id}:2", f"{study.id}:0", *SMALL, "--model", model, "--json").json
    assert (found["a"]["text"], found["b"]["text"]) == (NEW, OTHER)


def test_the_files_hold_what_was_compared(cli: Cli, files: Sequence[Path], model: str, tmp_path: Path) -> None:
    html, table = tmp_path / "out.html", tmp_path / "out.csv"
    told = cli("compare", *files, *SMALL, "--model", model, "--html", html, "--csv", table, "--json").json
    assert told["verdict"].replace("<", "&lt;") in html.read_text()
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert [(r["task"], float(r["score_a"]), float(r["score_b"])) for r in rows] == [
        (r["task"], r["a"]["score"], r["b"]["score"]) for r in told["rows"]
    ]


def test_the_sealed_test_is_counted(cli: Cli, files: Sequence[Path], model: str) -> None:
    told = cli("compare", *files, *SMALL, "--split", "test", "--model", model, "--json").json
    assert (told["split"], told["tasks"], told["test_openings"]) == ("test", 3, 1)


def test_a_study_is_told_as_it_was_scored(cli: Cli) -> None:
    study = finished_study(open_store())
    told = cli("compare", "--study", study.id, "--json").json
    assert (told["split"], told["tasks"], told["a"]["candidate"], told["b"]["candidate"]) == ("test", 12, 0, study.best)
    assert told["a"]["name"] == "#0 manual workflow"
    told = cli("compare", "1", "0", "--study", study.id, "--split", "val", "--json").json
    assert (told["split"], told["a"]["candidate"], told["b"]["candidate"]) == ("val", 1, 0)
    assert open_store().list_jobs() == []


def test_where_the_best_is_the_manual_workflow_it_is_held_against_the_plain_prompt(cli: Cli) -> None:
    store = open_store()
    study = finished_study(store)
    store.add_to_study(StudyBatch(study.id, best=0))
    told = cli("compare", "--study", study.id, "--json").json
    assert (told["a"]["candidate"], told["b"]["candidate"]) == (1, 0)


def test_a_comparison_made_before_is_opened_by_its_study(cli: Cli) -> None:
    study = written(open_store(), names=(f"old {HOSTILE}", "new"))
    told = cli("compare", "--study", study.id, "--json").json
    assert (told["split"], told["tasks"], told["b"]["name"]) == ("val", 9, "new")


def test_a_study_without_scores_on_the_split_says_so(cli: Cli) -> None:
    study = given_study(open_store(), [OLD, OTHER])
    found = cli("compare", "--study", study.id, "0", "1", "--split", "test")
    assert found.code == 1
    assert "No task was scored for both sides yet." in found.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["old.core"], "Two workflows are needed"),
        (["old.core", "new.core"], "The tasks are missing"),
        (["old.core", "old.core", *SMALL], "are the same text"),
        (["old.core", "nowhere.core", *SMALL], "There is no file `nowhere.core`"),
        (["old.core", "faulty.core", *SMALL], "faulty.core cannot run:"),
        (["old.core", "wf_000000000000@1", *SMALL], "wf_000000000000"),
        (["old.core", "new.core", "--suite", "travel"], "There is no suite `travel`"),
        (["old.core", "new.core", "--suite", "openagi-plan", "--val", "999"], "there are 185"),
        (["old.core", "new.core", "--suite", "openagi-plan", "--val", "0"], "The split `val` has no tasks"),
        (["--study", "st_000000000000"], "st_000000000000"),
        (["--study", "st_000000000000", "--suite", "openagi-plan"], "Leave out `--suite`"),
    ],
)
def test_wrong_arguments_are_told_and_leave_no_record(
    cli: Cli, files: Sequence[Path], faulty: Path, model: str, monkeypatch: pytest.MonkeyPatch, arguments: list[str],
    said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(files[0].parent)
    with_model = [] if "--study" in arguments else ["--model", model]
    found = cli("compare", *arguments, *with_model)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert open_store().list_studies() == []


def test_a_model_that_fails_is_told_and_once_it_answers_the_same_command_goes_on(
    cli: Cli, files: Sequence[Path], script: Script
) -> None:
    model = script({"match": "", "error": "out of order"})
    failed = cli("compare", *files, *SMALL, "--model", model)
    assert (failed.code, failed.out) == (1, "")
    assert "out of order" in failed.err
    assert script({"match": "", "reply": "Colorization"}) == model
    done = cli("compare", *files, *SMALL, "--model", model, "--json")
    assert (done.code, done.json["tasks"]) == (0, 6)
    assert [study.id for study in open_store().list_studies()] == [done.json["study_id"]]


def test_ctrl_c_pauses_and_the_same_command_goes_on(files: Sequence[Path], script: Script, home: Path) -> None:
    model = script({"match": "", "reply": "Colorization", "latency_s": 0.8})
    suite = ("--suite", "openagi-plan", "--train", "1", "--val", "150", "--test", "1")
    command = [sys.executable, "-m", "autoflow.cli", "compare", *map(str, files), *suite, "--model", model, "--json"]
    env = {**os.environ, "AUTOFLOW_HOME": str(home)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    store = open_store()
    while not (studies := store.list_studies()) or not store.study_outcomes(studies[0].id):
        assert process.poll() is None, "ended before the first run was kept"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    kept = [outcome for _, outcome in store.study_outcomes(studies[0].id)]
    assert process.returncode == 1
    assert "Traceback" not in err
    assert store.list_jobs()[0].state == "paused"
    assert 0 < len(kept) < 300

    again = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=True)
    assert f'"study_id": "{studies[0].id}"' in again.stdout
    outcomes = [outcome for _, outcome in store.study_outcomes(studies[0].id)]
    assert outcomes[: len(kept)] == kept
    assert len(outcomes) == 300
    assert RunPolicy(max_steps=30, answer_tokens=256) == studies[0].spec.policy


def test_a_table_is_compared_on_and_a_suite_with_a_judge_asks_for_it(
    cli: Cli, files: Sequence[Path], script: Script, tmp_path: Path
) -> None:
    table = tmp_path / "mails.csv"
    table.write_text("mail,answer\n" + "".join(f"Mail number {n},{'yes' if n % 2 else 'no'}\n" for n in range(20)))
    model = script({"match": "Name all models", "reply": "yes"}, {"match": "", "reply": "no"})
    told = cli("compare", *files, "--suite", table, "--model", model, "--val", "10", "--json").json
    assert (told["suite"], told["tasks"]) == ("mails", 10)
    again = cli("compare", *files, "--suite", table, "--model", model, "--val", "10", "--json").json
    assert again["study_id"] == told["study_id"]
    store = open_store()
    saved = store.list_suites()[0]
    rubric = {**saved.body, "scorer": {"name": "judge", "options": {}}}
    judged = store.save_suite("judged", rubric)
    found = cli("compare", *files, "--suite", judged.id, "--model", model)
    assert found.code == 2
    assert "The answers of this suite are scored by a model." in found.err
    assert cli("compare", "manual", "plain", "--suite", table, "--model", model).code == 2
