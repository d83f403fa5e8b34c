"""The HTML file: self-contained, without a script, and hostile text in it is text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from autoflow.report.comparison import TaskRow
from autoflow.report.html import report_html
from autoflow.report.html_tasks import LONGEST, bounded
from autoflow.report.load import trace_pairs
from autoflow.store import SqlStore, open_store
from tests.report.reports import report_of
from tests.report.studies import HOSTILE, NEW, OLD, written
from tests.report.test_markup import Seen

WRITTEN_BY_US = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "section", "table", "thead", "tbody",
    "tr", "th", "td", "span", "strong", "div", "ul", "li", "del", "ins", "figure", "figcaption", "svg", "defs",
    "marker", "pattern", "path", "rect", "circle", "polygon", "g", "text", "fieldset", "legend", "label", "input",
    "details", "summary", "pre", "footer",
}  # fmt: skip


@pytest.fixture(scope="module")
def store_with(tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    return open_store(f"sqlite:///{tmp_path_factory.mktemp('report') / 'report.db'}")


@pytest.fixture(scope="module")
def page(store_with: SqlStore) -> str:
    report = report_of(store_with, written(store_with))
    return report_html(report, trace_pairs(store_with, report), at=0.0)


@pytest.fixture(scope="module")
def hostile(store_with: SqlStore) -> str:
    """Everything that a person or a model can write tries to be more than text."""
    text = HOSTILE.replace(":::", "")
    texts = [
        t.replace("Say what", f"{text} Say what") + f"# {text}\n" for t in (OLD, NEW.replace("Step 3", f"S{text}"))
    ]
    study = written(store_with, texts, names=[f"old {HOSTILE}", f"new {HOSTILE}"], reply=lambda _: HOSTILE)
    report = report_of(store_with, study)
    return report_html(report, trace_pairs(store_with, report, [row.task for row in report.rows]), at=0.0)


def test_it_says_the_verdict_the_figures_and_every_task(page: str) -> None:
    seen = Seen(page)
    for words in (
        "Refund v8 is better by 0.53", "Refund v8 better on 7 tasks, same on 2, Refund v1 better on 0",
        "1 changed, 2 added", "Suite openagi-plan (seed 0), validation tasks, carried out by scripted:knows",
        "only the 7 that differ in score", "all 9 tasks", "on 1970-01-01 00:00 UTC",
    ):  # fmt: skip
        assert words in seen.text
    rows = [attributes.get("class") for name, attributes in seen.tags if name == "tr"]
    assert (rows.count("different"), rows.count("same")) == (7, 2)
    assert sum(name == "svg" for name, _ in seen.tags) == 3  # the bar and two graphs


def test_its_policy_lets_it_load_nothing_but_its_own_style(page: str) -> None:
    policy = next(a["content"] for n, a in Seen(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    sheet = re.search("<style>(.*)</style>", page, re.DOTALL)
    assert sheet is not None
    hashed = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_it_holds_no_script_no_address_and_nothing_that_acts(which: str, request: pytest.FixtureRequest) -> None:
    seen = Seen(request.getfixturevalue(which))
    assert {name for name, _ in seen.tags} <= WRITTEN_BY_US
    names = {attribute for _, attributes in seen.tags for attribute in attributes}
    assert not {n for n in names if n.startswith("on") or n in ("src", "href", "style", "srcset", "action", "data")}


def test_hostile_text_is_shown_as_it_is(hostile: str) -> None:
    seen = Seen(hostile)
    assert seen.text.count(HOSTILE) > 20
    assert HOSTILE not in hostile
    assert hostile.count("</style>") == 1


def test_the_same_report_makes_the_same_file(store_with: SqlStore, page: str) -> None:
    report = report_of(store_with, written(store_with))
    once, again = (report_html(report, trace_pairs(store_with, report), at=0.0) for _ in range(2))
    assert once == again
    once.encode("utf-8")


def test_without_a_run_it_is_a_page_still(store_with: SqlStore) -> None:
    seen = Seen(report_html(report_of(store_with, written(store_with, only=0)), at=0.0))
    assert "No task was run yet." in seen.text
    assert "Traces" not in seen.text


def test_very_long_texts_are_cut_and_say_so() -> None:
    assert bounded("x" * LONGEST) == "x" * LONGEST
    assert bounded("x" * (LONGEST + 1234)).endswith("… and 1,234 more characters")


def test_a_workflow_without_steps_and_one_with_very_many_have_a_sentence_for_a_graph(store_with: SqlStore) -> None:
    many = "".join(f"S{n}:::process:::x:::next::S{n + 1}\n" for n in range(400)) + "S400:::terminal:::x:::\n"
    seen = Seen(report_html(report_of(store_with, written(store_with, ("", many), only=1)), at=0.0))
    assert "It has no steps." in seen.text
    assert "A graph of 401 steps could not be read." in seen.text


def test_of_very_many_tasks_those_that_differ_most_are_in_the_file_and_it_says_so() -> None:
    store = open_store()
    report = report_of(store, written(store, only=1))
    one = report.rows[0]
    assert one.a is not None
    cells = [replace(one.a, score=score) for score in (0.0, 0.25, 1.0)]
    rows = [
        TaskRow(f"t{n}", "", "", cells[0], cells[2 if n % 50 == 7 else 1 if n % 5 == 0 else 0]) for n in range(5000)
    ]
    text = report_html(replace(report, rows=tuple(rows)))
    assert text.count("<tr class=") == 2000
    assert all(f">t{n}<" in text for n in range(5000) if n % 50 == 7 or n % 5 == 0)
    assert "These are the 2,000 of 5,000 tasks that differ most; the CSV has all of them." in text
