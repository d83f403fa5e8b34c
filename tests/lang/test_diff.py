"""Differences by step: what is recognised as the same step, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from autoflow.lang import parse
from autoflow.lang.diff import StepDiff, WorkflowDiff, diff, render, to_json
from autoflow.lang.workflow import Branch, Step, Workflow
from tests.lang.workflows import broken, sound

OLD = parse(
    "# mails\n"
    "Step 1:::process:::Read the mail:::next::Step 2\n"
    "Step 2:::decision:::Is it urgent?:::yes::Step 3::no::Step 1\n"
    "Step 3:::terminal:::Answer it:::\n"
).workflow


def changes(a: Workflow, b: Workflow) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    """(name before, name after, what happened) of each step that differs."""
    steps = diff(a, b).steps
    return [(d.before and d.before.name, d.after and d.after.name, d.changes) for d in steps]


def edited(text: str) -> Workflow:
    return parse(text).workflow


def test_a_step_put_in_front_of_numbered_ones_renames_them_and_changes_nothing_else() -> None:
    new = edited(
        "# mails\n"
        "Step 1:::process:::Read the mail:::next::Step 2\n"
        "Step 2:::process:::Translate it:::next::Step 3\n"
        "Step 3:::decision:::Is it urgent?:::yes::Step 4::no::Step 1\n"
        "Step 4:::terminal:::Answer it:::\n"
    )
    assert changes(OLD, new) == [
        ("Step 1", "Step 1", ("changed",)),  # it leads to the new step
        (None, "Step 2", ("added",)),
        ("Step 2", "Step 3", ("renamed",)),
        ("Step 3", "Step 4", ("renamed",)),
    ]


def test_changes_are_listed_field_by_field() -> None:
    new = edited(
        "# mails\n"
        "Step 1:::decision:::Read the mail twice:::a::Step 2::b::Step 3\n"
        "Step 2:::decision:::Is it urgent?:::yes::Step 3::no::Step 1\n"
        "Step 3:::terminal:::Answer it:::\n"
    )
    (step,) = diff(OLD, new).steps
    assert [(f.field, f.before, f.after) for f in step.fields] == [
        ("type", "process", "decision"),
        ("instruction", "Read the mail", "Read the mail twice"),
        ("branches", "next::Step 2", "a::Step 2::b::Step 3"),
    ]


def test_a_renamed_step_is_no_change_of_those_that_lead_to_it() -> None:
    new = edited(
        "# mails\n"
        "Read:::process:::Read the mail:::next::Step 2\n"
        "Step 2:::decision:::Is it urgent?:::yes::Step 3::no::Read\n"
        "Step 3:::terminal:::Answer it:::\n"
    )
    assert changes(OLD, new) == [("Step 1", "Read", ("renamed",))]


def test_a_removed_step_is_listed_where_it_stood() -> None:
    new = Workflow((OLD.steps[0], OLD.steps[2]), OLD.comments)
    assert changes(OLD, new) == [("Step 2", None, ("removed",))]
    assert diff(OLD, new).steps[0].before_position == 2


def test_one_step_moved_to_the_end_is_one_move() -> None:
    steps = [Step(f"S{k}", "terminal", f"Say {k}") for k in range(6)]
    moved = [*steps[1:], steps[0]]
    assert changes(Workflow(tuple(steps)), Workflow(tuple(moved))) == [("S0", "S0", ("moved",))]


def test_white_space_and_spelling_of_targets_are_no_difference() -> None:
    spaced = Step("Step  1", "PROCESS", "Read  the mail", (Branch("Next", "step 2"),))
    assert diff(OLD, Workflow((spaced, *OLD.steps[1:]), OLD.comments)).empty


def test_a_target_that_turns_into_a_step_by_itself_is_no_change_of_the_branch() -> None:
    dangling = Workflow((Step("A", "process", "go", (Branch("next", "B"),)),))
    mended = Workflow((*dangling.steps, Step("B", "terminal", "stop")))
    assert changes(dangling, mended) == [(None, "B", ("added",))]
    assert changes(mended, dangling) == [("B", None, ("removed",))]


def test_text_and_json_say_what_happened() -> None:
    new = edited(
        "# letters\n"
        "Step 2:::decision:::Is it very urgent?:::yes::Answer::no::Step 2\n"
        "Answer:::terminal:::Answer it:::\n"
    )
    found = diff(OLD, new)
    assert render(found) == (
        "1 removed, 1 changed, 1 renamed\n"
        "- Step 1:::process:::Read the mail:::next::Step 2\n"
        "~ Step 2: changed\n"
        "    instruction:\n"
        "      - Is it urgent?\n"
        "      + Is it very urgent?\n"
        "    branches:\n"
        "      - yes::Step 3::no::Step 1\n"
        "      + yes::Answer::no::Step 2\n"
        "~ Answer: renamed\n"
        "    name:\n"
        "      - Step 3\n"
        "      + Answer\n"
        "- comment: # mails\n"
        "+ comment: # letters"
    )
    data = json.loads(json.dumps(to_json(found)))
    assert data["counts"] == {"removed": 1, "changed": 1, "renamed": 1}
    assert data["steps"][0]["before"] == {"name": "Step 1", "type": "process", "instruction": "Read the mail",
                                          "branches": [["next", "Step 2"]]}  # fmt: skip
    assert data["steps"][2]["fields"] == [{"field": "name", "before": "Step 3", "after": "Answer"}]
    assert data["comments"] == {"added": ["# letters"], "removed": ["# mails"]}
    assert render(diff(OLD, OLD)) == "No difference."


@given(sound() | broken())
def test_nothing_differs_from_itself(workflow: Workflow) -> None:
    assert diff(workflow, workflow) == WorkflowDiff()


def mirrored(found: WorkflowDiff) -> tuple[set[str], tuple[str, ...], tuple[str, ...]]:
    def swap(d: StepDiff) -> StepDiff:
        fields = tuple(replace(f, before=f.after, after=f.before) for f in d.fields)
        return StepDiff(d.after, d.before, d.after_position, d.before_position, fields, d.moved)

    return {repr(swap(d)) for d in found.steps}, found.comments_removed, found.comments_added


@given(sound() | broken(), st.data())
def test_swapping_the_sides_mirrors_the_difference(a: Workflow, data: st.DataObject) -> None:
    b = data.draw(st.permutations(a.steps).map(lambda steps: Workflow(tuple(steps[:5]))) | sound() | broken())
    there, back = diff(a, b), diff(b, a)
    assert mirrored(there) == ({repr(d) for d in back.steps}, back.comments_added, back.comments_removed)


@given(sound() | broken(), sound() | broken())
def test_every_step_of_both_sides_is_accounted_for(a: Workflow, b: Workflow) -> None:
    counts = diff(a, b).counts
    assert len(a.steps) - counts.get("removed", 0) == len(b.steps) - counts.get("added", 0)
