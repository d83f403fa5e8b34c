"""Curves as an SVG that reads on light and dark ground, drawn without any library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 360, 48, 24, 150, 40
COLOURS = ("#2f81c7", "#d9822b", "#3d9a50", "#8a8f98", "#a05bb5")
DASHES = ("", ' stroke-dasharray="6 4"', ' stroke-dasharray="2 3"')
INK = "#7b818a"


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, across: str, of_a_colour: int = 1) -> str:
    """An SVG of lines over x from 0, with y from 0 to 1.

    Args:
        lines: points by the name of the line.
        title: what y is; across: what x is.
        of_a_colour: so many lines that follow each other belong together; all but the first are dashed.
    """
    most = max((x for points in lines.values() for x, _ in points), default=1.0)

    def place(x: float, y: float) -> str:
        return (
            f"{LEFT + x / most * (WIDTH - LEFT - RIGHT):.1f},{HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM):.1f}"
        )  # fmt: skip

    def text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK) -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">',
        text(LEFT, TOP - 8, title),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across, "middle"),
    ]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = place(0, tick).split(",")
        parts.append(f'<path d="M{x},{y}H{WIDTH - RIGHT}" stroke="{INK}" stroke-opacity="0.3"/>')
        parts.append(text(LEFT - 8, float(y) + 4, f"{tick:g}", "end"))
    for tick in range(0, int(most) + 1, _round_step(most / 5)):
        x, y = place(tick, 0).split(",")
        parts.append(text(float(x), float(y) + 18, f"{tick}", "middle"))
    for number, (name, points) in enumerate(lines.items()):
        colour, dash = COLOURS[number // of_a_colour % len(COLOURS)], DASHES[number % of_a_colour]
        way = " ".join(place(x, y) for x, y in points)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(text(WIDTH - RIGHT + 12, TOP + 16 + 18 * number, name, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def _round_step(wanted: float) -> int:
    """The nearest above of 1, 2, 5, 10, 20, ..."""
    power = 1
    while wanted > 10 * power:
        power *= 10
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted)
