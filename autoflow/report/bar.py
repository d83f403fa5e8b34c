"""Wins, ties and losses as a bar: by order, pattern and colour, and in words."""

from __future__ import annotations

from autoflow.report.figures import plural
from autoflow.report.markup import Markup, tag
from autoflow.statistics import Comparison

WIDTH, HEIGHT = 600.0, 24.0
_BETTER, _WORSE, _SAME = "#0072b2", "#d55e00", "#8a94a3"  # of Okabe and Ito; seen on light and dark alike


def bar_words(found: Comparison, name_a: str, name_b: str) -> str:
    """`new better on 14 tasks, same on 6, old better on 4`."""
    return f"{name_b} better on {plural(found.wins, 'task')}, same on {found.ties}, {name_a} better on {found.losses}"


def bar_svg(found: Comparison, name_a: str, name_b: str) -> Markup:
    """Full where B won, grey where both scored the same, hatched where A won; from left to right."""
    step = WIDTH / found.tasks
    parts = ((found.wins, _BETTER), (found.ties, _SAME), (found.losses, "url(#hatched)"))
    rects, x = [], 0.0
    for count, fill in parts:
        if count:
            rects.append(tag("rect", x=x, y=0.0, width=max(count * step - 2, 1.0), height=HEIGHT, rx=3.0, fill=fill))
        x += count * step
    return tag(
        "svg", _hatch(), *rects, xmlns="http://www.w3.org/2000/svg", role="img", class_="bar",
        aria_label=bar_words(found, name_a, name_b), viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", preserveAspectRatio="none",
        width=WIDTH, height=HEIGHT,
    )  # fmt: skip


def _hatch() -> Markup:
    ground = tag("rect", width=8.0, height=8.0, fill=_WORSE, fill_opacity=0.45)
    line = tag("path", d="M-2 10 L10 -2 M-2 2 L2 -2 M6 10 L10 6", stroke=_WORSE, stroke_width=2.5)
    pattern = tag("pattern", ground, line, id="hatched", width=8.0, height=8.0, patternUnits="userSpaceOnUse")
    return tag("defs", pattern)
