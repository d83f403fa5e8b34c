"""Reading which branch a reply means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.interpret.branches import read_branch, without_choice
from autoflow.lang.workflow import fold

YES_NO = ("Yes", "No")
CASES = [
    ("Yes", "Yes"),
    ("yes.", "Yes"),
    ("  **NO**  ", "No"),
    ('"Yes"', "Yes"),
    ("Branch: No", "No"),
    ("The list is complete.\nYes", "Yes"),
    ("The list is complete.\n\nAnswer: yes!\n", "Yes"),
    ("I would say yes here.", "Yes"),
    ("Yes, because every model is in the list.", "Yes"),
    ("Yes.\nEvery model is in the list.", "Yes"),
    ("No model is missing.\nYes", "Yes"),
    ('{"answer": "fine", "branch": "Yes"}', "Yes"),
    ('{"branch": "no"}', "No"),
    ('```json\n{"answer": "fine", "branch": "Yes"}\n```', "Yes"),
    ('Here you are: {"answer": "no doubt", "branch": "Yes"} Good luck.', "Yes"),
    ('{"answer": "fine", "branch": "Ye', None),
    ('{"answer": "fine", "branch": "Yes', "Yes"),
    ('{"answer": "fine", "branch": "Yes",', "Yes"),
    ('{"answer": "yes", "branch": "Maybe"}', None),
    ('{"answer": "yes"}', None),
    ('{"answer": "yes", "branch": ["Yes"]}', "Yes"),
    ('{"answer": "yes", "branch": null}', None),
    ("[1, 2]", None),
    ("", None),
    ("...", None),
    ("Yes and no.", None),
    ("Yes or no? I cannot tell.", None),
    ("Nothing is known yesterday.", None),
    ("Eyes", None),
    ("maybe", None),
]


@pytest.mark.parametrize(("reply", "expected"), CASES)
def test_reply_is_read_exactly_first_then_by_the_only_key_it_holds(reply: str, expected: str | None) -> None:
    assert read_branch(reply, YES_NO) == expected


@pytest.mark.parametrize(
    ("keys", "reply", "expected"),
    [
        (("refund", "no refund"), "I choose no refund here", "no refund"),
        (("refund", "no refund"), "no refund, not a refund", None),
        (("Yes", "Yes!"), "Yes!", "Yes!"),
        (("Yes", "Yes!"), "Yes", "Yes"),
        (("是", "否"), "答案是否", None),
        (("合格", "不合格"), "这件产品不合格", "不合格"),
        (("да", "нет"), "Думаю, да.", "да"),
        (("ÉTÉ", "hiver"), "e\u0301te\u0301", "ÉTÉ"),
        (("Straße", "Weg"), "die STRASSE", "Straße"),
        (("?", "!"), "?", "?"),
        (("1", "2"), "12", None),
        (("1", "2"), "Option 2", "2"),
        (("No: later", "No: never"), "No: never", "No: never"),
        (("later", "now"), "Choice: (now)", "now"),
        (("हाँ", "नहीं"), "नहीं।", "नहीं"),
        (("a.b", "c"), "axb", None),
    ],
)
def test_keys_of_any_script(keys: tuple[str, ...], reply: str, expected: str | None) -> None:
    assert read_branch(reply, keys) == expected


@given(st.text(), st.lists(st.text(min_size=1), min_size=2, max_size=5, unique_by=fold))
def test_any_reply_gives_a_key_or_nothing(reply: str, keys: list[str]) -> None:
    assert read_branch(reply, keys) in {*keys, None}


# What a field of CoRE holds, without the marks that would make a key look like JSON or like a label before it.
KEY = st.text(min_size=1, max_size=20).filter(lambda t: fold(t) and not set(t) & set('{}"\\:\n\r'))


@given(st.lists(KEY, min_size=2, max_size=5, unique_by=fold), st.data())
def test_the_bare_key_is_always_understood(keys: list[str], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(keys))
    assert read_branch(key, keys) == key


@pytest.mark.timeout(60)  # quadratic reading would take hours
def test_huge_reply_is_read() -> None:
    assert read_branch("no doubt about it " * 500_000 + "\nYes", YES_NO) == "Yes"
    assert read_branch("{" * 1_000_000, YES_NO) is None


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("It is whole.\nYes", "Yes", "It is whole."),
        ("It is whole. Yes", "Yes", "It is whole. Yes"),
        ("Yes", "Yes", "Yes"),
        ("A\nB\n**yes**\n", "Yes", "A\nB"),
        ("A\nB", None, "A\nB"),
    ],
)
def test_reason_is_the_reply_without_the_line_of_the_choice(text: str, key: str | None, expected: str) -> None:
    assert without_choice(text, key) == expected
