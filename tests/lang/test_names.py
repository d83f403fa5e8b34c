"""Guessing which name or type was meant, and quoting names in messages."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest

from autoflow.lang import fold, nearest
from autoflow.lang.names import guess_type, listed, quoted


@pytest.mark.parametrize(
    ("name", "candidates", "meant"),
    [
        ("Step 5", ["Step 1", "Step 2", "Step 3"], "Step 3"),
        ("Stpe 2", ["Step 1", "Step 2", "Step 3"], "Step 2"),
        ("read mails", ["Write Mail", "Read Mail"], "Read Mail"),
        ("READ  MAIL", ["Read Mail"], "Read Mail"),
        ("Step 1", ["2. Step 2", "1. Step 1"], "1. Step 1"),
        ("banana", ["Read Mail", "Step 1"], None),
        ("", ["Read"], None),
        ("Read", [], None),
        ("x" * 1000, ["x" * 999], None),
    ],
)
def test_the_nearest_name(name: str, candidates: list[str], meant: str | None) -> None:
    assert nearest(name, candidates) == meant


def test_the_nearest_of_very_many_names_is_found_by_its_beginning_or_its_end() -> None:
    names = [f"Check part {number} of the list" for number in range(20_000)]
    assert nearest("Check part 12345 of the lisst", names) == "Check part 12345 of the list"
    assert nearest("Chekc part 777 of the list", names) == "Check part 777 of the list"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("process", "process"), ("PROCES", "process"), ("prozess", "process"), ("action", "process"),
        ("descision", "decision"), ("if", "decision"), ("Condition", "decision"), ("decision step", "decision"),
        ("end", "terminal"), ("terminal.", "terminal"), ("termnal", "terminal"), ("**terminal**", "terminal"),
        ("proces_2", "process"), ("12", None),
        ("magic", None), ("", None), ("process or decision", None), ("Read the mail", None), ("p" * 100, None),
    ],
)  # fmt: skip
def test_a_type_is_guessed_only_where_it_is_clear(word: str, kind: str | None) -> None:
    assert guess_type(word) == kind


def test_long_names_and_lists_are_shortened() -> None:
    assert quoted("x" * 60) == f"`{'x' * 60}`"
    assert len(quoted("x" * 1000)) <= 62
    assert listed(["A", "B"]) == "`A`, `B`"
    assert listed(map(str, range(9))) == "`0`, `1`, `2`, `3`, ..."


def test_folding_is_nfc_and_casefold_whatever_the_marks() -> None:
    def plainly(text: str) -> str:
        return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())

    random = Random(0)
    marks = [
        chr(code) for code in range(0x300, 0x2000) if unicodedata.combining(unicodedata.normalize("NFD", chr(code))[0])
    ]
    for _ in range(500):
        pool = [*random.choices(marks, k=random.randint(1, 9)), *random.choice(["", "a\u00c9", "\u0130\u0390 \u1e69"])]
        text = "".join(random.choices(pool, k=random.randint(1, 300)))
        assert fold(text) == plainly(text), ascii(text)
