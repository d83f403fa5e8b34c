"""A workflow as a picture to be painted: where its steps and edges lie, and the words on them. Knows no medium."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoflow.lang.workflow import Step, Workflow, fold
from autoflow.report.layered import DECISION_HEIGHT, NODE_HEIGHT, NODE_WIDTH, Layout, Point, layout

Place = Callable[[int, tuple[tuple[int, int], ...], tuple[float, ...]], Layout]
_LINE = {"process": 25, "terminal": 22, "decision": 18}  # letters that fit into one line of a node
_KEY = 22  # letters of an edge's words
_NUMBERED = re.compile(r"(step ?)?\d+")


@dataclass(frozen=True, slots=True)
class Node:
    """A step. Positions are those of its centre, in pixels."""

    x: float
    y: float
    height: float  # all are NODE_WIDTH wide
    type: str
    title: str  # all that the step says
    lines: tuple[str, ...]  # what fits into the node


@dataclass(frozen=True, slots=True)
class Edge:
    """The way from a step to another, for all branches that lead there."""

    source: int
    branches: tuple[int, ...]  # their numbers in the step
    key: str  # the answers that lead along; empty for `next`
    points: tuple[Point, ...]
    back: bool  # it goes up, in a lane: `points` are its two ends and the two corners between


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of a workflow's graph, nodes in the order of the steps."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


def draw(workflow: Workflow, place: Place = layout) -> Drawing:
    """Lay out a workflow. Targets that are no step have no edge.

    Args:
        place: the layout, or something that remembers what it came to.
    """
    steps, edges = workflow.steps, _edges(workflow)
    heights = tuple(DECISION_HEIGHT if step.type == "decision" else NODE_HEIGHT for step in steps)
    placed = place(len(steps), tuple(edges), heights)
    return Drawing(
        nodes=tuple(
            Node(
                *placed.nodes[n], heights[n], step.type, f"{step.name} ({step.type}): {step.instruction}", _words(step)
            )
            for n, step in enumerate(steps)
        ),
        edges=tuple(
            Edge(source, tuple(numbers), _answers(steps[source], numbers), placed.edges[e], placed.back[e])
            for e, ((source, _), numbers) in enumerate(edges.items())
        ),
        width=placed.width,
        height=placed.height,
    )


def outline(node: Node) -> tuple[Point, ...]:
    """The corners of a decision, clockwise from the top and seen from its centre; other types are boxes."""
    return ((0, -node.height / 2), (NODE_WIDTH / 2, 0), (0, node.height / 2), (-NODE_WIDTH / 2, 0))


def _edges(workflow: Workflow) -> dict[tuple[int, int], list[int]]:
    """(step, step it leads to) -> numbers of the branches: two edges between the same two would lie on each other."""
    found: dict[tuple[int, int], list[int]] = {}
    for source, step in enumerate(workflow.steps):
        for number, branch in enumerate(step.branches):
            target = workflow.index.get(fold(branch.target))
            if target is not None:
                found.setdefault((source, target), []).append(number)
    return found


def _answers(step: Step, numbers: Sequence[int]) -> str:
    return "" if step.type == "process" else cut(", ".join(step.branches[number].key for number in numbers), _KEY)


def _words(step: Step) -> tuple[str, ...]:
    """What is written in a node: its name, and where the name is a mere `Step 3`, how its instruction begins."""
    fit = _LINE.get(step.type, _LINE["process"])
    if step.instruction and _NUMBERED.fullmatch(fold(step.name)):
        return cut(step.name, fit), cut(step.instruction, fit + 2)
    return (cut(step.name, fit),)


def cut(text: str, limit: int) -> str:
    """`text`, shortened to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
