"""Numbers as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.metrics.numbers import numbers

READ = [
    ("1,234.5", [1234.5]),
    ("about 12 %", [12]),
    ("$1,234.50 in all", [1234.5]),
    ("x=-5", [-5]),
    ("−3.5 °C", [-3.5]),
    ("(-4)", [-4]),
    ("10-12", [10, 12]),
    ("GPT-4", [4]),
    ("1, 2 and 3", [1, 2, 3]),
    ("1,2,3", [1, 2, 3]),
    ("1,234,56", [1234, 56]),
    ("It is 42.", [42]),
    (".5", [0.5]),
    ("1'234'567", [1234567]),
    ("1\u202f234", [1234]),
    ("1.2e-3 or 5E2", [0.0012, 500]),
    ("3/4", [0.75]),
    ("2 / 8", [0.25]),
    ("5/10/2024", [5, 10, 2024]),
    ("3/0", [3, 0]),
    ("twelve", []),
    ("", []),
    ("1e999", []),
    ("9" * 400, []),
]


@pytest.mark.parametrize(("text", "found"), READ)
def test_numbers_are_read_as_people_write_them(text: str, found: list[float]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(("text", "found"), [("1.234,5", [1234.5]), ("3,14", [3.14]), ("-1.000.000", [-1e6])])
def test_numbers_with_a_decimal_comma(text: str, found: list[float]) -> None:
    assert numbers(text, decimal_comma=True) == found


@settings(deadline=None)
@given(st.floats(-1e12, 1e12).map(lambda x: round(x, 3)))
def test_a_number_is_read_with_and_without_thousands(number: float) -> None:
    assert numbers(f"So it is {number:.3f} euro.") == [number]
    assert numbers(f"So it is {number:,.3f} euro.") == [number]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    assert all(abs(number) < float("inf") for number in numbers(text))
