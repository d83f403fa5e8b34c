"""What a search will take: reckoned by hand, and held against what it then took."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoflow.llm.scripted import ScriptedLLM
from autoflow.optimize.estimate import Pilot, Plan, plan
from autoflow.settings import settings
from autoflow.store import open_store
from autoflow.study import SPLITS, StudyBudget, StudySpec, SuiteSpec
from autoflow.suites.registry import open_suite
from autoflow.tools.toolbox import Toolbox
from tests.optimize import trainable
from tests.optimize.tiny import Generator, Interpreter, TinySuite

SIZES = {"train": range(8), "val": range(12), "test": range(24)}


def spec(method: str, **more: object) -> StudySpec:
    return StudySpec(
        method=method, suite=SuiteSpec(name="tiny"), generator="g", interpreter="i",  # type: ignore[arg-type]
        budget=StudyBudget(max_rounds=3), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_plan_of_given_workflows_is_what_is_to_run() -> None:
    assert plan(spec("evaluate", repeats=2), SIZES, 2, 5) == Plan(2 * 12 * 2, 0, 0)
    assert plan(spec("evaluate", split="test"), SIZES, 1, 0) == Plan(24, 0, 0)


def test_plan_of_a_search() -> None:
    options = {"drafts": 2, "minibatch": 4, "promote": 1}
    found = plan(spec("in-context", options=options), SIZES, 2, 4)
    assert found == Plan(
        runs=2 * 12 + 3 * (2 * 4 + 4 + 12) + 3 * 24, proposals=3 * 2, questions=60 * (4 * 5 + 3 * 2 * 3)
    )
    assert plan(spec("in-context"), SIZES, 2, 0).questions == 0, "answers are no lists of known words"
    assert plan(spec("paper"), SIZES, 2, 4) == Plan(2 * 12 + 4 * 8 + 3 * 12 // 3 + 3 * 24, 3, 0)


def test_plan_of_a_training_is_what_it_takes_once_all_that_is_drawn_counts() -> None:
    found = plan(spec("lora", options={"group": 4, "accumulate": 2, "compare": 5}), SIZES, 2, 4)
    test = 3 * 24 + 2 * 5 * 24
    assert found == Plan(runs=2 * (8 + 12) + 3 * 8 * 8 + 3 * 12 // 3 + test, proposals=3, questions=0)


async def test_pilot_of_a_training_draws_and_updates_once_and_leaves_nothing(tmp_path: Path) -> None:
    store = open_store()
    told = trainable.spec_of(store, tmp_path, steps=50)
    suite = open_suite(told.suite, saved=store.get_suite)
    interpreter, said = ScriptedLLM.from_file(tmp_path / "interpreter.jsonl"), []
    pilot = Pilot(told, suite, Generator(), interpreter, Toolbox(), said.append)
    found, runs, spent = await pilot.measure()
    todo = plan(told, {split: suite.tasks(split) for split in SPLITS}, 2, 0)
    assert (runs, spent.calls) == (4, 4 + 8)
    assert found.calls == todo.runs + 50 * 8
    assert 0 < found.seconds < 3600, "the model is loaded once, not in each step"
    assert "Step 1: drawing 8 samples" in said
    assert list(settings().trainings.glob("*")) == []
    assert trainable.children() == []
    store.close()


async def test_pilot_measures_a_few_runs_and_one_proposal() -> None:
    interpreter, generator, said = Interpreter(cost_usd=0.01), Generator(cost_usd=0.5), []
    found, runs, spent = await Pilot(
        spec("paper"), TinySuite(), generator, interpreter, Toolbox(), said.append
    ).measure()  # fmt: skip
    assert runs == interpreter.calls == 4, "two candidates on two tasks"
    assert generator.calls == 1
    assert (spent.calls, spent.cost_usd) == (5, pytest.approx(0.54))
    todo = plan(spec("paper"), {s: TinySuite().tasks(s) for s in ("train", "val", "test")}, 2, 0)  # type: ignore[arg-type]
    assert found.calls == todo.runs + todo.proposals
    assert found.cost_usd == pytest.approx(todo.runs * 0.01 + todo.proposals * 0.5)
    assert found.tokens == todo.runs * 110 + todo.proposals * 1100
    assert said


async def test_unknown_prices_stay_unknown() -> None:
    pilot = Pilot(spec("paper"), TinySuite(), Generator(), Interpreter(cost_usd=None), Toolbox(), lambda _: None)
    found, _, _ = await pilot.measure()
    assert found.cost_usd is None
