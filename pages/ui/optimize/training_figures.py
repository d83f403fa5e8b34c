"""What the charts of a training are given to draw: words and numbers out of its points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoflow.optimize.training_view import TrainingPoint, in_words
from autoflow.report.figures import percent
from autoflow.train.figures import StepFigures
from pages.ui.components.curves import Series
from pages.ui.components.tiles import Tile
from pages.ui.format import duration, size
from pages.ui.optimize.figures import number
from pages.ui.palette import SERIES_COLOURS as COLOURS

_Value = Callable[[TrainingPoint], float | None]


def rewards(points: Sequence[TrainingPoint]) -> list[Series]:
    """What samples earned: the mean, its spread as a band, and the best of each step."""
    found = [p.figures for p in points]
    steps, told = [f.step for f in found], _told(points)
    band = Series(
        "spread", "± spread in a group", steps, [f.reward_mean + f.reward_spread for f in found], told,
        colour=COLOURS["train"], low=[f.reward_mean - f.reward_spread for f in found],
    )  # fmt: skip
    best = _line("best", "Best sample", points, lambda p: p.figures.reward_best, COLOURS["best"], width=1.4, dash="dot")
    mean = _line("mean", "Mean reward", points, lambda p: p.figures.reward_mean, COLOURS["train"], width=2.6)
    return [band, best, mean]


def shares(points: Sequence[TrainingPoint]) -> list[Series]:
    """How far samples get: no errors, worth a run, a run to an end, a score."""
    return [
        _line("sound", "Without errors", points, lambda p: p.sound, COLOURS["spent"], width=1.8),
        _line("counts", "That count", points, lambda p: p.counts, COLOURS["val"], width=2.4),
        _line("runs", "Run to an end", points, lambda p: p.runs, COLOURS["valid"], dash="dash"),
        _line("score", "Score of those that ran", points, lambda p: p.score, COLOURS["best"], width=2.4, dash="dot"),
    ]


def _line(id: str, name: str, points: Sequence[TrainingPoint], value: _Value, colour: str, **look: Any) -> Series:
    """A lone point would be no line, so it is a mark."""
    told = _told(points)
    found = [(p.step, y, told[i]) for i, p in enumerate(points) if (y := value(p)) is not None]
    mode = "lines" if len(found) > 1 else "markers"
    x, heights, words = [n for n, _, _ in found], [y for _, y, _ in found], [w for _, _, w in found]
    return Series(id, name, x, heights, words, colour=colour, mode=mode, **look)  # type: ignore[arg-type]


def _told(points: Sequence[TrainingPoint]) -> list[str]:
    return [f"Step {p.step}\n" + in_words(p).replace("; ", "\n") for p in points]


# Figure, name, what it is, how it is written.
_TILES: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("kl", "KL to the base", "Nats a token by which it differs from the model it began as.", lambda v: number(v, 3)),
    ("entropy", "Entropy", "Nats a token of what is drawn from; 0: it always writes the same.", number),
    ("distinct", "Different texts", "Of the samples of a step.", lambda v: f"{v:,}"),
    ("reward_spread", "Spread", "Of rewards in a group; at 0 there is nothing to learn from.", number),
    ("length", "Length", "Tokens a sample.", lambda v: f"{v:,.0f}"),
    ("ended", "Ended by itself", "Share of samples that were not cut off.", percent),
    ("gradient_norm", "Gradient norm", "Before it was clipped.", number),
    ("learning_rate", "Learning rate", "It rises during warm-up.", lambda v: f"{v:.2g}"),
    ("drift", "Drift", "Of a log-probability between drawing and learning; near 0.", lambda v: f"{v:.1g}"),
    ("tokens_per_s", "Tokens a second", "While samples are drawn.", lambda v: f"{v:,.0f}"),
    ("seconds", "Time a step", "Drawing, runs and update.", duration),
    ("peak_memory_bytes", "Memory", "The most so far.", size),
)


def tiles(points: Sequence[TrainingPoint]) -> list[Tile]:
    """All that is measured besides, each a small chart of its own."""
    return [_tile(points, *one) for one in _TILES]


def _tile(points: Sequence[TrainingPoint], name: str, title: str, note: str, written: Callable[[Any], str]) -> Tile:
    values = [getattr(p.figures, name) for p in points]
    return Tile(name, title, note, [p.step for p in points], values, [written(value) for value in values])


def took(figures: StepFigures) -> str:
    """`42 s a step: 21 s drawing, 12 s runs, 9 s update`."""
    parts = (("drawing", figures.sampling_s), ("runs", figures.reward_s), ("update", figures.update_s))
    return f"{duration(figures.seconds)} a step: " + ", ".join(f"{duration(s)} {name}" for name, s in parts)
