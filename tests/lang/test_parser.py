"""Lines and fields: what is a step, what is a comment, where fields begin and end."""

from __future__ import annotations

import pytest

from autoflow.errors import WorkflowError
from autoflow.lang import Branch, Comment, Step, WorkflowSyntaxError, parse, parse_strict

END = "End:::terminal:::Stop.:::\n"


def slugs(text: str) -> list[str]:
    return [found.slug for found in parse(text).diagnostics]


def first(text: str) -> Step:
    return parse(text).workflow.steps[0]


def test_steps_comments_and_positions_are_read_in_order() -> None:
    result = parse("\ufeff# a plan\n\nA:::Process:::Do it.:::Next::end\n   # inside\r\n" + END)
    assert result.diagnostics == ()
    assert result.workflow.steps == (
        Step("A", "process", "Do it.", (Branch("next", "End"),)),
        Step("End", "terminal", "Stop."),
    )
    assert [step.line for step in result.workflow.steps] == [3, 5]
    assert result.workflow.comments == (Comment("# a plan", 0), Comment("", 0), Comment("   # inside", 1))
    assert result.text.startswith("# a plan")


@pytest.mark.parametrize(
    ("colons", "instruction"), [(3, "Do it"), (4, "Do it:"), (5, "Do it::")]
)  # fmt: skip
def test_the_rest_of_a_run_of_colons_belongs_to_the_field_on_its_left(colons: int, instruction: str) -> None:
    text = f"A:::process:::Do it{':' * colons}next::End\n{END}"
    assert (first(text).instruction, slugs(text)) == (instruction, [])


def test_a_run_of_six_colons_holds_an_empty_field() -> None:
    assert slugs("A:::process::::::next::End\n" + END) == ["empty-instruction"]
    assert slugs("A::::::Do it:::next::End\n" + END) == ["unknown-type"]


def test_a_run_of_seven_colons_gives_one_to_the_left() -> None:
    text = "A:::process:::::::next::End\n" + END
    found = parse(text).diagnostics
    assert [d.slug for d in found] == ["unknown-type", "empty-instruction"]
    assert "`process:`" in found[0].message


def test_an_instruction_may_hold_colons_and_end_in_one() -> None:
    text = "A:::process:::Ask: a::b? Then::::next::End\n" + END
    assert (first(text).instruction, slugs(text)) == ("Ask: a::b? Then:", [])


def test_fields_are_trimmed_and_white_space_becomes_one_space() -> None:
    step = first(" A \t b ::: PROCESS :::  Do\u00a0\u3000it . ::: next :: END \n" + END)
    assert step == Step("A b", "process", "Do it .", (Branch("next", "End"),))


def test_names_are_compared_by_nfc_casefold_and_white_space_and_shown_as_written() -> None:
    text = "Stra\u00dfe  E\u0301 1:::process:::Go.:::next::STRASSE \u00c9\u00a01\n"
    text = text + "END:::terminal:::Stop.:::\n"
    step = first(text)
    assert step.name == "Stra\u00dfe E\u0301 1"
    assert step.branches == (Branch("next", step.name),)
    assert "unknown-target" not in slugs(text)
    assert slugs("\u0130:::terminal:::a:::\ni\u0307:::terminal:::b:::\n") == ["duplicate-name"]


@pytest.mark.parametrize(
    "mark", ["\x00", "\x0b", "\x0c", "\x1c", "\x1e", "\x7f", "\x85", "\u2028", "\u2029", "\r", "\ufeff", "\ud800"]
)
def test_control_characters_become_spaces_and_end_no_line(mark: str) -> None:
    text = f"A:::process:::Do{mark}it.:::next::End\n{END}"
    result = parse(text)
    assert result.workflow.steps[0].instruction == "Do it."
    (found,) = result.diagnostics
    assert (found.slug, found.severity, found.line, found.column) == ("control-character", "information", 1, 17)


def test_a_tab_is_white_space_like_any_other() -> None:
    assert slugs("A\t:::process:::Do\tit.:::next::End\n" + END) == []


def test_a_carriage_return_ends_a_line_only_before_a_line_feed() -> None:
    assert slugs("A:::process:::Do.:::next::End\r\nEnd:::terminal:::Stop.:::\r\n") == []
    assert slugs("End:::terminal:::Stop.:::\r") == ["control-character"]
    assert slugs("End:::terminal:::Stop.:::\r\r\n") == ["control-character"]


def test_many_control_characters_of_a_line_are_one_finding_with_one_fix() -> None:
    (found,) = parse("End:::terminal:::a\x0bb\x0cc\x0bd:::\n").diagnostics
    assert found.fix is not None
    assert [edit.text for edit in found.fix] == [" b c "]


def test_a_comment_may_hold_separators() -> None:
    result = parse("# A:::process:::x:::next::B\n" + END)
    assert (len(result.workflow.steps), result.diagnostics) == (1, ())


def test_a_line_with_two_fields_is_kept_and_explains_what_refers_to_it() -> None:
    result = parse("A:::process:::Do.:::next::B\nB:::terminal\nC:::process:::x:::next::C\n")
    assert [d.slug for d in result.diagnostics] == ["missing-field"]
    assert result.workflow.comments == (Comment("B:::terminal", 1),)


def test_without_any_step_nothing_else_is_said() -> None:
    for text in ("", "\n\n", "# x", "prose\x0b\nmore prose", "::", "\ufeff"):
        assert slugs(text) == ["no-steps"]
        assert parse(text).workflow.steps == ()
    assert len(parse("one\ntwo").workflow.comments) == 2


def test_list_marks_are_taken_as_part_of_the_name_with_a_hint() -> None:
    result = parse("1. Step 1:::process:::Do.:::next::Step 2\n2. Step 2:::terminal:::Stop.:::\n")
    assert [step.name for step in result.workflow.steps] == ["1. Step 1", "2. Step 2"]
    (found,) = result.diagnostics
    assert found.slug == "unknown-target"
    assert "`2. Step 2`" in found.hint


def test_names_may_hold_what_separates_elsewhere() -> None:
    text = "Ask, then: go|do; it:::decision:::Is it?:::No, not yet::Ask, then: go|do; it::yes; now::End\n" + END
    assert slugs(text) == []
    assert [b.key for b in first(text).branches] == ["No, not yet", "yes; now"]


def test_targets_are_spelt_as_the_name_of_their_step() -> None:
    assert first("A:::decision:::Is it?:::x::END::y::  a\n" + END).branches == (Branch("x", "End"), Branch("y", "A"))


def test_strict_reading_raises_with_every_error_and_its_place() -> None:
    text = "A:::process:::Do.:::next::Endd\nA:::process:::Do.:::\n" + END
    with pytest.raises(WorkflowSyntaxError) as caught:
        parse_strict(text, "plan.core")
    assert isinstance(caught.value, WorkflowError)
    assert [d.slug for d in caught.value.result.errors] == ["unknown-target", "duplicate-name", "process-branches"]
    shown = str(caught.value)
    assert "plan.core has 3 errors" in shown
    assert "plan.core:1:27: error[unknown-target]" in shown
    assert "did you mean `End`?" in shown
    assert "warning" not in shown


def test_strict_reading_returns_a_workflow_with_warnings() -> None:
    assert parse_strict("A:::process:::Do.:::next::End:::\n" + END).entry.name == "A"
