"""A benchmark as a table in the paper's form: a line a workflow of a cell, as CSV, LaTeX and plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from autoflow.benchmark import Benchmark, cells
from autoflow.optimize.view import StudyView
from autoflow.records import Json
from autoflow.report.csv import written
from autoflow.report.figures import signed
from autoflow.report.grid import PUBLISHED, GridCell, Scored, Side, Synergy, by_metric, grid_cell, synergy
from autoflow.store.base import BenchmarkStore, StudyStore
from autoflow.suites.openagi_tasks import openagi_tasks

WORKFLOWS: dict[Side, str] = {"manual": "manual", "found": "generated", "plain": "plain prompt"}
COLUMNS = ("CLIP score", "BERTScore", "ViT score")
_KINDS = {f"openagi-{task.number}": task.kind for task in openagi_tasks()}


class BenchmarksAndStudies(BenchmarkStore, StudyStore, Protocol):
    """What reading one takes of the store."""


@dataclass(frozen=True, slots=True)
class Line:
    """One workflow of one cell."""

    suite: str
    variant: str
    interpreter: str
    generator: str  # empty for workflows that no generator has part in
    workflow: str  # of `WORKFLOWS`
    metrics: Mapping[str, float]  # of `COLUMNS`; empty where plans are not carried out
    mean: float  # over tasks, in [0, 1]
    low: float
    high: float
    valid: float  # share of runs with a usable answer
    tasks: int
    calls: float  # mean a run
    gain: float | None  # above the manual workflow, paired by task
    gain_low: float | None
    gain_high: float | None


@dataclass(frozen=True, slots=True)
class GridReport:
    """A benchmark as it stands."""

    benchmark: Benchmark
    cells: Sequence[GridCell]
    synergies: Sequence[Synergy]  # one a suite and variant where there is one

    @property
    def done(self) -> int:
        return sum(cell.stop is not None and bool(cell.sides) for cell in self.cells)


def read_grid(store: BenchmarksAndStudies, benchmark: Benchmark) -> GridReport:
    """Read from the studies. Raises NotFound: a study was deleted."""
    spec, found = benchmark.spec, []
    for cell in cells(spec):
        study_id = benchmark.studies[cell.key]
        outcomes = [outcome for _, outcome in store.study_outcomes(study_id)]
        found.append(grid_cell(cell, StudyView(store.get_study(study_id), store.study_candidates(study_id), outcomes)))
    places = [(suite, variant) for suite in range(len(spec.suites)) for variant in range(len(spec.variants))]
    mixed = [synergy(spec, found, *place) for place in places]
    return GridReport(benchmark, found, [one for one in mixed if one is not None])


def lines(report: GridReport) -> list[Line]:
    """What was measured; manual workflow and plain prompt once for each interpreter: no generator has part in them."""
    told: list[Line] = []
    seen: set[tuple[int, int, int, Side]] = set()
    for one in report.cells:
        for side in ("manual", "plain", "found"):
            if side not in one.sides:
                continue
            place = (one.cell.suite, one.cell.variant, one.cell.interpreter, side)
            if side == "found" or place not in seen:
                seen.add(place)  # type: ignore[arg-type]
                told.append(_line(report.benchmark, one, side, one.sides[side]))  # type: ignore[arg-type, index]
    return told


def grid_csv(report: GridReport) -> str:
    """One line a workflow; an empty number is unknown."""
    head = (
        "suite", "variant", "interpreter", "generator", "workflow", *COLUMNS, "mean", "low", "high", "valid", "tasks",
        "calls_a_run", "gain", "gain_low", "gain_high",
    )  # fmt: skip
    return written([head, *(_cells(line) for line in lines(report))])


def grid_latex(report: GridReport) -> str:
    """A `tabular` for a paper; the published figures stand apart, and are called that."""
    body = [
        " & ".join(
            (
                _tex(line.interpreter), _tex(line.generator or "--"), _tex(line.workflow),
                *(f"{line.metrics[c]:.4f}" if c in line.metrics else "--" for c in COLUMNS),
                f"{line.mean:.4f} [{line.low:.4f}, {line.high:.4f}]", f"{line.valid:.0%}".replace("%", r"\%"),
            )
        )
        + r" \\"
        for line in lines(report)
    ]  # fmt: skip
    published = [
        f"{_tex(interpreter)} & {_tex(generator)} & {words} & -- & -- & -- & {value:.4f} & -- \\\\"
        for interpreter, manual, best, by in PUBLISHED
        for words, value, generator in (("manual", manual, "--"), ("generated", best, by))
    ]
    head = r"Interpreter & Generator & Workflow & " + " & ".join(COLUMNS) + r" & Average (95\,\% interval) & Valid \\"
    note = r"\multicolumn{8}{l}{Published (arXiv 2407.12821), not measured here:} \\"
    return "\n".join(
        [r"\begin{tabular}{lllrrrrr}", r"\hline", head, r"\hline", *body, r"\hline", note, *published, r"\hline",
         r"\end{tabular}", ""]
    )  # fmt: skip


def grid_json(report: GridReport) -> Json:
    """The fixed shape of `autoflow benchmark --json`."""
    return {
        "benchmark": report.benchmark.id,
        "name": report.benchmark.name,
        "cells": len(report.cells),
        "done": report.done,
        "lines": [_dict(line) for line in lines(report)],
        "studies": dict(report.benchmark.studies),
        "synergy": [
            {"mixed": one.mixed.study_id, "pure": one.pure.study_id, "difference": one.difference.difference.mean,
             "low": one.difference.difference.low, "high": one.difference.difference.high, "p": one.difference.p}
            for one in report.synergies
        ],
        "published": [
            {"interpreter": interpreter, "manual": manual, "generated": best, "generator": by}
            for interpreter, manual, best, by in PUBLISHED
        ],
    }  # fmt: skip


def synergy_words(report: GridReport, one: Synergy) -> str:
    """`The best mixed pair (A writes, B runs: 0.62) is 0.05 above the best pure pair (C: 0.57; 95 % interval ...)`."""
    spec, d = report.benchmark.spec, one.difference.difference
    mixed, pure = (
        f"{spec.generators[g.cell.generator]} writes, {spec.interpreters[g.cell.interpreter]} runs, "
        f"{g.sides['found'].mean.mean:.2f}"
        for g in (one.mixed, one.pure)
    )
    unsure = "" if d.low > 0 or d.high < 0 else f": no difference that {one.difference.tasks} tasks could tell"
    interval = f"95 % interval {signed(d.low)} to {signed(d.high)}"
    return f"Best mixed pair ({mixed}) against best pure one ({pure}): {signed(d.mean)}, {interval}{unsure}."


def _line(benchmark: Benchmark, one: GridCell, side: Side, scored: Scored) -> Line:
    spec, gain = benchmark.spec, one.gain.difference if one.gain and side == "found" else None
    carried_out = spec.suites[one.cell.suite].name == "openagi"
    return Line(
        suite=spec.suites[one.cell.suite].name,
        variant=spec.variants[one.cell.variant].name,
        interpreter=spec.interpreters[one.cell.interpreter],
        generator=spec.generators[one.cell.generator] if side == "found" else "",
        workflow=WORKFLOWS[side],
        metrics=by_metric(scored, _KINDS) if carried_out else {},
        mean=fmean(scored.tasks.values()),
        low=scored.mean.low,
        high=scored.mean.high,
        valid=scored.valid,
        tasks=len(scored.tasks),
        calls=scored.calls,
        gain=gain.mean if gain else None,
        gain_low=gain.low if gain else None,
        gain_high=gain.high if gain else None,
    )


def _cells(line: Line) -> tuple[str | float | None, ...]:
    numbers = (
        line.mean,
        line.low,
        line.high,
        line.valid,
        line.tasks,
        line.calls,
        line.gain,
        line.gain_low,
        line.gain_high,
    )
    metrics = [line.metrics.get(column) for column in COLUMNS]
    return (line.suite, line.variant, line.interpreter, line.generator, line.workflow, *metrics, *numbers)


def _dict(line: Line) -> Json:
    return {name: getattr(line, name) for name in Line.__slots__} | {"metrics": dict(line.metrics)}


_TEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}
)


def _tex(text: str) -> str:
    """Names of models as LaTeX reads them."""
    return text.translate(_TEX)
