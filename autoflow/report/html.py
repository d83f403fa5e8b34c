"""A comparison as one HTML file: nothing is fetched, no script runs, all folding is the browser's own.

The file may be sent to anybody and hold anything that people and models wrote: every text goes in through
`autoflow.report.markup`, and a policy in its head lets it load nothing but its own style sheet.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from autoflow import __version__
from autoflow.lang import parse
from autoflow.lang.export import TYPE_COLOURS
from autoflow.report.bar import bar_svg, bar_words
from autoflow.report.changes import changes, counted
from autoflow.report.comparison import ComparisonReport, Side, signs
from autoflow.report.html_tasks import tasks_section
from autoflow.report.html_traces import TracePair, traces_section
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
    body = tag(
        "main", tag("h1", title), tag("p", report.verdict, class_="verdict"), *_notes(report), _figures(report),
        _difference(report), _graphs(report), tasks_section(report), traces_section(report, traces), _texts(report),
        tag("footer", _made(report, at)),
    )  # fmt: skip
    return "<!doctype html>\n" + tag("html", _head(title), tag("body", body), lang="en") + "\n"


def _head(title: str) -> Markup:
    sheet = _style()
    hashed = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(sheet)),
    )


@cache
def _style() -> str:
    hues = "".join(f"  --{name}: {colour.fill};\n" for name, colour in TYPE_COLOURS.items())
    return f":root {{\n{hues}}}\n" + Path(__file__).with_name("report.css").read_text("utf-8")


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


def _made(report: ComparisonReport, at: float | None) -> str:
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(time.time() if at is None else at))
    return f"{facts(report)} Made with AutoFlow {__version__} on {day}."
