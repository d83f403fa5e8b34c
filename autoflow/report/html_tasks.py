"""The table of tasks in the HTML file: those that differ, or all, as two radio buttons choose."""

from __future__ import annotations

from autoflow.records import STOP_WORDS
from autoflow.report.comparison import Cell, ComparisonReport, TaskRow
from autoflow.report.figures import duration, money, plural, signed
from autoflow.report.markup import Markup, tag

SHORT = 300  # characters of an answer that stand in the table; the rest is folded
LONGEST = 20_000  # characters of one text in the file


def tasks_section(report: ComparisonReport) -> Markup:
    """All rows are in the file; the style sheet hides those that do not differ until they are asked for."""
    if not report.rows:
        return tag("section", tag("h2", "Tasks"), tag("p", "No task was run yet."))
    names = ("Task", "Expected", f"A {report.a.name}", f"B {report.b.name}", "B − A")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", *map(_row, report.rows)), class_="tasks")
    wide = tag("div", table, class_="wide", tabindex="0", role="region", aria_label="Tasks")
    return tag("section", tag("h2", "Tasks"), _choice(report), wide, class_="choosable")


def _choice(report: ComparisonReport) -> Markup:
    different = len(report.different)
    return tag(
        "fieldset",
        tag("legend", "Show"),
        _radio("only-different", f"only the {different:,} that differ in score", different > 0),
        _radio("all-tasks", f"all {plural(len(report.rows), 'task')}", different == 0),
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
    figures = f"{cell.calls:.3g} calls · {duration(cell.seconds)} · {money(cell.cost_usd)}"
    stopped = [STOP_WORDS[stop] for stop in dict.fromkeys(cell.stops) if stop != "terminal"]
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
