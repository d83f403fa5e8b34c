"""A comparison as plain data, for programs."""

from __future__ import annotations

from autoflow.lang.diff import to_json
from autoflow.optimize.training_view import told
from autoflow.records import Json
from autoflow.report.comparison import Cell, ComparisonReport, Side, TaskRow
from autoflow.statistics import Interval


def report_json(report: ComparisonReport) -> Json:
    """The fixed shape of `autoflow compare --json`, with the last step of a training where there was one.

    A price, a score or a p of null is unknown.
    """
    found, spec = report.comparison, report.study.spec
    trained = {"training": told(report.training, ended=report.study.stop is not None)} if report.training else {}
    return {
        "study_id": report.study.id,
        "suite": report.suite,
        "split": report.split,
        "seed": spec.suite.seed,
        "model": spec.interpreter,
        "repeats": spec.repeats,
        "verdict": report.verdict,
        "difference": _interval(found.difference) if found else None,
        "p": found.p if found else None,
        "tasks": found.tasks if found else 0,
        "wins": found.wins if found else 0,
        "ties": found.ties if found else 0,
        "losses": found.losses if found else 0,
        "missing": report.missing,
        "test_openings": report.test_openings if report.sealed else None,
        "proposed_by_a_model": list(report.proposed),
        "a": _side(report.a),
        "b": _side(report.b),
        "diff": to_json(report.diff),
        "rows": [_row(row) for row in report.rows],
    } | trained


def _interval(found: Interval) -> Json:
    return {"mean": found.mean, "low": found.low, "high": found.high}


def _side(side: Side) -> Json:
    return {
        "candidate": side.number,
        "name": side.name,
        "text": side.text,
        "error": side.error,
        "score": _interval(side.score) if side.score else None,
        "runs": side.runs,
        "valid": side.valid,
        "p50_s": side.p50_s,
        "usage": side.totals.model_dump(),
        "judge": side.judge.model_dump(),
    }


def _row(row: TaskRow) -> Json:
    return {
        "task": row.task,
        "objective": row.objective,
        "expected": row.expected,
        "difference": row.difference,
        "a": _cell(row.a),
        "b": _cell(row.b),
    }


def _cell(cell: Cell | None) -> Json | None:
    if cell is None:
        return None
    return {
        "score": cell.score,
        "answers": list(cell.answers),
        "stops": list(cell.stops),
        "errors": list(cell.errors),
        "calls": cell.calls,
        "seconds": cell.seconds,
        "cost_usd": cell.cost_usd,
    }
