"""What the charts and the table of a study are given to draw: words and numbers out of a `StudyView`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist, fmean, stdev

from autoflow.optimize.view import CurvePoint, StudyView
from autoflow.report.figures import money, plural
from autoflow.report.figures import number as number
from autoflow.study import Candidate, Split
from pages.ui.components.curves import Series
from pages.ui.palette import SERIES_COLOURS as COLOURS

MOST_ROWS = 300
SPLIT_WORDS: dict[Split, str] = {"train": "Train", "val": "Validation", "test": "Test"}


def half_width(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of the mean by Student's t; None for fewer than 3 values.

    Quick enough for a table of all candidates; what is claimed in words rests on the bootstrap.
    """
    free = len(values) - 1
    if free < 2:
        return None
    z = NormalDist().inv_cdf(0.975)
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)  # Fisher's expansion
    return t * stdev(values) / sqrt(len(values))


def series(view: StudyView) -> tuple[list[Series], str]:
    """The curves, each candidate one point, and what the axis on the right counts."""
    points = view.curve()
    if not points:
        return [], ""
    told = [_words(view, point) for point in points]
    broken = [p.candidate for p in points if view.candidates[p.candidate].error]
    spent, name = _spent(points)
    found = [
        _line("spent", name, points, spent, told, colour=COLOURS["spent"], width=1.3, axis="y2"),
        _line("valid", "Share of usable answers", points, lambda p: p.valid, told, colour=COLOURS["valid"], width=1.5,
              dash="dashdot", hidden=True),
        *_levels(view, points),
        _line("best", "Best so far", points, lambda p: p.best, told, colour=COLOURS["best"], width=2.5, stairs=True),
        _line("train", "Train, reward", points, lambda p: None if p.candidate in broken else p.train, told,
              colour=COLOURS["train"], mode="markers", symbol="diamond", open=True),
        _line("val", "Validation, score", points, lambda p: p.val, told, colour=COLOURS["val"], mode="markers",
              size=10),
        Series("broken", "Has errors, not run", broken, [0.0] * len(broken), [told[n] for n in broken], mode="markers",
               symbol="x-thin"),
    ]  # fmt: skip
    return found, name


def _line(
    id: str, name: str, points: Sequence[CurvePoint], value: Callable[[CurvePoint], float | None], told: Sequence[str],
    **look: object,
) -> Series:  # fmt: skip
    found = [(p.candidate, y, told[p.candidate]) for p in points if (y := value(p)) is not None]
    x, height, words = [n for n, _, _ in found], [y for _, y, _ in found], [w for _, _, w in found]
    return Series(id, name, x, height, words, **look)  # type: ignore[arg-type]


def _spent(points: Sequence[CurvePoint]) -> tuple[Callable[[CurvePoint], float | None], str]:
    """Dollars where they are known and any were spent, else calls."""
    if points[-1].cost_usd:
        return (lambda p: p.cost_usd), "Dollars so far"
    return (lambda p: p.calls), "Calls so far"


def _levels(view: StudyView, points: Sequence[CurvePoint]) -> list[Series]:
    """The validation scores of what the search has to beat, as lines across."""
    across = [0, max(1, points[-1].candidate)]
    found: list[Series] = []
    for candidate, name, dash in ((view.manual, "Manual workflow", "dash"), (view.plain, "Plain prompt", "dot")):
        level = None if candidate is None else view.score(candidate.number, "val")
        if level is not None:
            words = [f"{name}: {number(level)} on validation"] * 2
            found.append(Series(name, name, across, [level] * 2, words, dash=dash, width=1.6))  # type: ignore[arg-type]
    return found


def _words(view: StudyView, point: CurvePoint) -> str:
    candidate = view.candidates[point.candidate]
    first = f"Candidate {candidate.number}, round {candidate.round}: {candidate.operator or 'no name'}"
    if candidate.error:
        return f"{first}\nhas errors and was not run"
    measured = [
        f"{name} {number(value)}"
        for name, value in (("train", point.train), ("validation", point.val), ("usable", point.valid))
        if value is not None
    ]
    return f"{first}\n{', '.join(measured) or 'not measured yet'}\n{plural(point.calls, 'call')} so far"


def rows(view: StudyView) -> list[dict[str, object]]:
    """The table of candidates: every cell as it is read. Of very many the best on validation, the first and the latest.

    A training makes thousands, and a table of all of them would be read by nobody.
    """
    chosen = view.study.best
    kept = {c.number for c in view.candidates}
    if len(kept) > MOST_ROWS:
        best = [c.number for c in view.measured()[: MOST_ROWS // 2]]
        latest = range(len(view.candidates) - MOST_ROWS // 2, len(view.candidates))
        kept = {0, 1, *best, *latest}
    return [
        _row(view, candidate, candidate.number == chosen) for candidate in view.candidates if candidate.number in kept
    ]


def _row(view: StudyView, candidate: Candidate, chosen: bool) -> dict[str, object]:
    scores = list(view.task_scores(candidate.number, "val").values())
    complete = view.complete(candidate.number, "val")
    width = half_width(scores) if complete else None
    runs = view.searched(candidate.number)
    tokens = fmean(o.totals.prompt_tokens + o.totals.completion_tokens for o in runs) if runs else None
    known = [o.totals.cost_usd for o in runs]
    cost = None if not runs or None in known else fmean(c or 0.0 for c in known)
    partly = f"{len(scores)} of {len(view.study.splits.get('val', ()))}" if scores and not complete else ""
    return {
        "number": candidate.number,
        "parent": None if candidate.parent is None else candidate.parent,
        "round": candidate.round,
        "operator": candidate.operator or "–",
        "train": number(None if candidate.error else view.reward(candidate.number, "train")),
        "val": number(view.score(candidate.number, "val")) if complete else partly or "–",
        "interval": "" if width is None else f"± {number(width)}",
        "valid": _share(view, candidate),
        "tokens": "–" if tokens is None else f"{tokens:,.0f}",
        "cost": "–" if not runs else money(cost),
        "error": candidate.error,
        "chosen": chosen,
    }


def _share(view: StudyView, candidate: Candidate) -> str:
    if candidate.error:
        return "errors"
    share = view.valid_share(candidate.number)
    return "–" if share is None else f"{share:.0%}"
