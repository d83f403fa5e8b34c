"""A workflow's graph as a small picture without words."""

from __future__ import annotations

import streamlit as st

from autoflow.lang.workflow import Workflow
from autoflow.report.layered import layout
from pages.ui.components.steps import target_of
from pages.ui.format import plural
from pages.ui.palette import TYPE_COLOURS

WIDTH, HEIGHT, MARGIN = 480.0, 120.0, 12.0
MOST = 14  # steps drawn; dots stand for more
_LINE = "#8a94a3"  # seen on light and dark alike
_SIZE = {"process": (22.0, 15.0), "decision": (26.0, 22.0), "terminal": (24.0, 14.0)}


def thumbnail(workflow: Workflow) -> None:
    """Draw it from left to right. Holds no text of the workflow, only shapes."""
    count = len(workflow.steps)
    st.image(_picture(_shape(workflow), count > MOST), width="stretch", alt=f"Graph of {plural(count, 'step')}")


def _shape(workflow: Workflow) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """All that the picture depends on: types and targets."""
    steps = workflow.steps[:MOST]
    return tuple(
        (s.type, tuple(t for b in s.branches if (t := target_of(workflow, b.target)) is not None and t < MOST))
        for s in steps
    )


@st.cache_data(max_entries=500, show_spinner=False)
def _picture(shape: tuple[tuple[str, tuple[int, ...]], ...], more: bool) -> str:
    edges = [(source, target) for source, (_, targets) in enumerate(shape) for target in targets]
    placed = layout(len(shape), edges, [48.0] * len(shape))
    across = (WIDTH - (8 if more else 4) * MARGIN) / max(placed.height, 1.0)
    down = min((HEIGHT - 2 * MARGIN) / max(placed.width, 1.0), 0.22)
    middle = placed.width / 2

    def place(x: float, y: float) -> tuple[float, float]:
        return 2 * MARGIN + y * min(across, 0.95), HEIGHT / 2 + (x - middle) * down

    def at(x: float, y: float) -> str:
        return "{:.1f},{:.1f}".format(*place(x, y))

    lines = "".join(f'<polyline points="{" ".join(at(*p) for p in points)}"/>' for points in placed.edges)
    nodes = "".join(_node(kind, *place(*placed.nodes[i])) for i, (kind, _) in enumerate(shape))
    dots = "".join(f'<circle cx="{WIDTH - 36 + 11 * n:g}" cy="{HEIGHT / 2:g}" r="3"/>' for n in range(3) if more)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}">'
        f'<g fill="none" stroke="{_LINE}" stroke-width="1.5">{lines}</g>{nodes}'
        f'<g fill="{_LINE}">{dots}</g></svg>'
    )


def _node(kind: str, x: float, y: float) -> str:
    w, h = _SIZE.get(kind, _SIZE["process"])
    colour = TYPE_COLOURS.get(kind, _LINE)
    if kind == "decision":
        points = f"{x:.1f},{y - h / 2:.1f} {x + w / 2:.1f},{y:.1f} {x:.1f},{y + h / 2:.1f} {x - w / 2:.1f},{y:.1f}"
        return f'<polygon points="{points}" fill="{colour}"/>'
    rx = h / 2 if kind == "terminal" else 3
    return f'<rect x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w}" height="{h}" rx="{rx}" fill="{colour}"/>'
