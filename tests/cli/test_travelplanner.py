"""`--suite travelplanner` with its options, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.suites.travel import SHORT_PLAN, write_database, write_queries

Script = Callable[..., str]


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    root, queries = write_database(tmp_path / "database"), write_queries(tmp_path / "queries.jsonl")
    return ("--suite-option", f"data={root}", "--suite-option", f"queries={queries}")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.core"
    path.write_text("Answer:::terminal:::Plan the trip.:::\n")
    return path


def test_a_workflow_is_scored_on_trips(cli: Cli, script: Script, options: tuple[str, ...], plain: Path) -> None:
    model = script(
        {"match": "restaurants in Elmford", "reply": json.dumps(SHORT_PLAN)},
        {"match": "", "tool_calls": [{"name": "restaurant_search", "arguments": {"city": "Elmford"}}]},
    )
    done = cli("evaluate", plain, "--suite", "travelplanner", *options, "--split", "test", "--model", model, "--json")
    told = done.json
    assert (done.code, told["suite"], told["terminal"]) == (0, "travelplanner", 1.0)
    assert told["parts"]["delivered"] == 1.0
    assert 0 < told["parts"]["final"] < 1  # it is a plan for the short trips alone
    assert told["parts"]["final"] == sum(run["score"] == 1 for run in told["runs"]) / len(told["runs"])
    assert told["parts"]["final"] < told["score"]["mean"] < 1
    assert "commonsense micro" in cli("evaluate", plain, "--suite", "travelplanner", *options, "--model", model).out


def test_its_tasks_are_shown(cli: Cli, options: tuple[str, ...]) -> None:
    shown = cli("suites", "show", "travelplanner", *options, "--json").json
    assert {task["tags"][1] for task in shown["tasks"]} == {"3 days", "5 days"}
    assert "expected: 3 days from Orran" in cli("suites", "show", "travelplanner", *options).out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "lacks its option `data`.\nhint: Name your copy of the benchmark: data=FOLDER queries=FILE."),
        (("--suite-option", "data"), "`--suite-option data` names no option."),
        (("--suite-option", "data=/no/where", "--suite-option", "queries=/no/where.csv"), "There is no file"),
    ],
)
def test_what_is_missing_is_told(more: tuple[str, ...], words: str, cli: Cli, script: Script, plain: Path) -> None:
    model = script({"match": "", "reply": "x"})
    done = cli("evaluate", plain, "--suite", "travelplanner", *more, "--model", model)
    assert done.code == 2
    assert words in done.err


def test_a_suite_without_options_refuses_them(cli: Cli, script: Script, plain: Path) -> None:
    model = script({"match": "", "reply": "x"})
    done = cli("evaluate", plain, "--suite", "openagi-plan", "--suite-option", "data=x", "--model", model)
    assert done.code == 2
    assert "The suite `openagi-plan` has no option `data`." in done.err


def test_a_search_keeps_the_options_of_its_suite(cli: Cli, script: Script, options: tuple[str, ...]) -> None:
    from autoflow.store import open_store

    model = script({"match": "", "reply": json.dumps(SHORT_PLAN)})
    done = cli(
        "optimize", "--suite", "travelplanner", *options, "--generator", model, "--interpreter", model, "--train", "2",
        "--val", "2", "--test", "2", "--detach", "--json",
    )  # fmt: skip
    assert done.code == 0
    study = open_store().get_study(done.json["study"])
    assert set(study.spec.suite.options) == {"data", "queries"}
    assert [len(study.splits[split]) for split in ("train", "val", "test")] == [2, 2, 2]
