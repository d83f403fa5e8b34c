"""The branches of a line: separators, marks, precedence, and what belongs to the instruction."""

from __future__ import annotations

import pytest

from autoflow.lang import Step, fix_all, parse

ENDS = "Step 3:::terminal:::Stop.:::\nStep 4:::terminal:::Stop.:::\nStep 4, or 5:::terminal:::Stop.:::\n"


def read(line: str) -> tuple[Step, list[str]]:
    """The first step, and the slugs found on its line."""
    result = parse(line + "\n" + ENDS)
    return result.workflow.steps[0], [found.slug for found in result.diagnostics if found.line == 1]


def pairs(step: Step) -> list[tuple[str, str]]:
    return [(branch.key, branch.target) for branch in step.branches]


@pytest.mark.parametrize(
    "branches",
    [
        "yes::Step 3:::no::Step 4",
        "yes::Step 3::::no::Step 4",
        "yes::Step 3 ::: no::Step 4:::",
        "yes::Step 3, no::Step 4",
        "yes::Step 3;no::Step 4;",
        "yes::Step 3 | no::Step 4",
        "yes:::Step 3:::no:::Step 4",
    ],
)
def test_all_branches_are_kept_whatever_stands_between_them(branches: str) -> None:
    line = f"A:::decision:::Is it?:::{branches}"
    step, slugs = read(line)
    assert pairs(step) == [("yes", "Step 3"), ("no", "Step 4")]
    assert step.instruction == "Is it?"
    assert slugs == ["branch-separator"]
    assert fix_all(line + "\n" + ENDS)[0].startswith("A:::decision:::Is it?:::yes::Step 3::no::Step 4\n")


def test_the_branches_begin_at_the_first_field_that_holds_two_colons() -> None:
    step, slugs = read("A:::process:::Say:::this:::and that:::next::Step 3")
    assert (step.instruction, pairs(step)) == ("Say:this:and that", [("next", "Step 3")])
    assert slugs == ["instruction-separator"]
    step, slugs = read("A:::decision:::Is it?:::yes:::no::Step 3::yes::Step 4")
    assert (step.instruction, len(step.branches)) == ("Is it?:yes", 2)
    assert slugs == ["instruction-separator"]


def test_separators_in_the_instruction_and_among_the_branches_are_two_faults() -> None:
    step, slugs = read("A:::decision:::Is:::it?:::yes::Step 3:::no::Step 4")
    assert slugs == ["instruction-separator", "branch-separator"]
    assert (step.instruction, len(step.branches)) == ("Is:it?", 2)


def test_a_mark_inside_a_target_that_is_a_name_as_a_whole_stays() -> None:
    step, slugs = read("A:::decision:::Is it?:::yes::Step 4, or 5::no::Step 4")
    assert (pairs(step), slugs) == ([("yes", "Step 4, or 5"), ("no", "Step 4")], [])


def test_a_mark_is_only_split_behind_a_name() -> None:
    step, slugs = read("A:::decision:::Is it?:::yes::Nowhere, no::Step 4")
    assert slugs == ["odd-branches"]
    step, slugs = read("A:::decision:::Is it?:::yes::Step 4, or 6::no::Step 3")
    assert slugs == ["unknown-target"]
    assert pairs(step)[0] == ("yes", "Step 4, or 6")


def test_a_key_may_hold_marks_next_to_a_mended_separator() -> None:
    step, slugs = read("A:::decision:::Is it?:::yes::Step 3, No, not yet::Step 4")
    assert (pairs(step), slugs) == ([("yes", "Step 3"), ("No, not yet", "Step 4")], ["branch-separator"])


@pytest.mark.parametrize(
    ("line", "slugs"),
    [
        ("A:::process:::Do.:::Step 3", ["missing-key"]),
        ("A:::process:::Do.:::Nowhere", ["missing-key"]),
        ("A:::decision:::Do?:::Step 3", ["missing-key"]),
        ("A:::terminal:::Do.:::Step 3", ["missing-key"]),
        ("A:::process:::Do.:::next::", ["empty-branch"]),
        ("A:::process:::Do.:::next::Step 3::", ["empty-branch"]),
        ("A:::process:::Do.::: ::Step 3", ["empty-branch"]),
        ("A:::decision:::Do?:::yes:: ::no::Step 3", ["empty-branch"]),
        ("A:::decision:::Do?:::yes::Step 3::no", ["odd-branches"]),
        ("A:::process:::Do.:::yes::Step 3::no", ["odd-branches"]),
        ("A:::terminal:::Do.:::next::", ["empty-branch"]),
        ("A:::process:::Do.:::", ["process-branches"]),
        ("A:::process:::Do.", ["process-branches"]),
        ("A:::process:::Do.:::then::Step 3", ["process-branches"]),
        ("A:::process:::Do.:::a::Step 3::b::Step 4", ["process-branches"]),
        ("A:::decision:::Do?:::", ["decision-branches"]),
        ("A:::decision:::Do?:::yes::Step 3", ["decision-branches"]),
        ("A:::decision:::Do?:::yes::Step 3::YES::Step 4", ["decision-branches"]),
        ("A:::terminal:::Do.:::next::Step 3", ["terminal-branches"]),
        ("A:::terminal:::Do.:::next::Nowhere", ["terminal-branches"]),
        ("A:::terminal:::Do.", ["missing-branches"]),
        ("A:::end:::Do.", ["unknown-type", "missing-branches"]),
        ("A:::proces:::Do.:::yes::Step 3", ["unknown-type", "process-branches"]),
        ("A:::magic:::Do.:::yes::Step 3", ["unknown-type"]),
        ("A:::magic:::Do.", ["unknown-type"]),
        ("A:::decision:::Do?:::yes::Step 3:::no::Nowhere", ["branch-separator", "unknown-target"]),
        ("A:::process:::Do.:::Step 3:::", ["missing-key", "branch-separator"]),
    ],
)
def test_one_fault_gives_one_slug(line: str, slugs: list[str]) -> None:
    assert read(line)[1] == slugs


def test_a_process_may_name_its_branch_in_any_case() -> None:
    step, slugs = read("A:::process:::Do.:::NEXT::step 3")
    assert (pairs(step), slugs) == ([("next", "Step 3")], [])


def test_a_fix_is_offered_for_a_bare_target_only_where_it_is_certain() -> None:
    def fixes(line: str) -> list[bool]:
        return [found.fix is not None for found in parse(f"{line}\n{ENDS}").diagnostics if found.slug == "missing-key"]

    assert fixes("A:::process:::Do.:::Step 3") == [True]
    assert fixes("A:::process:::Do.:::Nowhere") == [False]
    assert fixes("A:::decision:::Do?:::Step 3") == [False]


@pytest.mark.parametrize(
    ("line", "instruction", "targets"),
    [
        ("A:::process:::Do:::next:::Step 3", "Do", ["Step 3"]),
        ("A:::process:::Do:::and do:::next:::Step 3", "Do:and do", ["Step 3"]),
        ("A:::process:::Do:::and do:::Step 3", "Do:and do", ["Step 3"]),
        ("A:::process:::Do:::and do:::then", "Do:and do:then", []),
        ("A:::terminal:::Say:::Step 3:::", "Say:Step 3", []),
        ("A:::decision:::Is it?:::yes:::Step 3:::no:::Step 4", "Is it?", ["Step 3", "Step 4"]),
    ],
)
def test_without_any_pair_of_colons_names_of_steps_tell_the_branches(
    line: str, instruction: str, targets: list[str]
) -> None:
    step, _ = read(line)
    assert (step.instruction, [branch.target for branch in step.branches]) == (instruction, targets)
