"""The grammar for constrained decoding: everything it lets through is a workflow without a single diagnostic."""

from __future__ import annotations

import random
import re

import llguidance
import pytest

from autoflow.errors import SettingsError
from autoflow.lang import parse
from autoflow.lang.grammar import MAX_STEPS, core_grammar
from tests.lang import gbnf


def sentences(count: int, **limits: int) -> list[str]:
    rules, dice = gbnf.read(core_grammar(**limits).gbnf), random.Random(f"{limits}")
    return [gbnf.sentence(rules, dice) for _ in range(count)]


@pytest.mark.parametrize(("least", "most"), [(2, 2), (2, 3), (3, 4), (2, 5), (2, 6), (4, 7), (2, 12), (9, 20)])
def test_every_sentence_is_a_workflow_without_diagnostics(least: int, most: int) -> None:
    for text in sentences(400, min_steps=least, max_steps=most):
        result = parse(text)
        assert result.diagnostics == (), text
        assert least <= len(result.workflow.steps) <= most


def test_sentences_have_every_length_and_every_shape() -> None:
    texts = sentences(600, min_steps=2, max_steps=5)
    assert {len(text.splitlines()) for text in texts} == {2, 3, 4, 5}
    for shape in (
        r"Step 3:::decision.*::Step 1\b",  # back, if need be
        r"Step 3:::process.*next::Step [12]$",  # back after mending
        r"Step 2:::process.*next::Step 4$",  # past the other side
        r":::terminal:::(.|\n)*:::terminal:::",  # a way out before the end
        r"::otherwise::",
    ):
        assert any(re.search(shape, text, re.MULTILINE) for text in texts), shape


def test_instructions_are_bounded() -> None:
    longest = max(len(line) for text in sentences(300, max_words=3) for line in text.splitlines())
    assert longest < 3 * 32 + 120


@pytest.mark.parametrize(
    "limits",
    [{"min_steps": 1}, {"min_steps": 5, "max_steps": 4}, {"max_steps": MAX_STEPS + 1}, {"max_words": 2}],
)
def test_limits_that_make_no_grammar_are_refused_by_name(limits: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="must hold, but got"):
        core_grammar(**limits)


class Matcher:
    """llguidance, fed byte by byte."""

    def __init__(self, lark: str) -> None:
        self.tokens = llguidance.LLTokenizer("byte")
        grammar = llguidance.grammar_from("lark", lark)
        is_error, messages = llguidance.LLMatcher.validate_grammar_with_warnings(grammar, self.tokens)
        assert not is_error, messages
        self.matcher = llguidance.LLMatcher(self.tokens, grammar)

    def accepted(self, text: str) -> str:
        """The longest beginning that the grammar lets through."""
        self.matcher.reset()
        raw = text.encode()
        return raw[: self.matcher.try_consume_tokens(self.tokens.tokenize_bytes(raw))].decode(errors="ignore")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    lark = core_grammar().lark
    assert lark is not None
    return Matcher(lark)


def test_lark_lets_the_same_sentences_through_as_gbnf(matcher: Matcher) -> None:
    for text in sentences(200):
        assert matcher.accepted(text) == text
        assert matcher.matcher.is_accepting(), text


@pytest.mark.parametrize(
    ("decoded", "refused"),
    [
        ("Step 1:::", "terminal:::Give the answer now:::"),
        ("Step 1:::process:::Read the mail:::next::Step ", "3\n"),
        ("Step 1:::process:::Read the mail:::next::Step ", "1\n"),
        ("Step 1:::process:::Read", "\nthe mail:::next::Step 2\n"),
        ("Step 1:::process:::Read ", ":::the mail:::next::Step 2\n"),
        ("Step 1:::process:::a:", "::next::Step 2\n"),
        ("Step 1:::decision:::Is it a mail:::yes::Step 2::", "yes::Step 3\n"),
        ("Step 1:::decision:::Is it a mail:::just so::Step 2::", "just so::Step 3\n"),
        ("Step 1:::decision:::Is it a mail:::", "otherwise::Step 2::otherwise::Step 3\n"),
        ("Step 1:::decision:::Is it a mail:::yes::Step 2::no::Step 1", "3\n"),
        ("Step 1:::decision:::Is it a mail:::yes::Step 1", "::no::Step 2\n"),
    ],
)
def test_what_would_be_a_fault_cannot_be_decoded(matcher: Matcher, decoded: str, refused: str) -> None:
    assert matcher.accepted(decoded + refused) == decoded


def test_a_side_line_may_not_lock_in_the_line_that_skips_to_it(matcher: Matcher) -> None:
    text = (
        "Step 1:::decision:::Is it a mail:::yes::Step 2::no::Step 3\n"
        "Step 2:::process:::Read the mail:::next::Step 4\n"
        "Step 3:::"
    )
    assert matcher.accepted(text) == text
    assert matcher.accepted(text + "decision") == text
    assert matcher.accepted(text + "process:::Read it again:::next::Step 1\nStep 4:::").endswith("Step 4:::")
