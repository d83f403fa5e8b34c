"""Reading replies: thinking, JSON whole and broken, repetition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.interpret.replies import json_field, json_object, repeats_itself, visible


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("plain", "plain"),
        ("<think>Let me see.</think>\n\n42", "42"),
        ("<think>a</think>one<think>b</think> two", "one two"),
        ("<THINKING>a\nb</THINKING> 42", "42"),
        ("still thinking, the tag was in the prompt</think> 42", "42"),
        ("<think>never closed", ""),
        ("3 < 4 and <b>bold</b>", "3 < 4 and <b>bold</b>"),
        ("", ""),
    ],
)
def test_thinking_is_no_part_of_the_answer(reply: str, expected: str) -> None:
    assert visible(reply) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure! {"a": {"b": 2}} and {"c": 3}', {"a": {"b": 2}}),
        ('{broken {"a": 1}', {"a": 1}),
        ("[1]", None),
        ('{"a": 1', None),
        ("{" * 100_000, None),
        ('{"a":' * 100_000, None),
        ("{" + "9" * 5000 + "}", None),
    ],
)
def test_first_object_is_found_in_whatever_is_around_it(text: str, expected: object) -> None:
    assert json_object(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"answer": "done"}', "done"),
        ('{"answer": 42}', "42"),
        ('{"answer": ["a", "ä"]}', '["a", "ä"]'),
        ('{"answer": "half a sen', "half a sen"),
        ('{"answer": "a \\"word\\" and \\u00e4', 'a "word" and ä'),
        ('{"answer": "broken \\u00', "broken \\u00"),
        ('{"answer": "two\nlines"}', "two\nlines"),
        ('{"other": "x"}', None),
        ("answer: x", None),
    ],
)
def test_field_is_read_also_out_of_half_a_json(text: str, expected: str | None) -> None:
    assert json_field(text, "answer") == expected


@given(st.text())
def test_nothing_that_a_model_says_breaks_the_reading(text: str) -> None:
    visible(text)
    json_object(text)
    json_field(text, "answer")
    repeats_itself(text)


def test_endless_repetition_is_seen() -> None:
    assert repeats_itself("The list is: " + "red, green, blue, " * 40 + "red, gr")
    assert repeats_itself("a" * 2000)
    assert not repeats_itself("The parcel was sent on Monday and came back on Friday, broken.")


@pytest.mark.timeout(60)
def test_huge_reply_is_looked_at_for_repetition() -> None:
    for text in ("ab" * 5_000_000, "".join(chr(33 + n * n % 90) for n in range(100_000)), " " * 10_000_000):
        assert isinstance(repeats_itself(text), bool)
