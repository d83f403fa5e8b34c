"""Which tasks a table shows: found by words anywhere in them, in the order that was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoflow.report.comparison import Cell, ComparisonReport, TaskRow
from autoflow.report.rows import Order, chosen_rows
from autoflow.store import open_store
from tests.report.reports import report_of
from tests.report.studies import written


def cell(score: float | None, answer: str = "", error: str = "") -> Cell:
    return Cell(score, (answer,), ("terminal",), (error,) if error else (), 1, 1.0, 0.0, None)


ROWS = (
    TaskRow("t1", "Read the Mail", "yes", cell(0.5, "no"), cell(0.75, "yes")),
    TaskRow("t2", "Sort them", "a b", cell(0.9, "a b"), cell(0.1, "", "The MODEL was gone.")),
    TaskRow("t3", "Sort mail", "c", cell(0.5, "c"), cell(0.5, "c")),
    TaskRow("t4", "Sort mail", "c", cell(0.5), None),
)


@pytest.fixture
def report() -> ComparisonReport:
    store = open_store()
    return replace(report_of(store, written(store, only=1)), rows=ROWS)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("dealt", ["t1", "t2", "t3", "t4"]),
        ("most", ["t2", "t1", "t3", "t4"]),
        ("b", ["t1", "t3", "t2", "t4"]),
        ("a", ["t2", "t3", "t1", "t4"]),
    ],
)
def test_rows_are_ordered(report: ComparisonReport, order: Order, expected: list[str]) -> None:
    assert [row.task for row in chosen_rows(report, "all", "", order)] == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("mail", ["t1", "t3", "t4"]), ("MAIL sort", ["t3", "t4"]), ("model gone", ["t2"]), ("t2", ["t2"]), ("zebra", [])],
)
def test_rows_are_found_by_all_words_whatever_their_case(
    report: ComparisonReport, words: str, expected: list[str]
) -> None:
    assert [row.task for row in chosen_rows(report, "all", words)] == expected


def test_only_those_that_differ(report: ComparisonReport) -> None:
    assert [row.task for row in chosen_rows(report, "different")] == ["t1", "t2"]
