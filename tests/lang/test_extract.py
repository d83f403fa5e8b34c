"""Finding the workflow in what models reply. `replies/` holds replies as models write them, each with its workflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.lang import format_workflow, parse
from autoflow.lang.extract import extract
from autoflow.lang.workflow import Workflow
from tests.lang.workflows import ANYTHING, sound

REPLIES = sorted((Path(__file__).parent / "replies").glob("*.reply.txt"))
UNTOUCHED = {"plain", "no-workflow", "thinking-never-closed", "cut-off-in-the-middle"}


def read(path: Path) -> str:
    return path.read_bytes().decode()


def messages(reply: str) -> list[str]:
    return [d.message for d in extract(reply).diagnostics if d.slug == "extracted"]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name.removesuffix(".reply.txt"))
def test_the_workflow_is_found_and_what_went_is_reported(path: Path) -> None:
    name = path.name.removesuffix(".reply.txt")
    result = extract(read(path))
    assert result.text == read(path.with_name(f"{name}.core"))
    assert ("extracted" in {d.slug for d in result.diagnostics}) == (name not in UNTOUCHED)


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name.removesuffix(".reply.txt"))
def test_what_was_extracted_is_extracted_unchanged(path: Path) -> None:
    text = extract(read(path)).text
    assert extract(text).text == text
    assert messages(text) == []


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name.removesuffix(".reply.txt"))
def test_positions_refer_to_the_text_of_the_workflow(path: Path) -> None:
    result = extract(read(path))
    plain = parse(result.text)
    assert tuple(d for d in result.diagnostics if d.slug != "extracted") == plain.diagnostics
    assert result.workflow == plain.workflow


def test_each_kind_of_thing_taken_away_is_named() -> None:
    reply = (
        "<think>hm</think>\nSure:\n```\n1. **A** ::: process:::go:::next：：B\n2. B:::terminal:::stop:::\n```\n"
        "or\n```\nA:::process:::go:::next::C\n```\n"
    )
    assert messages(reply) == [
        "1 thinking block was left out",
        "2 code fences were taken away",
        "2 lines were left out, being no step",
        "1 other workflow was left out",
        "full-width colons were made plain (1 line)",
        "list and quotation marks were taken away (2 lines)",
        "bold, quotes and brackets around fields were taken away (1 line)",
        "spaces around `:::` were taken away (1 line)",
    ]


def test_without_a_workflow_there_is_one_error_and_no_text() -> None:
    for reply in ("", "Hello!", "a:::b", ":::note\ntext\n:::", '{"steps": []}', "```\n```", "</think>", "\ufeff"):
        result = extract(reply)
        assert [d.slug for d in result.diagnostics] == ["no-steps"]
        assert (result.text, result.workflow) == ("", Workflow())


def test_one_step_alone_is_a_workflow_only_where_there_is_no_longer_one() -> None:
    assert extract("Say:\nA:::terminal:::hello:::").text == "A:::terminal:::hello:::\n"
    long = "A:::process:::go:::next::B\nB:::terminal:::stop:::\n"
    assert extract(f"{long}\nand then\nZ:::terminal:::hello:::").text == long


def test_marks_inside_an_instruction_stay() -> None:
    line = 'A:::terminal:::Say **"yes"** or `no`: not - more, "I mean it":::\n'
    assert extract(line).text == line
    assert messages(line) == []


def test_a_colon_at_the_end_of_an_instruction_stays() -> None:
    assert extract("- A:::terminal:::Answer::::").text == "A:::terminal:::Answer::::\n"


@given(sound())
def test_a_plain_workflow_is_left_as_it_is(workflow: Workflow) -> None:
    text = format_workflow(Workflow(workflow.steps))
    result = extract(text)
    assert result.text == text
    assert result.workflow == Workflow(workflow.steps)
    assert messages(text) == []


DRESSES = [
    lambda text: f"Sure, here it is:\n\n```core\n{text}```\nHope it helps.",
    lambda text: f"<think>Step 1:::terminal:::no:::</think>{text}",
    lambda text: "\n".join(f"{k}. {line}" for k, line in enumerate(text.splitlines(), 1)),
    lambda text: "\n".join(f"- **{line}**" for line in text.splitlines()),
    lambda text: "\n".join(f"> `{line}`" for line in text.splitlines()),
    lambda text: text.replace(":::", " ::: "),
    lambda text: text.replace("::", "：："),
    lambda text: text.replace("\n", "\r\n"),
]


@given(sound(), st.lists(st.sampled_from(DRESSES), min_size=1, max_size=3, unique=True))
def test_a_workflow_is_found_under_whatever_models_put_around_it(workflow: Workflow, dresses: list) -> None:  # type: ignore[type-arg]
    plain = text = format_workflow(Workflow(workflow.steps))
    for dress in sorted(dresses, key=DRESSES.index, reverse=True):
        text = dress(text)
    assert extract(text).text == plain


PIECES = ANYTHING | st.sampled_from(
    ["```", "~~~", "<think>", "</think>", '{"steps": [', '{"name": "A"}', "A:::process:::x:::next::B", "1. ", "**", "`",
     "：：：", "\n", "\n", "terminal", "“", "|", "> ", "# ", "[", "<s>", "\ud800"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_nothing_raises_and_the_text_is_always_what_was_read(reply: str) -> None:
    result = extract(reply)
    assert result.workflow == parse(result.text).workflow or not result.ok
    assert bool(result.text) == bool(result.workflow.steps)


@pytest.mark.parametrize(
    "piece",
    ["<think>", "</think>", "```\n", '"steps":[{', "[", "：", ":::", "- ", '"', '"_', "A:::terminal:::x:::\n", "1. "],
)
def test_repetition_without_end_is_read_to_the_end(piece: str) -> None:
    count = 200_000 // len(piece) if piece[0] != "A" else 1500
    extract(piece * count)
    assert extract(piece * count + "\n\nB:::process:::go:::next::C\nC:::terminal:::stop:::") is not None
