"""Traces in the HTML file: both sides of a task beside each other, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoflow.interpret.trace import StepView
from autoflow.records import Json
from autoflow.report.align import align
from autoflow.report.comparison import Cell, ComparisonReport, TaskRow
from autoflow.report.html_tasks import bounded
from autoflow.report.markup import Markup, tag, together
from autoflow.report.visits import row

_GLYPHS = {"process": "●", "decision": "◆", "terminal": "■"}


@dataclass(frozen=True, slots=True)
class TracePair:
    """What both sides did on one task."""

    task: TaskRow
    a: Sequence[StepView]
    b: Sequence[StepView]


def traces_section(report: ComparisonReport, pairs: Sequence[TracePair]) -> Markup | None:
    """One folded part a task; None where there are none."""
    if not pairs:
        return None
    heads = tag("div", tag("div", f"A {report.a.name}"), tag("div", f"B {report.b.name}"), class_="visits heads")
    return tag("section", tag("h2", "Traces"), *(_pair(pair, heads) for pair in pairs))


def _pair(pair: TracePair, heads: Markup) -> Markup:
    scores = f"A {_score(pair.task.a)}, B {_score(pair.task.b)}"
    name = pair.task.objective or pair.task.task
    shown = name if len(name) <= 120 else name[:119].rstrip() + "…"
    cells = [_visit(view, "A" if n == 0 else "B") for both in align(pair.a, pair.b) for n, view in enumerate(both)]
    summary = tag("summary", shown, " ", tag("span", scores, class_="quiet"))
    return tag("details", summary, heads, tag("div", *cells, class_="visits"), class_="trace")


def _score(cell: Cell | None) -> str:
    return "not run" if cell is None else "not rated" if cell.score is None else f"{cell.score:.2f}"


def _visit(view: StepView | None, side: str) -> Markup:
    if view is None:
        return tag("div", f"{side}: no such step", class_="gap quiet")
    told = row(view, running=False)
    kind = view.type if view.type in _GLYPHS else "unknown"
    head = tag(
        "div", tag("span", _GLYPHS.get(view.type, "●"), class_="glyph"), tag("span", f"{view.visit}"),
        tag("strong", view.step), tag("span", f"→ {told['branch']}", class_="branch") if told["branch"] else None,
        tag("span", told["figures"], class_="quiet"), class_="head",
    )  # fmt: skip
    why = tag("div", told["why"], class_="quiet") if told["why"] else None
    warned = [tag("div", f"! {text}", class_="problem") for text in told["warnings"]]
    answer = tag("div", bounded(told["answer"]), class_="text")
    return tag("div", head, why, answer, *warned, *map(_detail, told["details"]), class_=f"visit {kind}")


def _detail(detail: Json) -> Markup:
    """A prompt and its reply, a tool call, or what memory chose."""
    parts = [
        together(
            tag("div", tag("strong", part["label"]), " ", tag("span", part["note"], class_="quiet")),
            tag("pre", bounded(part["text"]), tabindex="0"),
        )
        for part in detail["parts"]
    ]
    return tag("details", tag("summary", detail["title"]), *parts)
