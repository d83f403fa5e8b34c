"""Scorers of texts against values that were computed another way."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.metrics.base import Score
from autoflow.metrics.scorers import SCORERS, make_scorer
from autoflow.metrics.text import common_length


async def scored(name: str, answer: str, expected: str, **options: Any) -> Score:
    return await make_scorer(name, options)(answer, expected, "What is it?")


async def value(name: str, answer: str, expected: str, **options: Any) -> float:
    return (await scored(name, answer, expected, **options)).value


class TestExact:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [("Yes.", "yes"), ("  new\n york ", "New York"), ("“Paris”!", "paris"), ("**B**", "b"), ("(a) b,c", "a b,c")],
    )
    async def test_case_space_and_marks_do_not_count(self, answer: str, expected: str) -> None:
        assert await value("exact", answer, expected) == 1

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [("yes, it is", "yes"), ("-5", "5"), (".5", "5"), ("12%", "12"), ("well-known", "wellknown"), ("", "yes")],
    )
    async def test_what_says_something_counts(self, answer: str, expected: str) -> None:
        assert await value("exact", answer, expected) == 0

    async def test_every_folding_can_be_turned_off(self) -> None:
        strict = {"ignore_case": False, "ignore_spaces": False, "ignore_punctuation": False}
        assert await value("exact", "A b.", "A b.", **strict) == 1
        for name, answer in (("ignore_case", "a b."), ("ignore_spaces", "A  b."), ("ignore_punctuation", "A b")):
            assert await value("exact", answer, "A b.", **strict) == 0
            assert await value("exact", answer, "A b.", **strict | {name: True}) == 1

    async def test_the_same_letter_in_two_encodings_is_the_same(self) -> None:
        assert await value("exact", "Cafe\u0301", "café") == 1


class TestNumeric:
    @pytest.mark.parametrize(
        ("answer", "expected", "options", "right"),
        [
            ("It costs 1,234.5 dollars", "1234.5", {}, 1),
            ("3 of 12, so about 12 %", "12", {}, 1),
            ("12", "12.1", {}, 0),
            ("12", "12.1", {"relative": 0.01}, 1),
            ("12", "12.2", {"relative": 0.01}, 0),
            ("1.1", "1.0", {"absolute": 0.1}, 1),
            ("1.11", "1.0", {"absolute": 0.1}, 0),
            ("0.05", "0", {"absolute": 0.1}, 1),
            ("-98", "-100", {"relative": 0.02}, 1),
            ("none", "12", {}, 0),
            ("1.234,5", "1234,5", {"decimal_comma": True}, 1),
        ],
    )
    async def test_last_number_within_the_tolerance(
        self, answer: str, expected: str, options: dict[str, Any], right: float
    ) -> None:
        assert await value("numeric", answer, expected, **options) == right

    async def test_how_far_it_is_off_is_told(self) -> None:
        assert (await scored("numeric", "7", "10")).parts == {"off by": 3}

    def test_expected_answers_that_are_no_number_are_told(self) -> None:
        kind = SCORERS["numeric"]
        assert "holds no number" in (kind.check("twelve", {}) or "")
        assert "holds 2 numbers" in (kind.check("3 of 12", {}) or "")
        assert kind.check("12 %", {}) is None


def squad_f1(answer: str, expected: str) -> float:
    """As the official SQuAD script computes it, written down from its description."""

    def normal(text: str) -> list[str]:
        text = "".join(c for c in text.lower() if c not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", text).split()

    found, wanted = normal(answer), normal(expected)
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(found), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


SENTENCES = st.lists(
    st.sampled_from(["the", "A", "cat", "Cat's", "sat", "on", "well-known", "mat.", "3.5", "$5", "an", "!"]),
    max_size=12,
).map(" ".join)


def longest_common(one: list[str], other: list[str]) -> int:
    """The textbook table."""
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            rows[i + 1][j + 1] = rows[i][j] + 1 if a == b else max(rows[i][j + 1], rows[i + 1][j])
    return rows[-1][-1]


class TestWordsInCommon:
    async def test_worked_example(self) -> None:
        # 3 words in common of 4 found and 5 wanted: precision 3/4, recall 3/5, F1 2/3
        found = await scored("token-f1", "The cat sat down quickly", "a cat sat on that quickly")
        assert found.value == pytest.approx(2 / 3)
        assert found.parts == {"precision": 0.75, "recall": 0.6}

    @settings(deadline=None)
    @given(SENTENCES, SENTENCES)
    async def test_f1_is_that_of_squad(self, answer: str, expected: str) -> None:
        assert await value("token-f1", answer, expected) == pytest.approx(squad_f1(answer, expected))

    @pytest.mark.parametrize("name", ["token-f1", "rouge-l"])
    async def test_scripts_without_spaces_are_compared_by_character(self, name: str) -> None:
        assert await value(name, "東京都", "東京") == pytest.approx(0.8)

    async def test_rouge_l_worked_examples(self) -> None:
        # Lin 2004: "police killed the gunman": "police kill the gunman" 3 of 4, "the gunman kill police" 2 of 4
        assert await value("rouge-l", "police kill the gunman", "police killed the gunman") == 0.75
        assert await value("rouge-l", "the gunman kill police", "police killed the gunman") == 0.5
        assert await value("rouge-l", "x", "police killed the gunman") == 0

    @settings(deadline=None)
    @given(SENTENCES, SENTENCES)
    async def test_rouge_l_is_f1_of_the_textbook_table(self, answer: str, expected: str) -> None:
        found, wanted = (re.sub(r"[^a-z0-9]+", " ", text.lower()).split() for text in (answer, expected))
        common = longest_common(found, wanted)
        both_empty = float(found == wanted)
        right = 2 * common / (len(found) + len(wanted)) if found or wanted else both_empty
        assert await value("rouge-l", answer, expected) == pytest.approx(right)

    @settings(deadline=None)
    @given(st.lists(st.sampled_from("abc"), max_size=80), st.lists(st.sampled_from("abc"), max_size=80))
    def test_common_length_is_that_of_the_textbook(self, one: list[str], other: list[str]) -> None:
        assert common_length(one, other) == longest_common(one, other)


class TestPassages:
    @pytest.mark.parametrize(
        ("answer", "expected", "options", "right"),
        [
            ("It is Paris, I think.", "paris", {}, 1),
            ("a party", "art", {}, 0),
            ("a party", "art", {"whole_words": False}, 1),
            ("It is Paris", "paris", {"ignore_case": False}, 0),
            ("new\n  york", "New York", {}, 1),
            ("cost: $5.", "$5", {}, 1),
            ("a.b", "a.b", {}, 1),
            ("axb", "a.b", {}, 0),
        ],
    )
    async def test_contains(self, answer: str, expected: str, options: dict[str, Any], right: float) -> None:
        assert await value("contains", answer, expected, **options) == right

    @pytest.mark.parametrize(
        ("answer", "expected", "options", "right"),
        [
            ("order 66", r"\d+", {}, 1),
            ("order", r"\d+", {}, 0),
            ("order 66", r"\d+", {"whole": True}, 0),
            (" 66\n", r"\d+", {"whole": True}, 1),
            ("YES", "yes", {}, 0),
            ("YES", "yes", {"ignore_case": True}, 1),
            ("yes", "no", {"pattern": "yes"}, 1),
        ],
    )
    async def test_regex(self, answer: str, expected: str, options: dict[str, Any], right: float) -> None:
        assert await value("regex", answer, expected, **options) == right

    def test_an_expression_with_a_fault_is_told_before_any_answer(self) -> None:
        with pytest.raises(SettingsError, match=r"\(ab"):
            make_scorer("regex", {"pattern": "(ab"})
        assert "(ab" in (SCORERS["regex"].check("(ab", {}) or "")
        assert "no expression" in (SCORERS["regex"].check("", {}) or "")
        assert SCORERS["regex"].check("", {"pattern": "ab"}) is None

    async def test_an_expression_without_end_is_stopped_and_named(self) -> None:
        with pytest.raises(SettingsError, match=r"\(a\|aa\)\+\$.*more than 1 s"):
            await value("regex", "a" * 200 + "b", r"(a|aa)+$")
