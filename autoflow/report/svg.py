"""A workflow's graph as inline SVG for a report. Its style sheet is `report.css`: no element has a style of its own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from autoflow.lang.workflow import STEP_TYPES, Workflow
from autoflow.report.drawing import Drawing, Edge, Node, draw, outline
from autoflow.report.layered import NODE_WIDTH, Point
from autoflow.report.markup import Markup, tag

MARGIN = 14.0
LINE_HEIGHT = 15.0
MOST = 300  # steps; a larger graph could not be read, and would make the file heavy


def graph_svg(workflow: Workflow, *, key: str, signs: Mapping[int, str] | None = None) -> Markup:
    """The graph, or a sentence where it is too large.

    Args:
        key: letters that no other graph on the page has.
        signs: a letter at a step (0-based), such as `+` for a new one.
    """
    count = len(workflow.steps)
    if not count or count > MOST:
        return tag("p", f"A graph of {count:,} steps could not be read." if count else "It has no steps.")
    drawn = draw(workflow)
    width, height = drawn.width + 2 * MARGIN, drawn.height + 2 * MARGIN
    return tag(
        "svg", _arrowhead(key), *_painted(drawn, key, signs or {}), role="img", class_="graph",
        aria_label=f"Graph of {count} steps; the text of the workflow says the same", width=width, height=height,
        viewBox=f"{-MARGIN:g} {-MARGIN:g} {width:g} {height:g}",
    )  # fmt: skip


def _painted(drawn: Drawing, key: str, signs: Mapping[int, str]) -> list[Markup]:
    """Edges below nodes below the words on edges."""
    edges = [_edge(edge, key) for edge in drawn.edges]
    nodes = [_node(node, signs.get(number)) for number, node in enumerate(drawn.nodes)]
    return [*edges, *nodes, *(_answer(edge) for edge in drawn.edges if edge.key)]


def _arrowhead(key: str) -> Markup:
    path = tag("path", d="M0 0.5 L8 4 L0 7.5 Z")
    marker = tag(
        "marker", path, id=f"arrow-{key}", viewBox="0 0 8 8", refX="7.2", refY="4", markerWidth="8", markerHeight="8",
        markerUnits="userSpaceOnUse", orient="auto", class_="arrow",
    )  # fmt: skip
    return tag("defs", marker)


def _edge(edge: Edge, key: str) -> Markup:
    path = _lane(edge.points) if edge.back else _flow(edge.points)
    return tag("path", d=path, class_="edge back" if edge.back else "edge", marker_end=f"url(#arrow-{key})")


def _flow(points: tuple[Point, ...]) -> str:
    """A curve through the points that leaves and enters each upright."""
    pieces = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        pieces.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    return " ".join(pieces)


def _lane(points: tuple[Point, ...]) -> str:
    """Sideways, along the lane, and back, with round corners."""
    (x0, y0), (lane, y1), (_, y2), (x3, _) = points
    round_ = min(10.0, abs(y1 - y2) / 2)
    up, out = (-1 if y2 < y1 else 1), (-1 if lane < x0 else 1)
    return (
        f"M{x0:.1f} {y0:.1f} H{lane - out * round_:.1f} Q{lane:.1f} {y1:.1f} {lane:.1f} {y1 + up * round_:.1f} "
        f"V{y2 - up * round_:.1f} Q{lane:.1f} {y2:.1f} {lane - out * round_:.1f} {y2:.1f} H{x3:.1f}"
    )


def _node(node: Node, sign: str | None) -> Markup:
    kind = node.type if node.type in STEP_TYPES else "unknown"
    top = (len(node.lines) - 1) / 2
    words = [
        tag("text", line, y=(n - top) * LINE_HEIGHT, class_="name" if n == 0 else "sub")
        for n, line in enumerate(node.lines)
    ]
    mark = _sign(node, sign) if sign else None
    where = f"translate({node.x:.1f} {node.y:.1f})"
    return tag("g", tag("title", node.title), _shape(node), *words, mark, class_=f"node {kind}", transform=where)


def _shape(node: Node) -> Markup:
    if node.type == "decision":
        return tag("polygon", points=" ".join(f"{x:g},{y:g}" for x, y in outline(node)), class_="outline")
    rx = node.height / 2 if node.type == "terminal" else 8.0
    return tag(
        "rect", x=-NODE_WIDTH / 2, y=-node.height / 2, width=NODE_WIDTH, height=node.height, rx=rx, class_="outline"
    )


def _sign(node: Node, sign: str) -> Markup:
    x, y = (0.0, -node.height / 2) if node.type == "decision" else (NODE_WIDTH / 2 - 4, -node.height / 2 + 2)
    return tag("g", tag("circle", r=8.0), tag("text", sign), class_="sign", transform=f"translate({x:g} {y:g})")


def _answer(edge: Edge) -> Markup:
    (x0, y0), (x1, y1) = edge.points[0], edge.points[1]
    if not edge.back:
        x, y = _near(x0, y0, x1, y1)
        return tag("text", edge.key, x=round(x, 1), y=round(y, 1), class_="answer")
    out = -1 if x1 < x0 else 1
    return tag(
        "text",
        edge.key,
        x=round(x0 + out * 6, 1),
        y=round(y0 - 9, 1),
        class_="answer left" if out < 0 else "answer right",
    )


def _near(x0: float, y0: float, x1: float, y1: float) -> Point:
    """A place on the first piece of the curve, where branches of one decision have drawn apart."""
    t = 0.45
    across = 3 * t * t * (1 - t) + t**3
    down = (3 * t * (1 - t) ** 2 + 3 * t * t * (1 - t)) / 2 + t**3
    return x0 + (x1 - x0) * across, y0 + (y1 - y0) * down
