"""The training of a study's generator in the HTML file: its curves, and some of its steps in figures."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.optimize.training_view import TrainingPoint, best_step, in_words
from autoflow.report.curves_svg import Curve, curves_svg
from autoflow.report.figures import duration, number, percent, plural
from autoflow.report.markup import Markup, tag

_ROWS = 8  # steps in the table


def training_section(points: Sequence[TrainingPoint]) -> Markup | None:
    """None where nothing was trained."""
    best = best_step(points)
    if best is None:
        return None
    last = points[-1]
    words = f"{plural(len(points), 'step')} of training; in the last one: {in_words(last)}."
    ending = tag("p", f"It ended early: {last.ending}", class_="note") if last.ending else None
    pair = tag("div", _rewards(points), _shares(points), class_="pair")
    return tag("section", tag("h2", "Training"), tag("p", words), ending, pair, _table(points, best))


def _rewards(points: Sequence[TrainingPoint]) -> Markup:
    steps, found = [p.step for p in points], [p.figures for p in points]
    high, low = ([f.reward_mean + sign * f.reward_spread for f in found] for sign in (1, -1))
    return curves_svg(
        [
            Curve("± spread in a group", "mean", steps, high, low),
            Curve("Best sample", "score", steps, [f.reward_best for f in found]),
            Curve("Mean reward", "mean", steps, [f.reward_mean for f in found]),
        ],
        title="What samples earn",
    )


def _shares(points: Sequence[TrainingPoint]) -> Markup:
    steps = [p.step for p in points]
    return curves_svg(
        [
            Curve("Without errors", "sound", steps, [p.sound for p in points]),
            Curve("That count", "counts", steps, [p.counts for p in points]),
            Curve("Run to an end", "runs", steps, [p.runs for p in points]),
            Curve("Score of those that ran", "score", steps, [p.score for p in points]),
        ],
        title="How far samples get",
        percent=True,
    )


def _table(points: Sequence[TrainingPoint], best: TrainingPoint) -> Markup:
    """Steps that lie evenly, and the one that earned most."""
    last = len(points) - 1
    places = {round(n * last / (_ROWS - 1)) for n in range(_ROWS)}
    shown = [p for n, p in enumerate(points) if n in places or p is best]
    names = (
        "Step", "Mean reward", "Best sample", "Without errors", "Count", "Run to an end", "Score", "Different texts",
        "KL, nats a token", "Tokens", "Time",
    )  # fmt: skip
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    rows = [tag("tr", *_cells(p, p is best)) for p in shown]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers")
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label="Steps of the training")


def _cells(point: TrainingPoint, best: bool) -> list[Markup]:
    f = point.figures
    texts = (
        number(f.reward_mean), number(f.reward_best), percent(point.sound), percent(point.counts),
        percent(point.runs), number(point.score), f"{f.distinct} of {point.samples}", number(f.kl, 3),
        f"{f.length:.0f}", duration(f.seconds),
    )  # fmt: skip
    name = tag("th", f"{point.step} ★" if best else str(point.step), scope="row")
    return [name, *(tag("td", text, class_="number") for text in texts)]
