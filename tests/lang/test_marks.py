"""Marks: what is written is read again, what is not exactly a mark stays text, and no text takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.lang import check, format_workflow, parse
from autoflow.lang.diff import diff
from autoflow.lang.grammar import core_grammar
from autoflow.lang.marks import SEEN, Marks, read_marks, with_marks
from tests.lang.strategies import texts, workflows
from tests.lang.test_grammar import Matcher

PIECES = [
    "[",
    "]",
    "[sees: ",
    "[no reason]",
    "[sees: task]",
    "sees",
    ":",
    ",",
    " ",
    "task",
    "nothing",
    "\t",
    "\u3000",
    "é",
]
marks = st.builds(
    Marks, st.none() | st.frozensets(st.sampled_from(SEEN)), st.booleans()
)  # every combination that a step can have
instructions = st.one_of(
    st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map("".join), texts()
).filter(str.strip)


@given(instructions, marks)
def test_marks_that_are_written_are_read_again(instruction: str, wanted: Marks) -> None:
    text, found = read_marks(with_marks(instruction, wanted))
    assert found == wanted
    assert text == read_marks(instruction)[0].rstrip()


@given(instructions)
def test_what_was_read_holds_no_more_marks_and_comes_back_the_same(instruction: str) -> None:
    text, found = read_marks(instruction)
    assert read_marks(text) == (text, Marks())
    assert instruction.startswith(text)
    assert text.strip()
    assert read_marks(with_marks(text, found)) == (text.rstrip(), found)


@given(instructions, marks, marks)
def test_marks_take_the_place_of_those_before(instruction: str, first: Marks, second: Marks) -> None:
    assert with_marks(with_marks(instruction, first), second) == with_marks(instruction, second)


@pytest.mark.parametrize(
    ("instruction", "text", "sees", "reason"),
    [
        ("Is it noisy? [sees: task] [no reason]", "Is it noisy?", {"task"}, False),
        ("Is it noisy? [no reason] [sees: task]", "Is it noisy?", {"task"}, False),
        ("Is it?[sees:task,tools][no reason]", "Is it?", {"task", "tools"}, False),
        ("Is it? [ SEES :  Task , ANSWERS ]  ", "Is it?", {"task", "answers"}, True),
        ("Is it? [No\tReason]", "Is it?", None, False),
        ("Is it? [sees: nothing]", "Is it?", set(), True),
        ("Is it? [sees: task] [sees: last]", "Is it?", {"last"}, True),
        ("Is it? [no reason] [no reason]", "Is it?", None, False),
    ],
)
def test_marks_are_read_whatever_their_case_order_and_spaces(
    instruction: str, text: str, sees: set[str] | None, reason: bool
) -> None:
    assert read_marks(instruction) == (text, Marks(None if sees is None else frozenset(sees), reason))


@pytest.mark.parametrize(
    "instruction",
    [
        "", " ", "Look at it.", "Look [sees: task] at it.", "Look [sees: tasks]", "Look [sees:]", "Look [sees: ]",
        "Look [sees: task,]", "Look [sees: task, nothing]", "Look [sees: task; tools]", "Look [see: task]",
        "Look [no reasons]", "Look [no reason: x]", "Look [noreason]", "Look (no reason)", "Look [sees: task",
        "Look sees: task]", "Look [[no reason]x]", "Look [sees: task].", "[sees: task]", "  [no reason] ", "Look []",
        "Look [sees task]", "Look [sees: " + "task, " * 100 + "task]", "Look [sees: task\\]", "Look [sees: ta sk]",
    ],
)  # fmt: skip
def test_what_is_not_exactly_a_mark_is_left_as_text(instruction: str) -> None:
    assert read_marks(instruction) == (instruction, Marks())


def test_a_mark_before_something_that_is_none_is_text_as_well() -> None:
    assert read_marks("Look [no reason] [sees: tasks]") == ("Look [no reason] [sees: tasks]", Marks())
    assert read_marks("Look [sees: tasks] [no reason]") == ("Look [sees: tasks]", Marks(reason=False))


def test_an_instruction_of_marks_alone_keeps_the_first_as_its_words() -> None:
    assert read_marks("[sees: task] [no reason]") == ("[sees: task]", Marks(reason=False))


HOSTILE = {
    "spaces": lambda n: "a" + " " * n + "b",
    "spaces before a bracket": lambda n: "a" + " " * n + "]",
    "spaces in brackets": lambda n: "a [sees:" + " " * n + "x]",
    "open brackets": lambda n: "a " + "[" * n + "]",
    "halves of marks": lambda n: "a " + "[sees: task" * (n // 11),
    "many marks": lambda n: "a " + "[no reason]" * (n // 11),
    "many marks behind one that is none": lambda n: "a " + "[no reason]" * (n // 11) + "[no]",
    "many closed brackets": lambda n: "a" + "]" * n,
    "one long word": lambda n: "a [sees: " + "t" * n + "]",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_with_the_length_alone(kind: str) -> None:
    """A square would take minutes at this length; a line takes a second at most, on any machine."""
    text = HOSTILE[kind](2_000_000)
    began = time.process_time()
    read_marks(text)
    with_marks(text, Marks(frozenset(), reason=False))
    assert time.process_time() - began < 10


@given(workflows(), marks)
def test_a_step_with_marks_is_formatted_checked_and_read_like_any_other(workflow, wanted) -> None:  # type: ignore[no-untyped-def]
    marked = type(workflow)(
        tuple(type(s)(s.name, s.type, with_marks(s.instruction, wanted), s.branches) for s in workflow.steps)
    )
    text = format_workflow(marked)
    parsed = parse(text)
    assert format_workflow(parsed.workflow) == text
    assert [read_marks(s.instruction)[1] for s in parsed.workflow.steps] == [wanted] * len(workflow.steps)
    before = {d.slug for d in check(type(workflow)(workflow.steps))}
    assert {d.slug for d in check(marked)} == before


def test_a_mark_shows_in_a_comparison_as_a_change_of_the_instruction() -> None:
    old = parse("A:::terminal:::Say it.:::\n").workflow
    new = parse("A:::terminal:::Say it. [sees: task]:::\n").workflow
    changed = diff(old, new)
    assert [field.field for step in changed.steps for field in step.fields] == ["instruction"]


def test_the_grammar_for_decoding_lets_marks_be_written() -> None:
    lark = core_grammar(2, 3).lark
    assert lark is not None
    text = (
        "Step 1:::process:::Is the image noisy? [sees: task, answers]:::next::Step 2\n"
        "Step 2:::terminal:::Say it well. [no reason]:::"
    )
    assert Matcher(lark).accepted(text) == text
