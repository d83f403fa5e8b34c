"""Colours of scores, the same in pages and files: an even scale that colour-blind eyes read, with words that stand out.

`Cividis` (Nuñez, Anderton, Renslow 2018) from dark blue to yellow for scores; for differences, from brown through grey
to blue, which means better.
"""

from __future__ import annotations

from collections.abc import Sequence

_RGB = tuple[float, float, float]
CIVIDIS: Sequence[_RGB] = (
    (0, 34, 78),
    (53, 69, 108),
    (102, 105, 112),
    (148, 142, 119),
    (200, 184, 102),
    (254, 232, 56),
)
DIVERGING: Sequence[_RGB] = ((140, 81, 10), (216, 179, 101), (232, 232, 232), (140, 190, 220), (33, 102, 172))
LEVELS = 20  # steps of the scale in files, whose style sheet names each


def score_colour(score: float) -> tuple[str, str]:
    """`("#35456c", "#ffffff")`: the ground of a score in [0, 1], and what is written on it."""
    return _with_text(_between(CIVIDIS, score))


def gain_colour(difference: float, widest: float = 1.0) -> tuple[str, str]:
    """The same of a difference; `widest` has the end of the scale."""
    return _with_text(_between(DIVERGING, (difference / widest + 1) / 2))


def level(share: float) -> int:
    """The step of the scale, from 0 to LEVELS, for a share in [0, 1]."""
    return round(min(1.0, max(0.0, share)) * LEVELS)


def _between(scale: Sequence[_RGB], share: float) -> _RGB:
    at = min(1.0, max(0.0, share)) * (len(scale) - 1)
    low = min(int(at), len(scale) - 2)
    return tuple(a + (b - a) * (at - low) for a, b in zip(scale[low], scale[low + 1], strict=True))  # type: ignore[return-value]


def _with_text(ground: _RGB) -> tuple[str, str]:
    light = _luminance(ground)
    white, black = 1.05 / (light + 0.05), (light + 0.05) / 0.05
    return _hex(ground), "#ffffff" if white >= black else "#000000"


def _luminance(colour: _RGB) -> float:
    """Relative luminance, as WCAG reckons it."""
    parts = [c / 255 / 12.92 if c <= 10.31475 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _hex(colour: _RGB) -> str:
    return "#" + "".join(f"{round(c):02x}" for c in colour)
