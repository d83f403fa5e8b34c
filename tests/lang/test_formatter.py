"""The canonical text, and the law that binds reading and writing."""

from __future__ import annotations

from hypothesis import given, settings

from autoflow.lang import Branch, Comment, Step, Workflow, canonical, format, parse
from tests.lang.strategies import texts, workflows


@given(workflows())
@settings(max_examples=300, deadline=None)
def test_format_then_parse_roundtrips(workflow: Workflow) -> None:
    assert parse(format(workflow)).workflow == workflow


@given(texts())
@settings(max_examples=400, deadline=None)
def test_what_was_read_without_errors_roundtrips_and_format_is_idempotent(text: str) -> None:
    result = parse(text)
    written = format(result.workflow)
    if result.ok:
        assert parse(written).workflow == result.workflow
        assert format(parse(written).workflow) == written
        assert canonical(result.workflow) == result.workflow


def test_the_canonical_text() -> None:
    text = (
        "\ufeff# Plan\r\n"
        " step  A :::PROCESS::: Do   it: ::: NEXT::STEP b\r\n"
        "\r\n"
        "prose stays   \r\n"
        "Step B :::Decision:::Is\tit?::: yes ::step a:: no::END\r\n"
        "end:::TERMINAL:::Stop."
    )
    assert format(parse(text).workflow) == (
        "# Plan\n"
        "step A:::process:::Do it::::next::Step B\n"
        "\n"
        "prose stays\n"
        "Step B:::decision:::Is it?:::yes::step A::no::end\n"
        "end:::terminal:::Stop.:::\n"
    )


def test_what_code_built_is_made_canonical() -> None:
    workflow = Workflow(
        (
            Step(" A ", "Process", "Do\nit", (Branch("NEXT", "b"),)),
            Step("B", "terminal", "Stop\x00now"),
        ),
        (Comment("# last", 5), Comment("# first", -1)),
    )
    assert format(workflow) == "# first\nA:::process:::Do it:::next::B\nB:::terminal:::Stop now:::\n# last\n"
    assert parse(format(workflow)).workflow == canonical(workflow)


def test_writing_keeps_what_a_faulty_line_held() -> None:
    for line in (
        "A:::process:::Do.:::Nowhere",
        "A:::decision:::Do?:::yes::B::no::",
        "A:::magic:::Do.:::x::Nowhere",
        "A:::terminal:::Do.:::next::A",
        "A:::process",
        "not a step",
    ):
        text = f"{line}\nB:::terminal:::Stop.:::\n"
        assert format(parse(text).workflow) == text


def test_a_workflow_without_anything_is_an_empty_text() -> None:
    assert format(Workflow()) == ""
    assert format(parse("\n\n").workflow) == "\n\n"
