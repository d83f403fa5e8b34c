"""The table of tasks in the HTML file: those that differ, or all, as two radio buttons choose."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.records import STOP_WORDS
from autoflow.report.comparison import Cell, ComparisonReport, TaskRow
from autoflow.report.figures import of_a_run, plural, signed
from autoflow.report.markup import Markup, tag
from autoflow.report.rows import chosen_rows

SHORT = 300  # characters of an answer that stand in the table; the rest is folded
LONGEST = 20_000  # characters of one text in the file
MOST = 2_000  # tasks in the file; browsers take seconds for more


def tasks_section(report: ComparisonReport) -> Markup:
    """All rows, up to a bound; the style sheet hides those that do not differ until they are asked for."""
    if not report.rows:
        return tag("section", tag("h2", "Tasks"), tag("p", "No task was run yet."))
    rows, left_out = _bounded(report)
    names = ("Task", "Expected", f"A {report.a.name}", f"B {report.b.name}", "B − A")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", *map(_row, rows)), class_="tasks")
    wide = tag("div", table, class_="wide", tabindex="0", role="region", aria_label="Tasks")
    return tag("section", tag("h2", "Tasks"), left_out, _choice(rows), wide, class_="choosable")


def _bounded(report: ComparisonReport) -> tuple[Sequence[TaskRow], Markup | None]:
    """The rows in the order of the split, and a sentence where some are left out: those that differ least."""
    if len(report.rows) <= MOST:
        return report.rows, None
    kept = {row.task for row in chosen_rows(report, order="most")[:MOST]}
    words = f"These are the {MOST:,} of {len(report.rows):,} tasks that differ most; the CSV has all of them."
    return [row for row in report.rows if row.task in kept], tag("p", words, class_="quiet")


def _choice(rows: Sequence[TaskRow]) -> Markup:
    different = sum(row.differs for row in rows)
    return tag(
        "fieldset",
        tag("legend", "Show"),
        _radio("only-different", f"only the {different:,} that differ in score", different > 0),
        _radio("all-tasks", f"all {plural(len(rows), 'task')}", different == 0),
    )


def _radio(id_: str, words: str, checked: bool) -> Markup:
    return tag("label", tag("input", type="radio", name="show", id=id_, checked=checked), " ", words)


def _row(row: TaskRow) -> Markup:
    d = row.difference
    mark = "" if not d else "▲ " if d > 0 else "▼ "
    return tag(
        "tr",
        tag("th", _long(row.objective or row.task), tag("div", row.task, class_="quiet"), scope="row"),
        tag("td", _long(row.expected)),
        tag("td", *_cell(row.a)),
        tag("td", *_cell(row.b)),
        tag("td", "–" if d is None else mark + signed(d), class_="number"),
        class_="different" if row.differs else "same",
    )


def _cell(cell: Cell | None) -> list[Markup]:
    if cell is None:
        return [tag("span", "not run", class_="quiet")]
    score = "waits for a rating" if cell.score is None else f"{cell.score:.2f}"
    figures = of_a_run(cell.calls, cell.seconds, cell.cached, cell.cost_usd)
    stopped = [] if cell.errors else [STOP_WORDS[stop] for stop in dict.fromkeys(cell.stops) if stop != "terminal"]
    more = [tag("div", text, class_="problem") for text in dict.fromkeys((*stopped, *cell.errors))]
    others = [_long(answer) for answer in dict.fromkeys(cell.answers[1:]) if answer != cell.answer]
    return [tag("strong", score), *(_long(cell.answer), *others), *more, tag("div", figures, class_="quiet")]


def _long(text: str) -> Markup:
    """A text; the rest of a long one is folded."""
    if len(text) <= SHORT:
        return tag("div", text, class_="text")
    beginning = tag("summary", tag("span", text[:SHORT].rstrip() + "…", class_="text"))
    return tag("details", beginning, tag("div", bounded(text), class_="text"))


def bounded(text: str) -> str:
    """`text`, or its beginning and how much is left out."""
    left_out = len(text) - LONGEST
    return text if left_out <= 0 else f"{text[:LONGEST]}\n… and {left_out:,} more characters"
