"""A benchmark's files: HTML that is whole and harmless, CSV and LaTeX that hold what is measured and nothing else."""

from __future__ import annotations

import csv
import re

import pytest

from autoflow.benchmark import Benchmark, Variant
from autoflow.report.grid_files import grid_csv, grid_json, grid_latex, grid_tasks_csv
from autoflow.report.grid_html import PUBLISHED_WORDS, grid_html
from autoflow.report.grid_read import GridReport, objectives, read_grid
from autoflow.report.grid_table import lines
from autoflow.report.html_grid_tasks import MOST, task_lines
from autoflow.store import SqlStore, open_store
from tests import grids
from tests.grids import written
from tests.report.studies import HOSTILE
from tests.report.test_html import WRITTEN_BY_US
from tests.report.test_markup import Seen

A, B = "openai:a", "openai:b"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    return open_store(f"sqlite:///{tmp_path_factory.mktemp('grid') / 'grid.db'}")


@pytest.fixture(scope="module")
def made(store: SqlStore) -> Benchmark:
    states = {"0-0-1-0": "failed", "0-0-1-1": "deleted"}
    return written(store, "Ours", variants=[Variant(name="search"), Variant(name="no search")], states=states)


@pytest.fixture(scope="module")
def report(store: SqlStore, made: Benchmark) -> GridReport:
    return read_grid(store, made)


@pytest.fixture(scope="module")
def page(store: SqlStore, made: Benchmark, report: GridReport) -> str:
    return grid_html(report, objectives(store, made), saved=store.get_suite, at=0.0)


@pytest.fixture(scope="module")
def hostile(store: SqlStore) -> str:
    made = written(store, HOSTILE, generators=(HOSTILE, B), interpreters=(f"i{HOSTILE}",), recorded=HOSTILE,
                   variants=[Variant(name=HOSTILE), Variant()], states={"0-0-0-1": "failed"})  # fmt: skip
    return grid_html(read_grid(store, made), [{f"openagi-{n}": HOSTILE for n in range(185)}], at=0.0)


def test_it_says_what_was_measured_with_what_and_what_was_not(page: str, report: GridReport) -> None:
    seen = Seen(page)
    for words in (
        "Ours", "Not finished: 6 of 8 cells are done.", "Cells without a score", grids.GAVE_UP,
        "Published, not measured", PUBLISHED_WORDS, "0.6104", "no search against search:", "How it was made",
        "Plans are scored by rule and not carried out", "on 1970-01-01 00:00 UTC", "Best mixed pair",
    ):  # fmt: skip
        assert words in seen.text
    grids_of = [a for name, a in seen.tags if name == "table" and a.get("class") == "grid"]
    assert len(grids_of) == 2
    for line in lines(report):
        assert f"{line.mean.mean:.4f}" in seen.text


def test_published_figures_stand_in_a_table_of_their_own(page: str) -> None:
    before, _, after = page.partition("<h2>Published, not measured</h2>")
    table = after.partition("</table>")[0]
    assert "0.6104" in table
    assert "0.6104" not in before
    assert "0.6104" not in after.partition("</table>")[2]


def test_every_task_stands_in_it_with_what_it_asks(page: str, report: GridReport) -> None:
    seen = Seen(page)
    (cell, *_) = (one for one in report.cells if one.sides)
    assert len(task_lines(report, cell)) == 12
    assert seen.text.count("step by step?") == 12 * 6
    differences = [line.difference or 0.0 for line in task_lines(report, cell)]
    assert differences == sorted(differences, reverse=True)


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_it_holds_no_script_no_address_and_nothing_that_acts(which: str, request: pytest.FixtureRequest) -> None:
    seen = Seen(request.getfixturevalue(which))
    assert {name for name, _ in seen.tags} <= WRITTEN_BY_US | {"h3"}
    names = {attribute for _, attributes in seen.tags for attribute in attributes}
    assert not {n for n in names if n.startswith("on") or n in ("src", "href", "style", "srcset", "action", "data")}


def test_hostile_text_is_shown_as_it_is(hostile: str) -> None:
    assert Seen(hostile).text.count(HOSTILE) > 20
    assert HOSTILE not in hostile
    assert hostile.count("</style>") == 1


def test_nothing_measured_is_a_page_still(store: SqlStore) -> None:
    states = {"0-0-0-0": "waiting"}
    report = read_grid(store, written(store, "", generators=(A,), interpreters=(A,), states=states))
    seen = Seen(grid_html(report, at=0.0))
    assert "Nothing was measured yet." in seen.text
    assert "A benchmark without a name" in seen.text
    assert grid_csv(report).count("\r\n") == 1


def test_of_very_many_tasks_the_first_cells_are_in_the_file_and_it_says_so(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoflow.report import html_grid_tasks

    assert MOST > 1000
    monkeypatch.setattr(html_grid_tasks, "MOST", 10)
    report = read_grid(store, grids.many(store, across=3))
    seen = Seen(grid_html(report, at=0.0))
    assert "7 cells left out here; the CSV of tasks has all of them." in seen.text


def test_csv_cells_are_no_formulas(store: SqlStore) -> None:
    report = read_grid(store, written(store, generators=("=1+1",), interpreters=("@x",)))
    for text in (grid_csv(report), grid_tasks_csv(report)):
        rows = list(csv.DictReader(text.splitlines()))
        assert {row["interpreter"] for row in rows} == {"'@x"}
        assert {row["generator"] for row in rows} == {"", "'=1+1"}


def test_latex_is_read_as_the_names_stand(store: SqlStore) -> None:
    name = "a_b&c%d#e{f}~g^h\\i$<j>\nk"
    told = grid_latex(read_grid(store, written(store, generators=(name,), interpreters=(A,))))
    assert (
        r"a\_b\&c\%d\#e\{f\}\textasciitilde{}g\textasciicircum{}h\textbackslash{}i\$\textless{}j\textgreater{} k"
        in told
    )
    body = [line for line in told.splitlines() if line.endswith(r"\\") and not line.startswith(r"\multicolumn")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {7}


def test_json_tells_states_figures_and_answers(report: GridReport, store: SqlStore) -> None:
    told = grid_json(report, store.get_suite)
    assert [cell["state"] for cell in told["cells"]].count("failed") == 1
    assert told["done"] == 6
    assert len(told["variants"]) == 1
    assert told["published"][0]["generated"] == 0.3597
