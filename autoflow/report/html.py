"""A comparison as one HTML file: nothing is fetched, no script runs, all folding is the browser's own."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.lang import parse
from autoflow.report.bar import bar_svg, bar_words
from autoflow.report.changes import changes, counted
from autoflow.report.comparison import ComparisonReport, Side, signs
from autoflow.report.html_file import html_file, made_on
from autoflow.report.html_tasks import tasks_section
from autoflow.report.html_traces import TracePair, traces_section
from autoflow.report.html_training import training_section
from autoflow.report.markup import Markup, tag, together
from autoflow.report.notes import facts, notes, side_figures
from autoflow.report.svg import graph_svg


def report_html(report: ComparisonReport, traces: Sequence[TracePair] = (), *, at: float | None = None) -> str:
    """The whole file.

    Args:
        traces: of the tasks to be shown step by step, in this order.
        at: when it was made, seconds since 1970; default now.
    """
    title = f"{report.b.name} against {report.a.name}"
    return html_file(
        title, tag("h1", title), tag("p", report.verdict, class_="verdict"), *_notes(report), _figures(report),
        _difference(report), _graphs(report), tasks_section(report), traces_section(report, traces),
        training_section(report.training), _texts(report),
        tag("footer", f"{facts(report)} {made_on(at)}"),
    )  # fmt: skip


def _notes(report: ComparisonReport) -> list[Markup]:
    return [tag("p", note, class_="note") for note in notes(report)]


def _figures(report: ComparisonReport) -> Markup:
    """The bar, and what each side scored and took."""
    head = tag("tr", tag("td"), *(tag("th", _label(s, k), scope="col") for s, k in _sides(report)))
    rows = zip(side_figures(report.a), side_figures(report.b), strict=True)
    body = [tag("tr", tag("th", n, scope="row"), tag("td", a), tag("td", b)) for (n, a), (_, b) in rows]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="figures")
    found = report.comparison
    if found is None:
        return tag("section", tag("h2", "Figures"), table)
    words = tag("p", bar_words(found, report.a.name, report.b.name))
    return tag("section", tag("h2", "Figures"), bar_svg(found, report.a.name, report.b.name), words, table)


def _sides(report: ComparisonReport) -> tuple[tuple[Side, str], tuple[Side, str]]:
    return (report.a, "A"), (report.b, "B")


def _label(side: Side, letter: str) -> Markup:
    return together(tag("span", letter, class_="letter"), " ", side.name)


def _difference(report: ComparisonReport) -> Markup:
    records = [
        tag(
            "li",
            tag("span", record["sign"], class_="mark"),
            tag("strong", record["title"]),
            f" {record['what']}",
            *(_field(field) for field in record["fields"]),
        )
        for record in changes(report.diff)
    ]
    list_ = tag("ul", *records, class_="changes") if records else None
    return tag("section", tag("h2", "What changed from A to B"), tag("p", counted(report.diff)), list_)


def _field(field: dict[str, list[list[str]]]) -> Markup:
    before, after = _pieces(field["before"]), _pieces(field["after"])
    name = tag("div", str(field["field"]), class_="field")
    return tag("div", name, tag("div", *before, class_="text"), tag("div", *after, class_="text"), class_="change")


def _pieces(pieces: list[list[str]]) -> list[Markup]:
    """Changed words are struck out or underlined, and named as such to readers that do not see."""
    elements = {"same": "span", "removed": "del", "added": "ins"}
    return [tag(elements[kind], text) for kind, text in pieces]


def _graphs(report: ComparisonReport) -> Markup:
    marked = signs(report.diff)
    figures = [
        tag("figure", tag("figcaption", _label(s, k)), graph_svg(parse(s.text).workflow, key=k.lower(), signs=m))
        for (s, k), m in zip(_sides(report), marked, strict=True)
    ]
    legend = tag("p", "+ only in B, − only in A, ~ changed.", class_="quiet")
    return tag("section", tag("h2", "Graphs"), legend, tag("div", *figures, class_="pair"))


def _texts(report: ComparisonReport) -> Markup:
    folded = [
        tag("details", tag("summary", "Text of ", _label(s, k)), tag("pre", s.text, tabindex="0"))
        for s, k in _sides(report)
    ]
    return tag("section", tag("h2", "Texts"), *folded)
