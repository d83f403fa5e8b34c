"""Method `in-context`: which operators and parents it chooses, and that it chooses the same again."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from autoflow.errors import BudgetExceeded, SettingsError
from autoflow.optimize.in_context import ERROR_GAIN, InContext, _chosen, front, gain_of, operator_gains
from autoflow.optimize.operators import OPERATORS
from autoflow.optimize.view import StudyView
from autoflow.study import Candidate, Outcome, Split, Study, StudyBudget, StudySpec, SuiteSpec
from tests.optimize.operating import WRITTEN, Honest, workshop
from tests.optimize.tiny import TinySuite

SPLITS: dict[Split, tuple[str, ...]] = {"train": ("a", "b"), "val": ("x", "y", "z"), "test": ()}


def spec(**options: object) -> StudySpec:
    return StudySpec(method="in-context", suite=SuiteSpec(name="tiny"), generator="g", interpreter="i", options=options)


def view_of(*scores: tuple[dict[str, float], dict[str, float]], operators: tuple[str, ...] = ()) -> StudyView:
    """Candidates with their scores on train and validation; each is a child of the first."""
    view = StudyView(Study(id="st_000000000000", name="", spec=spec(), splits=SPLITS))
    for number, (train, val) in enumerate(scores):
        operator = operators[number] if number < len(operators) else "rewrite"
        parent = 0 if number else None
        view.add([Candidate(number=number, round=number, text=WRITTEN, parent=parent, operator=operator)])
        for split, found in (("train", train), ("val", val)):
            for task, score in found.items():
                outcome = Outcome(candidate=number, task=task, split=split, score=score, stop="terminal")  # type: ignore[arg-type]
                view.add((), [outcome])
    return view


def test_the_front_holds_whoever_is_best_on_a_task() -> None:
    all_ = {"x": 0.5, "y": 0.5, "z": 0.0}
    view = view_of(
        ({}, all_), ({}, {"x": 1.0, "y": 0.0, "z": 0.0}), ({}, {"x": 0.2, "y": 0.5, "z": 0.0}), ({"a": 1}, {"x": 1.0})
    )
    assert front(view) == {0: 1, 1: 1, 2: 1}, "z is nobody's, and the last was not run on all"


def test_gains_are_those_on_tasks_that_both_were_run_on() -> None:
    view = view_of(({"a": 0.5, "b": 0.1}, {}), ({"a": 0.75}, {}), ({}, {}), operators=("", "rewrite", "drop a step"))
    assert gain_of(view, view.candidates[1]) == pytest.approx(0.25)
    assert gain_of(view, view.candidates[2]) is None
    view.add([Candidate(number=3, round=3, text="", error="no steps", operator="rewrite", parent=0)])
    assert operator_gains(view) == {"rewrite": [pytest.approx(0.25), ERROR_GAIN]}


async def test_it_proposes_the_same_again_and_tries_each_operator_once_first() -> None:
    found = []
    for _ in range(2):
        shop = workshop(WRITTEN, Honest(), TinySuite())
        optimizer = InContext(shop.view.study.spec)
        drafts = await optimizer.propose(shop, 1)
        found.append([(d.operator, d.text, d.parent) for d in drafts])
    assert found[0] == found[1]
    assert len(found[0]) == 3
    assert [operator for operator, _, _ in found[0]][:2] == ["rewrite", "reword a step"], (
        "there are no parts to ask for"
    )


def test_half_are_rewrites_and_the_others_are_mostly_what_gained_most() -> None:
    names, tried = ["rewrite", "drop a step", "swap two steps"], {"rewrite": 1}
    gains = {"drop a step": [0.0, 0.1], "swap two steps": [0.4, -0.9], "rewrite": [-1.0]}
    chosen = Counter(_chosen(names, tried, gains, random.Random(n)) for n in range(1_000))
    assert 450 < chosen["rewrite"] < 600
    assert chosen["swap two steps"] > 10 * chosen["drop a step"] > 0


async def test_only_operators_that_are_named_are_used() -> None:
    shop = workshop(WRITTEN, Honest(), TinySuite())
    drafts = await InContext(spec(operators=["drop a step"], drafts=2)).propose(shop, 1)
    assert {d.operator for d in drafts} <= {"drop a step"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"operators": ["drop step"]}, "drop step"),
        ({"drafts": 0}, "drafts"),
        ({"colour": 1}, "colour"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        InContext(spec(**options))


async def test_a_limit_in_the_middle_keeps_the_drafts_that_are_there() -> None:
    shop = workshop(WRITTEN, Honest(), TinySuite())
    limited = shop.view.study.spec.model_copy(update={"budget": StudyBudget(max_calls=2)})
    shop.view.study = shop.view.study.model_copy(update={"spec": limited})
    drafts = await InContext(limited).propose(shop, 1)
    assert sum(d.totals.calls for d in drafts) == 2
    with pytest.raises(BudgetExceeded):
        await shop.generator.complete([], None)  # type: ignore[arg-type]


async def test_operators_that_gain_are_chosen_more_often() -> None:
    from autoflow.optimize.in_context import _chosen

    names = list(OPERATORS)
    tried = dict.fromkeys(names, 1)
    gains = {name: [0.3 if name == "rewrite" else -0.3] for name in names}
    chance = random.Random(0)
    drawn = Counter(_chosen(names, tried, gains, chance) for _ in range(400))
    assert drawn["rewrite"] > 100
    assert len(drawn) > len(names) / 2, "chance is kept alive"
