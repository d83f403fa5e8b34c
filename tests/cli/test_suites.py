"""`autoflow suites`: tables of one's own, what is wrong with them, and how they are evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.store import open_store
from autoflow.suites.table_body import suite_body
from tests.cli.conftest import Cli
from tests.suites.tables import numbered

Script = Callable[..., str]
MAILS = """id,mail,department,topic
1,Where is my parcel?,delivery,late
2,I want my money back.,refund,money
3,Where is my parcel?,delivery,late
4,,refund,money
5,=SUM(A1),other,
6,It is broken.,,late
7,My parcel is late.,delivery,late
"""
PLAIN = "Answer:::terminal:::Which department?:::\n"


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    path = tmp_path / "mails.csv"
    path.write_text(MAILS)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.core"
    path.write_text(PLAIN)
    return path


def test_a_table_is_saved_and_its_faults_are_told_by_row(cli: Cli, mails: Path) -> None:
    done = cli("suites", "add", mails, "--expected", "department", "--instruction", "Which department?", "--json")
    told = done.json
    assert done.code == 0
    assert (told["rows"], told["total"], told["name"], told["scorer"]) == (4, 7, "mails", "exact")
    assert {p["row"]: p["kind"] for p in told["problems"]} == {
        4: "duplicate", 5: "no-objective", 6: "formula", 7: "no-answer",
    }  # fmt: skip
    assert told["columns"]["inputs"] == ["mail"]
    assert told["unused"] == ["id"]
    body = open_store().get_suite(told["suite"]).body
    assert body["rows"][0] == {
        "objective": "Which department?", "inputs": {"mail": "Where is my parcel?"}, "expected": "delivery",
        "tags": ["late"], "row": 2,
    }  # fmt: skip


def test_people_get_sentences_and_the_id_alone_on_standard_output(cli: Cli, mails: Path) -> None:
    done = cli("suites", "add", mails, "--expected", "department")
    assert done.code == 0
    assert done.out.strip().startswith("su_")
    assert "4 rows of 7 can be used." in done.err
    assert "Left out: row 4 asks the same as an earlier row." in done.err
    assert "Not used: id." in done.err


def test_checking_saves_nothing(cli: Cli, mails: Path) -> None:
    done = cli("suites", "add", mails, "--expected", "department", "--check")
    assert (done.code, done.out) == (0, "")
    assert open_store().suite_names() == {}


def test_a_table_without_a_usable_row_fails(cli: Cli, mails: Path) -> None:
    done = cli("suites", "add", mails, "--expected", "department", "--scorer", "numeric", "--json")
    assert done.code == 1
    assert (done.json["rows"], done.json["suite"]) == (0, None)
    assert done.json["counts"]["bad-answer"] == 5


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--expected", "nope"), "no column `nope`"),
        (("--scorer", "exakt"), "no scorer `exakt`"),
        (("--option", "x"), "names no option"),
        (("--scorer", "exact", "--option", "pattern=x"), "no option `pattern`"),
        (("--scorer", "exact", "--option", "ignore_case=3"), "must be true or false"),
        (("--expected", "mail", "--input", "mail"), "is given to the workflow as well"),
    ],
)
def test_what_cannot_be_chosen_is_told(cli: Cli, mails: Path, more: tuple[str, ...], words: str) -> None:
    done = cli("suites", "add", mails, *more)
    assert done.code == 2
    assert words in done.err


def test_options_of_a_scorer_are_json_or_text(cli: Cli, mails: Path) -> None:
    add = ("suites", "add", mails, "--expected", "department", "--json")
    assert cli(*add, "--scorer", "exact", "--option", "ignore_case=false").json["options"] == {"ignore_case": False}
    told = cli(*add, "--scorer", "judge", "--option", "rubric=Is it right?").json
    assert open_store().get_suite(told["suite"]).body["scorer"]["options"] == {"rubric": "Is it right?"}


def test_suites_are_listed_and_shown(cli: Cli, mails: Path) -> None:
    suite_id = cli("suites", "add", mails, "--expected", "department").out.strip()
    listed = {one["suite"]: one for one in cli("suites", "list", "--json").json}
    assert list(listed) == ["openagi-plan", "openagi", "reasoning", suite_id]
    assert listed[suite_id] == {"suite": suite_id, "name": "mails", "about": "4 rows, scored: the same text."}
    assert "185 tasks" in cli("suites", "list").out
    shown = cli("suites", "show", "mails", "--json").json
    assert len(shown["tasks"]) == len(shown["body"]["rows"]) == 4
    assert "expected: delivery" in cli("suites", "show", suite_id).out
    assert cli("suites", "show", "openagi-plan", "--limit", "3", "--json").json["tasks"][2]["expected"]


def test_a_deleted_suite_is_gone(cli: Cli, mails: Path) -> None:
    suite_id = cli("suites", "add", mails, "--expected", "department").out.strip()
    assert cli("suites", "delete", suite_id).code == 0
    assert cli("suites", "show", suite_id).code == 2
    assert cli("suites", "delete", "su_nonsense").code == 2


def test_showing_a_file_saves_nothing(cli: Cli, mails: Path) -> None:
    done = cli("suites", "show", mails)
    assert done.code == 2
    assert "is a file, not a suite" in done.err
    assert open_store().suite_names() == {}


def test_what_stands_in_a_table_steers_no_terminal(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "evil.csv"
    path.write_text("question,answer\n\x1b[2J\x1b]0;owned\x07Who?,me\nWhat?,that\n")
    cli("suites", "add", path)
    assert "\x1b" not in cli("suites", "show", "evil").out


def test_a_workflow_is_scored_on_a_table(cli: Cli, script: Script, mails: Path, plain: Path) -> None:
    """Each run gets the mail as its input; what is expected is in no prompt."""
    model = script({"match": "money back", "reply": "refund"}, {"match": "delivery|refund", "reply": "it leaked"},
                   {"match": "", "reply": "delivery"})  # fmt: skip
    done = cli("evaluate", plain, "--suite", mails, "--train", "0", "--val", "4", "--model", model, "--json")
    assert done.code == 0
    told = done.json
    assert (told["suite"], told["score"]["tasks"], told["spec"]["val"]) == ("mails", 4, 4)
    assert told["score"]["mean"] == 0.75  # the formula is `other`
    assert {run["answer"] for run in told["runs"]} == {"refund", "delivery"}


def test_a_judge_is_asked_for_and_its_calls_are_told_apart(cli: Cli, script: Script, plain: Path) -> None:
    suite_id = open_store().save_suite("Sums", suite_body(numbered(9), "judge")).id
    model = script({"match": "", "reply": "delivery"})
    judge = script({"match": "", "reply": '{"reason": "so", "grade": 3}'}, name="judge.jsonl")
    command = ("evaluate", plain, "--suite", suite_id, "--val", "3", "--model", model, "--json")
    refused = cli(*command)
    assert refused.code == 2
    assert "--judge MODEL" in refused.json["error"]["hint"]
    told = cli(*command, "--judge", judge).json
    assert (told["score"]["mean"], told["usage"]["calls"], told["judge"]["calls"]) == (0.5, 3, 3)


def test_a_judge_that_answers_prose_costs_the_runs_their_score(cli: Cli, script: Script, plain: Path) -> None:
    suite_id = open_store().save_suite("Sums", suite_body(numbered(9), "judge")).id
    model = script({"match": "", "reply": "I cannot say."})
    told = cli(
        "evaluate", plain, "--suite", suite_id, "--val", "2", "--model", model, "--judge", model, "--json"
    ).json  # fmt: skip
    assert told["score"]["mean"] == 0
    assert all("gave no grade from 1 to 5" in run["error"] for run in told["runs"])


def test_a_command_cannot_wait_for_a_person(cli: Cli, script: Script, plain: Path) -> None:
    suite_id = open_store().save_suite("Sums", suite_body(numbered(9), "person")).id
    done = cli("evaluate", plain, "--suite", suite_id, "--model", script({"match": "", "reply": "x"}))
    assert done.code == 2
    assert "rated by a person" in done.err


def test_a_limit_of_calls_leaves_out_what_it_cut(cli: Cli, script: Script, tmp_path: Path) -> None:
    two = tmp_path / "two.core"
    two.write_text("Think:::process:::Think.:::next::Answer\nAnswer:::terminal:::Name the models.:::\n")
    model = script({"match": "", "reply": "Colorization"})
    command = ("evaluate", two, "--suite", "openagi-plan", "--val", "6", "--model", model, "--json")
    told = cli(*command, "--max-calls", "7").json
    assert told["usage"]["calls"] <= 7
    assert {run["stop"] for run in told["runs"]} <= {"terminal"}
    assert told["score"]["tasks"] == len(told["runs"]) < 6
    assert told["stopped"] == f"The limit of 7 calls was reached. {len(told['runs'])} of 6 runs were finished."
    assert cli(*command).json["stopped"] == ""
    nothing = cli(*command, "--max-calls", "1")
    assert nothing.code == 1
    assert "0 of 6 runs were finished" in nothing.json["error"]["message"]


def test_a_limit_of_a_judge_counts_with_the_others(cli: Cli, script: Script, plain: Path) -> None:
    suite_id = open_store().save_suite("Sums", suite_body(numbered(40), "judge")).id
    model = script({"match": "", "reply": "5"})
    told = cli(
        "evaluate", plain, "--suite", suite_id, "--val", "30", "--model", model, "--judge", model, "--max-calls", "8",
        "--json",
    ).json  # fmt: skip
    assert told["usage"]["calls"] <= 8
    assert told["judge"]["calls"] <= 8
    assert "runs were finished" in told["stopped"]


def test_a_limit_of_money_needs_a_price(cli: Cli, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not a real one")
    done = cli("evaluate", plain, "--suite", "openagi-plan", "--model", "openai:no-such-model", "--max-usd", "1")
    assert done.code == 2
    assert "The price of `openai:no-such-model` is unknown" in done.err


def test_what_a_model_proposes_is_added_with_its_mark(cli: Cli, script: Script, tmp_path: Path) -> None:
    told = [{"inputs": {"mail": f"mail {n}"}, "expected": ("delivery", "refund")[n % 2]} for n in range(4)]
    model = script({"match": "", "reply": json.dumps({"examples": told})})
    out = tmp_path / "proposed.jsonl"
    done = cli(
        "suites", "propose", "--task", "Sort it.", "--input", "mail", "--count", "4", "--model", model, "-o", out
    )
    assert done.code == 0
    assert "Correct it, then: autoflow suites add" in done.err
    added = cli("suites", "add", out, "--json").json
    assert (added["rows"], added["columns"]["inputs"], added["columns"]["origin"]) == (4, ["mail"], "origin")
    assert "4 of 4 proposed by a model" in cli("suites", "list").out


def test_fewer_proposals_come_with_the_reason_and_none_fails(cli: Cli, script: Script) -> None:
    command = ("suites", "propose", "--task", "Sort it.", "--input", "mail", "--count", "2")
    one = json.dumps({"inputs": {"mail": "hi"}, "expected": "x"})
    done = cli(*command, "--model", script({"match": "", "reply": one}), "--json")
    assert (done.code, len(done.json["examples"])) == (0, 1)
    assert done.json["errors"][0] == "1 of 2 examples were proposed."
    nothing = cli(*command, "--model", script({"match": "", "reply": "no idea"}))
    assert (nothing.code, nothing.out) == (1, "")


def test_a_rubric_is_proposed(cli: Cli, script: Script) -> None:
    model = script({"match": "grade answers", "reply": "Is it one word?"})
    assert cli("suites", "propose", "--task", "Sort it.", "--rubric", "--model", model).out == "Is it one word?\n"
    assert cli("suites", "propose", "--task", " ", "--rubric", "--model", model).code == 2


def test_a_scorer_that_raises_costs_a_run_its_score_and_says_why(cli: Cli, script: Script, plain: Path) -> None:
    rows = [{"objective": f"q{n}", "expected": ("4", "four")[n % 2], "row": n} for n in range(1, 5)]
    suite_id = open_store().save_suite("Old", {"form": 1, "rows": rows, "scorer": {"name": "numeric"}}).id
    model = script({"match": "", "reply": "4"})
    told = cli("evaluate", plain, "--suite", suite_id, "--val", "4", "--model", model, "--json").json
    assert sorted(run["score"] for run in told["runs"]) == [0, 0, 1, 1]
    errors = [run["error"] for run in told["runs"] if run["error"]]
    assert len(errors) == 2
    assert all("The scorer failed" in error and "holds no number" in error for error in errors)


def test_an_empty_split_is_told(cli: Cli, script: Script, plain: Path) -> None:
    model = script({"match": "", "reply": "x"})
    done = cli("evaluate", plain, "--suite", "openagi-plan", "--split", "test", "--test", "0", "--model", model)
    assert done.code == 2
    assert "The split `test` has no tasks." in done.err
