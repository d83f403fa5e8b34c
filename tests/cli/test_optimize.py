"""`autoflow optimize`: a search from the command line, its figures and limits, and what it says if it cannot start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.optimize.view import StudyView
from autoflow.store import open_store
from autoflow.study import RewardSpec
from tests.cli.conftest import Cli
from tests.optimize import trainable

Script = Callable[..., str]
SMALL = ("--suite", "openagi-plan", "--train", "2", "--val", "3", "--test", "2", "--rounds", "2")
BETTER = "Answer:::terminal:::Name every model that is needed, in order.:::\n"


@pytest.fixture
def model(script: Script) -> str:
    """Writes a better workflow when asked for one; does better the better the workflow says what is wanted."""
    return script(
        {"match": "Provide a new workflow", "reply": BETTER},
        {
            "match": "Name every model",
            "reply": "Image Super Resolution, Image Denoising, Image Deblurring, Colorization",
        },
        {"match": "", "reply": "Text Generation"},
    )


def test_a_search_finds_what_is_better_and_says_by_how_much(cli: Cli, model: str) -> None:
    found = cli("optimize", *SMALL, "--method", "paper", "--generator", model, "--interpreter", model, "--json")
    assert found.code == 0, found.err
    told = found.json
    assert told["state"] == "done"
    assert told["stop"] == "rounds"
    assert told["text"] == BETTER
    store = open_store()
    outcomes = [outcome for _, outcome in store.study_outcomes(told["study"])]
    view = StudyView(store.get_study(told["study"]), store.study_candidates(told["study"]), outcomes)
    best = view.best()
    assert best is not None
    assert told["scores"]["best"] == {
        "candidate": best.number, "val": view.score(best.number, "val"), "test": view.score(best.number, "test"),
    }  # fmt: skip
    assert told["scores"]["manual"]["candidate"] == 0
    above = told["above_manual"]["mean"]
    assert above == pytest.approx(told["scores"]["best"]["test"] - told["scores"]["manual"]["test"])
    assert view.study.test_uses == 1


def test_the_table_names_the_study_and_how_to_adopt_it(cli: Cli, model: str) -> None:
    found = cli("optimize", *SMALL, "--method", "paper", "--generator", model, "--interpreter", model)
    assert found.code == 0
    study = open_store().list_studies()[0]
    assert f"autoflow adopt {study.id}" in found.out
    assert "best above manual" in found.out


def test_a_file_is_the_manual_workflow(cli: Cli, model: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.core"
    file.write_text(BETTER)
    found = cli(
        "optimize", *SMALL, "--method", "paper", "--generator", model, "--interpreter", model, "--from", file, "--json"
    )
    assert found.code == 0
    store = open_store()
    first = store.study_candidates(found.json["study"])[0]
    assert (first.operator, first.text) == ("manual workflow", BETTER)


def test_detached_it_is_left_to_a_worker_and_goes_on_with_resume(cli: Cli, model: str) -> None:
    left = cli(
        "optimize", *SMALL, "--method", "paper", "--generator", model, "--interpreter", model, "--detach", "--json"
    )
    assert (left.code, left.json["state"], left.json["stop"]) == (0, "queued", None)
    store = open_store()
    assert store.study_outcomes(left.json["study"]) == []
    done = cli("optimize", "--resume", left.json["study"], "--json")
    assert (done.code, done.json["study"], done.json["state"]) == (0, left.json["study"], "done")
    again = cli("optimize", "--resume", left.json["study"], "--json")
    assert again.json["scores"] == done.json["scores"], "one that has ended is told, not run again"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--max-calls", "3"), "3 calls are too few"),
        (("--train", "0"), "tasks to learn from"),
        (("--suite", "openagi-plane"), "openagi-plane"),
        (("--from", "/nowhere/at/all.core"), "/nowhere/at/all.core"),
        (("--generator", "nobody"), "nobody"),
    ],
)  # fmt: skip
def test_what_cannot_begin_is_told_before_anything_is_kept(
    cli: Cli, model: str, more: tuple[str, str], words: str
) -> None:
    found = cli("optimize", *SMALL, "--generator", model, "--interpreter", model, *more)
    assert found.code == 2
    assert words in found.err
    assert open_store().list_studies() == []


def test_options_of_the_method_are_kept_with_the_study(cli: Cli, model: str) -> None:
    options = ("--option", "drafts=1", "--option", 'operators=["rewrite"]')
    models = ("--generator", model, "--interpreter", model)
    told = cli("optimize", *SMALL, *models, *options, "--json").json
    store = open_store()
    assert store.get_study(told["study"]).spec.options == {"drafts": 1, "operators": ["rewrite"]}
    assert {c.operator for c in store.study_candidates(told["study"]) if c.round} == {"rewrite"}


def test_weights_of_the_reward_are_kept_with_the_study(cli: Cli, model: str) -> None:
    weights = ("--reward", "valid=0.1", "--reward", "tokens=0.02")
    told = cli("optimize", *SMALL, "--generator", model, "--interpreter", model, *weights, "--json").json
    assert open_store().get_study(told["study"]).spec.reward == RewardSpec(valid=0.1, tokens=0.02)


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [("--option", "drafts=0", "`drafts`"), ("--option", "draughts=2", "`draughts`"),
     ("--option", "drafts", "names no option"), ("--option", 'operators=["rewite"]', "no operator `rewite`"),
     ("--reward", "tokens=-1", "`tokens`"), ("--reward", "beauty=2", "no weight `beauty`"),
     ("--reward", "valid", "names no option"), ("--reward", "score=much", "`score`"),
     ("--reward", "score=NaN", "`score`"), ("--reward", "valid=Infinity", "`valid`")],
)  # fmt: skip
def test_what_means_nothing_is_said_before_the_start(cli: Cli, model: str, flag: str, value: str, words: str) -> None:
    found = cli("optimize", *SMALL, "--generator", model, "--interpreter", model, flag, value)
    assert found.code == 2
    assert words in found.err
    assert open_store().list_studies() == []


def test_a_training_is_told_with_its_model_and_what_it_gained(cli: Cli, tmp_path: Path) -> None:
    store = open_store()
    spec = trainable.spec_of(store, tmp_path)
    baseline = tmp_path / "mine.core"
    baseline.write_text(trainable.LINES[0])
    models = ("--generator", spec.generator, "--interpreter", spec.interpreter, "--from", baseline)
    suite = ("--suite", spec.suite.options["suite"], "--train", "4", "--val", "4", "--test", "8", "--seed", "1")
    options = [part for name, value in spec.options.items() for part in ("--option", f"{name}={value}")]
    asked = ("optimize", *suite, *models, "--method", "lora", "--rounds", "4", "--name", "Skilful", *options)
    found = cli(*asked, "--json")
    assert found.code == 0, found.err
    told = found.json
    assert (told["state"], told["stop"], told["rounds"]) == ("done", "rounds", 4)
    assert told["model"] == f"{spec.generator}+skilful"
    assert told["gain"]["samples"] == 4
    assert told["gain"]["mean"] == pytest.approx(told["gain"]["trained"] - told["gain"]["base"])
    table = cli("optimize", "--resume", told["study"])
    assert f"model       {spec.generator}+skilful" in table.out
    assert "the base model" in table.out


def test_what_cannot_be_trained_is_told_before_anything_is_kept(cli: Cli, model: str) -> None:
    found = cli("optimize", *SMALL, "--method", "lora", "--generator", model, "--interpreter", model)
    assert found.code == 2
    assert "Only a model of this machine can be trained" in found.err
    assert open_store().list_studies() == []
