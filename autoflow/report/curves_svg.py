"""Curves over steps as inline SVG for a report. Its style sheet is `report.css`: no element has a style of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autoflow.report.markup import Markup, tag

WIDTH, HEIGHT = 560.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 10.0, 26.0
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve; a y of None is a hole that it bridges. With `low` it is a band from there up to `y`."""

    name: str
    look: str  # class in the style sheet
    x: Sequence[int]
    y: Sequence[float | None]
    low: Sequence[float] = ()

    @property
    def points(self) -> list[tuple[int, float]]:
        return [(x, y) for x, y in zip(self.x, self.y, strict=True) if y is not None]


@dataclass(frozen=True, slots=True)
class _Scale:
    """From steps and values to pixels."""

    steps: tuple[int, int]
    values: tuple[float, float]

    def x(self, step: float) -> float:
        first, last = self.steps
        return LEFT + (step - first) / max(1, last - first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.values
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + " L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)


def curves_svg(curves: Sequence[Curve], *, title: str, percent: bool = False) -> Markup:
    """A figure with its legend.

    Args:
        title: what it shows; stands above it, and is told to readers that do not see.
        percent: values are shares in [0, 1], all of which are on show.
    """
    scale = _scale(curves, percent)
    drawn = [*_rules(scale, percent), *(_curve(curve, scale) for curve in curves)]
    picture = tag(
        "svg", *drawn, role="img", class_="chart", viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        aria_label=f"{title}, from step {scale.steps[0]} to {scale.steps[1]}; the table says the same of some steps",
    )  # fmt: skip
    legend = tag("ul", *(tag("li", _swatch(curve), curve.name) for curve in curves), class_="legend")
    return tag("figure", tag("figcaption", title), picture, legend)


def nice_ticks(low: float, high: float, most: int = _MOST_TICKS) -> list[float]:
    """As many round numbers, the same distance apart, as lie within and are no more than `most`, which is 2 or more."""
    size = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / most))
    steps = (size * times for times in (1, 2, 5, 10, 20))
    return next(found for step in steps if len(found := _multiples(step, low, high)) <= most)


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _scale(curves: Sequence[Curve], percent: bool) -> _Scale:
    steps = [x for curve in curves for x in curve.x] or [1]
    values = [y for curve in curves for _, y in curve.points] + [y for curve in curves for y in curve.low] or [0.0]
    low, high = (0.0, 1.0) if percent else (min(values), max(values))
    room = 0.04 * (high - low) or 0.5
    return _Scale((min(steps), max(steps)), (low - room, high + room))


def _rules(scale: _Scale, percent: bool) -> list[Markup]:
    """Lines across with their values, and the numbers of steps beneath."""
    found: list[Markup] = []
    for value in nice_ticks(*scale.values, 6):
        y = round(scale.y(value), 1)
        words = f"{value:.0%}".replace("%", " %") if percent else f"{value:g}".replace("-", "−")
        found.append(tag("path", d=f"M{LEFT:g} {y} H{WIDTH - RIGHT:g}", class_="rule"))
        found.append(tag("text", words, x=LEFT - 6, y=y + 4, class_="side"))
    whole = [tick for tick in nice_ticks(*scale.steps) if tick == int(tick)]
    return found + [
        tag("text", f"{step:g}", x=round(scale.x(step), 1), y=HEIGHT - 8, class_="beneath") for step in whole
    ]


def _curve(curve: Curve, scale: _Scale) -> Markup | None:
    if curve.low:
        edge = [*curve.points, *zip(reversed(curve.x), reversed(curve.low), strict=True)]
        return tag("path", d=scale.path(edge) + " Z", class_=f"band {curve.look}")
    points = curve.points
    if not points:
        return None
    if len(points) == 1:
        (x, y), *_ = points
        return tag("circle", cx=round(scale.x(x), 1), cy=round(scale.y(y), 1), r=3.0, class_=f"dot {curve.look}")
    return tag("path", d=scale.path(points), class_=f"curve {curve.look}")


def _swatch(curve: Curve) -> Markup:
    """A piece of the curve, beside its name."""
    piece = (
        tag("rect", x=0.0, y=2.0, width=26.0, height=8.0, class_=f"band {curve.look}")
        if curve.low
        else tag("path", d="M0 6 H26", class_=f"curve {curve.look}")
    )
    return tag("svg", piece, width=26.0, height=12.0, viewBox="0 0 26 12", aria_hidden="true")
