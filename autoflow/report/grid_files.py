"""A benchmark as files for other programs: CSV a workflow and a task, LaTeX in the paper's form, JSON."""

from __future__ import annotations

from autoflow.records import Json
from autoflow.report.csv import written
from autoflow.report.grid import GridCell
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_scoring import COLUMNS, PUBLISHED, column_of, scored_by
from autoflow.report.grid_table import Line, count_words, lines, workflow_words
from autoflow.report.grid_words import answers
from autoflow.statistics import Comparison, Interval
from autoflow.suites.registry import Saved

_CELL = ("suite", "variant", "interpreter", "generator", "workflow", "kept")
_EMPTY = (None, None, None)


def grid_csv(report: GridReport) -> str:
    """One line a workflow of a cell; an empty number is unknown."""
    metrics = [name for column in COLUMNS for name in (column, f"{column} low", f"{column} high", f"{column} tasks")]
    head = (
        *_CELL,
        *metrics,
        "average",
        "low",
        "high",
        "valid",
        "tasks",
        "calls_a_run",
        "gain",
        "gain_low",
        "gain_high",
        "gain_p",
    )
    return written([head, *(_row(line) for line in lines(report))])


def grid_tasks_csv(report: GridReport) -> str:
    """One line a test task of each workflow."""
    spec = report.benchmark.spec
    rows: list[tuple[str | float | None, ...]] = [
        (*_named(line), task, column_of(spec.suites[line.cell.cell.suite], task), line.scored.tasks[task])
        for line in lines(report)
        for task in sorted(line.scored.tasks)
    ]
    return written([(*_CELL, "task", "metric", "score"), *rows])


def grid_latex(report: GridReport) -> str:
    """A `tabular` for a paper; the published figures stand apart, and are called that."""
    body = [" & ".join(_tex_cells(report, line)) + r" \\" for line in lines(report)]
    published = [
        f"{_tex(one.interpreter)} & {_tex(generator)} & {words} & -- & -- & -- & {value:.4f} & -- \\\\"
        for one in PUBLISHED
        for words, value, generator in (("manual", one.manual, "--"), ("generated", one.generated, one.generator))
    ]
    head = r"Interpreter & Generator & Workflow & " + " & ".join(COLUMNS) + r" & Average (95\,\% interval) & Valid \\"
    note = r"\multicolumn{8}{l}{Published (arXiv 2407.12821), not measured here:} \\"
    return "\n".join(
        [r"\begin{tabular}{lllrrrrr}", r"\hline", head, r"\hline", *body, r"\hline", note, *published, r"\hline",
         r"\end{tabular}", ""]
    )  # fmt: skip


def grid_json(report: GridReport, saved: Saved | None = None) -> Json:
    """The fixed shape of `autoflow benchmark --json`."""
    benchmark = report.benchmark
    return {
        "benchmark": benchmark.id,
        "name": benchmark.name,
        "recorded": benchmark.recorded,
        "cells": [_cell(report, one) for one in report.cells],
        "done": report.done,
        "lines": [_dict(line) for line in lines(report)],
        "synergy": [
            {"mixed": one.mixed.study_id, "pure": one.pure.study_id, **_difference(one.difference)}
            for one in report.synergies
        ],
        "variants": [
            {"suite": report.suites[one.suite], "variant": benchmark.spec.variants[one.variant].name,
             "against": benchmark.spec.variants[0].name, "pairs": one.pairs, **_difference(one.difference)}
            for one in report.variants
        ],
        "answers": answers(report),
        "scored_by": [scored_by(suite, saved) for suite in benchmark.spec.suites],
        "published": [
            {"interpreter": p.interpreter, "manual": p.manual, "generated": p.generated, "generator": p.generator}
            for p in PUBLISHED
        ],
    }  # fmt: skip


def _named(line: Line) -> tuple[str, ...]:
    return (line.suite, line.variant, line.interpreter, line.generator, workflow_words(line), line.kept or "")


def _row(line: Line) -> tuple[str | float | None, ...]:
    counts = {column: line.counts.get(column) for column in COLUMNS}
    metrics = [v for c, n in counts.items() for v in (*_numbers(line.metrics.get(c), n or 0), n)]
    gain = (*_EMPTY, None) if line.gain is None else (*_numbers(line.gain.difference, line.gain.tasks), line.gain.p)
    return (*_named(line), *metrics, *_numbers(line.mean, line.tasks), line.valid, line.tasks, line.calls, *gain)


def _numbers(found: Interval | None, tasks: int) -> tuple[float | None, ...]:
    """Mean, low and high; a single task has no interval."""
    if found is None:
        return _EMPTY
    return (found.mean, found.low, found.high) if tasks > 1 else (found.mean, None, None)


def _cell(report: GridReport, one: GridCell) -> Json:
    spec = report.benchmark.spec
    return {
        "study": one.study_id, "suite": report.suites[one.cell.suite], "variant": spec.variants[one.cell.variant].name,
        "interpreter": spec.interpreters[one.cell.interpreter], "generator": spec.generators[one.cell.generator],
        "state": one.state, "words": one.words, "kept": one.kept,
    }  # fmt: skip


def _dict(line: Line) -> Json:
    metrics = {c: {**_interval(m, line.counts[c]), "tasks": line.counts[c]} for c, m in line.metrics.items()}
    named: Json = {**dict(zip(_CELL, _named(line), strict=True)), "kept": line.kept}
    gain = None if line.gain is None else _difference(line.gain)
    return named | {
        "metrics": metrics, "average": _interval(line.mean, line.tasks), "valid": line.valid, "tasks": line.tasks,
        "calls_a_run": line.calls, "above_manual": gain,
    }  # fmt: skip


def _interval(found: Interval, tasks: int) -> Json:
    return dict(zip(("mean", "low", "high"), _numbers(found, tasks), strict=True))


def _difference(found: Comparison) -> Json:
    return {**_interval(found.difference, found.tasks), "p": found.p, "tasks": found.tasks}


def _tex_cells(report: GridReport, line: Line) -> tuple[str, ...]:
    several = len(report.benchmark.spec.suites) > 1 or line.variant
    span = f" [{line.mean.low:.4f}, {line.mean.high:.4f}]" if line.tasks > 1 else " (one task)"
    place = f" ({', '.join(filter(None, (line.suite, line.variant)))})" if several else ""
    return (
        _tex(line.interpreter), _tex(line.generator or "--"), _tex(workflow_words(line) + place),
        *(f"{line.metrics[c].mean:.4f}{count_words(line, c)}" if c in line.metrics else "--" for c in COLUMNS),
        f"{line.mean.mean:.4f}{span}", f"{line.valid:.0%}".replace("%", r"\%"),
    )  # fmt: skip


_TEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def _tex(text: str) -> str:
    """Names of models as LaTeX reads them, on one line."""
    return " ".join(text.split()).translate(_TEX)
