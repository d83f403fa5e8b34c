"""CSV that a spreadsheet shows and does not carry out."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.report.csv import HEAD, defused, report_csv, written
from autoflow.store import open_store
from tests.report.reports import report_of
from tests.report.studies import written as study_written


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_like_a_formula_is_put_behind_an_apostrophe(start: str) -> None:
    assert defused(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("text", ["", "a=b", "1-2", " =1", "'=1", "Ärger"])
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert defused(text) == text


@given(st.lists(st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs",))), min_size=1), min_size=1))
def test_no_cell_begins_like_a_formula_and_none_is_lost(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(written(rows), newline="")))
    cells = [cell for row in read for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and cell]
    assert [cell.removeprefix("'") for cell in cells] == [cell.removeprefix("'") for row in rows for cell in row]


def test_numbers_stay_numbers_even_where_they_are_negative() -> None:
    assert written([[-0.25, None, "-0.25"]]) == "-0.25,,'-0.25\r\n"


def test_every_task_has_a_line_with_both_sides() -> None:
    store = open_store()
    report = report_of(
        store, study_written(store, reply=lambda said: "=HYPERLINK(1)" if "all models" in said else "yes")
    )
    lines = list(csv.DictReader(io.StringIO(report_csv(report))))
    assert [line["task"] for line in lines] == [row.task for row in report.rows]
    assert list(lines[0]) == list(HEAD)
    assert {line["answer_b"] for line in lines} == {"'=HYPERLINK(1)"}
    first = report.rows[0]
    assert first.a is not None
    assert float(lines[0]["score_a"]) == first.a.score
    assert lines[0]["stop_a"] == "terminal"
    assert float(lines[0]["cost_usd_a"]) == pytest.approx(0.0004)
