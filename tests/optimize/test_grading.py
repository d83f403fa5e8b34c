"""A sampled text earns the more the nearer it comes to a workflow that is its own; a copy of the example is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.lang import format_workflow, parse
from autoflow.lang.workflow import Workflow
from autoflow.optimize.grading import differs, distance, grade, shared_out, structure
from autoflow.study import RewardSpec
from tests.lang.strategies import workflows

EXAMPLE = """Step 1:::process:::Name the type of each input.:::next::Step 2
Step 2:::decision:::Is every model in the list?:::yes::Step 3::no::Step 1
Step 3:::terminal:::Answer with the names in order.:::
"""
SPEC = RewardSpec()
LADDER = [  # each earns more than the one before
    "I would first look at the picture, and then at the words.",
    "Step 1:::process:::Look.:::next::Step 9\nStep 2:::thought:::Think.:::next::Step 9\n",
    "Step 1:::process:::Look.:::next::Step 2\nStep 2:::process:::Think.:::next::Step 9\n",
    "Step 1:::process:::a:::next::Step 2\nStep 2:::process:::b:::next::Step 3\nStep 3:::process:::c:::next::Step 9\n",
    EXAMPLE,
]


def reward(text: str, *, ended: bool = True) -> float:
    return grade(text, EXAMPLE, ended=ended).penalty(SPEC, copied=-0.25)


def test_there_is_a_slope_from_prose_to_a_copy() -> None:
    earned = [reward(text) for text in LADDER]
    assert earned == sorted(earned)
    assert len(set(earned)) == len(LADDER)
    assert earned[0] == SPEC.no_steps
    assert max(earned[:-1]) < SPEC.errors < earned[-1]


def test_workflow_of_its_own_counts() -> None:
    text = "Step 1:::process:::Look.:::next::Step 2\nStep 2:::terminal:::Tell what you saw.:::\n"
    assert grade(text, EXAMPLE).counts


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        EXAMPLE.replace("Step", "Part"),
        "Here it is:\n\n" + EXAMPLE,
        EXAMPLE.replace("in order", "in a row"),
        EXAMPLE.replace("type", "kind").replace("Answer with", "Give"),
    ],
    ids=["the same", "other names", "with prose before", "a word changed", "some words changed"],
)
def test_the_example_hardly_changed_is_a_copy(text: str) -> None:
    found = grade(text, EXAMPLE)
    assert found.copied
    assert not found.counts
    assert not found.error


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE.replace("no::Step 1", "no::Step 2"),
        EXAMPLE.replace("Name the type of each input.", "Say in one sentence what has to be done, and for whom."),
    ],
    ids=["leads elsewhere", "other words"],
)
def test_another_structure_or_other_words_make_it_its_own(text: str) -> None:
    assert grade(text, EXAMPLE).counts


def test_text_that_was_cut_off_does_not_count_and_earns_less_than_a_whole_one() -> None:
    text = "Step 1:::process:::Look.:::next::Step 2\nStep 2:::terminal:::Tell what you saw, and then:::"
    assert grade(text, EXAMPLE).counts
    assert not grade(text, EXAMPLE, ended=False).counts
    assert reward(text, ended=False) < SPEC.errors


def test_what_is_drawn_again_earns_once() -> None:
    texts = ["a", "b", "a", "a", "c", "c"]
    assert shared_out([0.5, 1.0, 0.5, 0.5, -0.7, -0.7], texts, -0.25) == [0.0, 1.0, 0.0, 0.0, -0.7, -0.7]


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=16), st.floats(-1, 1))
def test_the_more_texts_the_more_is_earned(texts: list[str], repeated: float) -> None:
    earned = sum(shared_out([1.0] * len(texts), texts, repeated))
    kinds = len(set(texts))
    assert earned == pytest.approx(kinds + (len(texts) - kinds) * repeated)


@given(workflows(), workflows())
def test_distance_is_one(a: Workflow, b: Workflow) -> None:
    assert 0 <= distance(a, b) <= 1
    assert distance(a, b) == distance(b, a)
    assert distance(a, a) == 0
    assert differs(a, b) == differs(b, a)
    assert not differs(a, a)


@given(workflows())
def test_grade_of_a_workflow_is_that_of_its_canonical_text(workflow: Workflow) -> None:
    text = format_workflow(workflow)
    assert grade(text, text).copied
    assert structure(parse(text).workflow) == structure(workflow)
