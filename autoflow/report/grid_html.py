"""A benchmark as one HTML file: the grid, the table in the paper's form, what was published, every task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autoflow.report.colours import LEVELS, level, score_colour
from autoflow.report.figures import plural, signed
from autoflow.report.grid import GridCell
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_scoring import PUBLISHED, scored_by
from autoflow.report.grid_table import (
    average_words,
    columns,
    kept_words,
    lines,
    metric_gains,
    metric_words,
    span_words,
    which_kept,
    workflow_words,
)
from autoflow.report.grid_words import answers, facts, pair, place_words, places, signed_interval
from autoflow.report.html_file import html_file, made_on
from autoflow.report.html_grid_tasks import tasks_section
from autoflow.report.markup import Markup, tag, together
from autoflow.suites.registry import Saved

PUBLISHED_WORDS = (
    "Average scores over tasks that the paper (arXiv 2407.12821) gives for its own data and models. Nothing in this "
    "table was measured here."
)


def grid_html(
    report: GridReport, objectives: Sequence[Mapping[str, str]] = (), *, saved: Saved | None = None,
    at: float | None = None,
) -> str:  # fmt: skip
    """The whole file.

    Args:
        objectives: of each suite, task -> what it asks; tasks without one are told by their ids.
        saved: finds suites that people made, so as to say how they are scored.
        at: when it was made, seconds since 1970; default now.
    """
    name = report.benchmark.name or "A benchmark without a name"
    return html_file(
        name, tag("h1", name), *(tag("p", words, class_="verdict") for words in answers(report)),
        *(tag("p", words, class_="note") for words in notes(report, saved)), _grids(report), _unmeasured(report),
        _table(report), _published(), _metrics(report), tasks_section(report, objectives), _facts(report),
        tag("footer", f"Benchmark {report.benchmark.id}. {made_on(at)}"), style=_levels(),
    )  # fmt: skip


def notes(report: GridReport, saved: Saved | None = None) -> list[str]:
    """Sentences that a reader needs so as not to be misled."""
    benchmark = report.benchmark
    found = [f"This is a recording: {benchmark.recorded}"] if benchmark.recorded else []
    if report.done < len(report.cells):
        found.append(f"Not finished: {report.done:,} of {plural(len(report.cells), 'cell')} are done.")
    for n, suite in enumerate(benchmark.spec.suites):
        name = f"{report.suites[n]}: " if len(benchmark.spec.suites) > 1 else ""
        found.append(name + scored_by(suite, saved))
    return found


def _levels() -> str:
    """A rule for each step of the scale: the file's policy lets no element bear a style of its own."""
    steps = ((n, *score_colour(n / LEVELS)) for n in range(LEVELS + 1))
    return "".join(f".level-{n} {{ background: {ground}; color: {text}; }}\n" for n, ground, text in steps)


def _grids(report: GridReport) -> Markup:
    told = (
        "Score of what was found on the sealed test with its 95 % interval, and beneath it how much that is above the "
    )
    words = tag("p", told + "manual workflow of the same interpreter.", class_="quiet")
    return tag("section", tag("h2", "Grid"), words, *(_grid(report, *place) for place in places(report)))


def _grid(report: GridReport, suite: int, variant: int) -> Markup:
    spec, there = report.benchmark.spec, report.at(suite, variant)
    across = [tag("th", model, scope="col") for model in spec.interpreters]
    head = tag("tr", tag("td", "writes ↓ runs →", class_="quiet"), *across)
    rows = [
        tag("tr", tag("th", model, scope="row"), *(_cell(there[n, k]) for k in range(len(spec.interpreters))))
        for n, model in enumerate(spec.generators)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="grid")
    title = place_words(report, suite, variant)
    return together(tag("h3", title) if title else None, _wide(table, f"Grid {title}".strip()))


def _cell(one: GridCell) -> Markup:
    found = one.sides.get("found")
    if found is None:
        return tag("td", one.state if one.state != "done" or not one.sides else "not searched", class_="quiet")
    gain = "" if one.gain is None else f"{signed(one.gain.difference.mean)} above manual"
    return tag(
        "td", tag("strong", f"{found.mean.mean:.2f}"), tag("div", span_words(found.mean, len(found.tasks))),
        tag("div", kept_words(one.kept) if one.kept else gain), class_=f"level-{level(found.mean.mean)}",
    )  # fmt: skip


def _unmeasured(report: GridReport) -> Markup | None:
    """Why cells have no score."""
    found = [
        one
        for one in report.cells
        if one.state in ("failed", "stopped", "deleted") or (one.state == "done" and not one.sides)
    ]
    if not found:
        return None
    rows = [tag("li", tag("strong", pair(report, one)), f" {one.state}: ", one.words) for one in found]
    return tag("section", tag("h2", "Cells without a score"), tag("ul", *rows, class_="changes"))


def _table(report: GridReport) -> Markup:
    found, metrics = lines(report), columns(report)
    if not found:
        return tag("section", tag("h2", "Table"), tag("p", "Nothing was measured yet."))
    several, varied = len(report.suites) > 1, any(line.variant for line in found)
    names = (
        "Interpreter", "Generator", "Workflow", *(["Tasks of"] if several else []), *(["Variant"] if varied else []),
        *metrics, "Average over tasks (95 % interval)", "Usable answers", "Tasks", "Calls a run",
        "Above manual (95 % interval)",
    )  # fmt: skip
    rows = [
        tag(
            "tr", tag("th", line.interpreter, scope="row"), tag("td", line.generator or "–"),
            tag("td", workflow_words(line)), tag("td", line.suite) if several else None,
            tag("td", line.variant) if varied else None,
            *(_right(metric_words(line, column, 4)) for column in metrics),
            _right(average_words(line.mean, line.tasks, 4)), _right(f"{line.valid:.0%}"),
            _right(f"{line.tasks}"), _right(f"{line.calls:.1f}"), _right(signed_interval(line.gain)),
        )
        for line in found
    ]  # fmt: skip
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    return tag(
        "section",
        tag("h2", "Table"),
        _wide(tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers"), "Table"),
    )


def _published() -> Markup:
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Interpreter", "Manual", "Generated", "by")))
    rows = [
        tag("tr", tag("th", one.interpreter, scope="row"), _right(f"{one.manual:.4f}"), _right(f"{one.generated:.4f}"),
            tag("td", one.generator, class_="word"))
        for one in PUBLISHED
    ]  # fmt: skip
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="figures numbers published")
    return tag("section", tag("h2", "Published, not measured"), tag("p", PUBLISHED_WORDS, class_="note"), table)


def _metrics(report: GridReport) -> Markup | None:
    """What was found beside the manual workflow, a metric; None where the suites have none."""
    rows = [
        tag("tr", tag("th", pair(report, one) + which_kept(one), scope="row"), tag("td", column),
            _right(f"{found.tasks}"), _right(signed_interval(found)))
        for one in report.cells
        for column, found in (metric_gains(one) if columns(report) else {}).items()
    ]  # fmt: skip
    if not rows:
        return None
    names = ("Pair", "Metric", "Tasks", "Generated above manual (95 % interval)")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers")
    return tag("section", tag("h2", "By metric"), _wide(table, "By metric"))


def _facts(report: GridReport) -> Markup:
    told = facts(report.benchmark, tuple(report.suites))
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in told]
    return tag("section", tag("h2", "How it was made"), tag("table", tag("tbody", *rows)))


def _right(text: str) -> Markup:
    return tag("td", text, class_="number")


def _wide(table: Markup, label: str) -> Markup:
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=label)
