"""The grid as a picture: generators by interpreters, one for each suite and variant; a square opens its study."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from autoflow.report.colours import gain_colour, score_colour
from autoflow.report.figures import signed
from autoflow.report.grid import CellState, GridCell, Scored, Side
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_table import kept_words, span_words
from autoflow.report.grid_words import answers, difference_words, pair, place_words, places
from pages.ui import services
from pages.ui.components.grid import Place, Square, grid
from pages.ui.plain import cut

Shown = Literal["Generated", "Manual", "Plain prompt", "Above manual"]
SHOWN: tuple[Shown, ...] = ("Generated", "Manual", "Plain prompt", "Above manual")
_SIDES: dict[Shown, Side] = {"Generated": "found", "Manual": "manual", "Plain prompt": "plain", "Above manual": "found"}
_TOPS: dict[CellState, str] = {
    "waiting": "waits", "running": "runs", "paused": "paused", "failed": "✕ failed", "stopped": "stopped",
    "deleted": "deleted", "done": "–",
}  # fmt: skip
_NAME = 60  # characters of a model's name beside the picture
_TOLD = 300  # characters of why something failed


def draw(report: GridReport) -> None:
    """The picture, and what may be said of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Grid")
        st.space("stretch")
        shown: Shown | None = st.segmented_control(
            "Shown", SHOWN, key="benchmark-shown", default=SHOWN[0], required=True, label_visibility="collapsed"
        )
    chosen = shown or SHOWN[0]
    st.caption("Scores on the sealed test with their 95 % intervals. A square opens its study, with curves and traces.")
    spec = report.benchmark.spec
    grid(
        [_place(report, suite, variant, chosen) for suite, variant in places(report)],
        [cut(model, _NAME) for model in spec.generators], [cut(model, _NAME) for model in spec.interpreters],
        corner="writes ↓ runs →", key="benchmark-grid", on_open=lambda study: _open(report, study),
    )  # fmt: skip
    for answer in answers(report):
        st.text(answer)


def _open(report: GridReport, study: str) -> None:
    services.go("optimize", study=study, benchmark=report.benchmark.id)


def _place(report: GridReport, suite: int, variant: int, shown: Shown) -> Place:
    spec, there = report.benchmark.spec, report.at(suite, variant)
    cells = [
        [_square(report, there[n, k], shown) for k in range(len(spec.interpreters))]
        for n in range(len(spec.generators))
    ]
    title = place_words(report, suite, variant)
    return Place(title, f"{shown}: {title or 'generators down, interpreters across'}", cells)


def _square(report: GridReport, one: GridCell, shown: Shown) -> Square:
    who, scored = pair(report, one), one.sides.get(_SIDES[shown])
    if scored is None or (shown == "Above manual" and one.gain is None):
        words = f"{who}\n{_TOPS[one.state]}: {cut(one.words, _TOLD)}"
        opens = "" if one.state == "deleted" else one.study_id
        return Square(opens, _TOPS[one.state], _sub(one), words, one.state)
    if shown == "Above manual" and one.gain is not None:
        d = one.gain.difference
        told = f"{who}\nAbove manual: {difference_words(one.gain)}"
        return Square(
            one.study_id,
            signed(d.mean),
            f"{signed(d.low)} to {signed(d.high)}" if one.gain.tasks > 1 else "one task",
            told,
            "done",
            *gain_colour(d.mean, 0.5),
        )
    return _scored(one, scored, shown, who)


def _scored(one: GridCell, scored: Scored, shown: Shown, who: str) -> Square:
    m, kept = scored.mean, one.kept if shown == "Generated" else None
    span = span_words(m, len(scored.tasks))
    interval = f"95 % interval {span}" if len(scored.tasks) > 1 else span
    told = f"{who}\n{shown} {m.mean:.2f}, {interval}, {scored.valid:.0%} usable"
    told += f"\n{kept_words(kept)}" if kept else ""
    top = f"{m.mean:.2f}{' =' if kept else ''}"
    return Square(one.study_id, top, span, told, "done", *score_colour(m.mean))


def _sub(one: GridCell) -> str:
    return cut(one.words, 22) if one.state in ("running", "paused", "waiting") else ""
