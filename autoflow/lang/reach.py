"""Where the runs of a workflow can get to: steps that are never reached, loops without end, a missing end.

Only what follows from well-read branches is said: a step whose way on is uncertain (`Draft.open`) may lead anywhere, so
it counts as a way to a terminal, and where one can be reached nothing is called unreachable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Literal

from autoflow.lang import graph
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.draft import Draft
from autoflow.lang.names import listed

Lost = Literal["none", "some", "first"]


def check_reach(drafts: Sequence[Draft], lost: Lost = "none") -> Iterable[Diagnostic]:
    """Where runs can get to. `lost`: whether there are lines with too few fields, at all or before the first step."""
    ways = [draft.ways for draft in drafts]
    if lost != "first":
        yield from _unreachable(drafts, ways)
    if any(draft.kind == "terminal" for draft in drafts):
        yield from _stuck(drafts, ways)
    elif lost == "none" and not any(draft.open for draft in drafts):
        last = drafts[-1]
        hint = "make the step that gives the answer a `terminal`"
        yield last.report("no-terminal", last.name, "there is no terminal: no run would ever end", hint)


def _unreachable(drafts: Sequence[Draft], ways: graph.Ways) -> Iterable[Diagnostic]:
    apart = [position for position, draft in enumerate(drafts) if draft.apart]
    seen = graph.reachable([0, *apart], ways)
    if len(seen) == len(drafts) or any(drafts[position].open for position in seen):
        return
    for position, draft in enumerate(drafts):
        if position not in seen:
            message = f"{draft.title} cannot be reached from {drafts[0].title}"
            yield draft.report("unreachable", draft.name, message, "let a branch lead to it, or delete it")


def _stuck(drafts: Sequence[Draft], ways: graph.Ways) -> Iterable[Diagnostic]:
    reached = graph.reachable([0], ways)
    ends = [position for position in reached if drafts[position].open or drafts[position].kind == "terminal"]
    stuck = reached - graph.reachable(ends, graph.reversed_ways(ways))
    looping: set[int] = set()
    for loop in graph.closed_loops(stuck, ways):
        looping.update(loop)
        yield _endless(drafts, loop)
    for position in sorted(stuck - looping):
        draft = drafts[position]
        message = f"no terminal can be reached from {draft.title}"
        yield draft.report("dead-end", draft.name, message, "every way from here leads into an endless loop")


def _endless(drafts: Sequence[Draft], loop: list[int]) -> Diagnostic:
    first = drafts[loop[0]]
    if len(loop) == 1:
        message = f"{first.title} leads only to itself, without end"
    else:
        names = listed(drafts[position].name.text for position in islice(loop, 6))
        message = f"{names} lead only to each other, without end"
    return first.report("endless-loop", first.name, message, "let a decision among them lead out")
