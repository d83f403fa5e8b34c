"""Where the runs of a workflow can get to: steps that are never reached, loops without end, a missing end.

One fault, one slug: a step whose way on is uncertain because of a reported fault may lead anywhere, so it counts as a
way to a terminal, and where such a step can be reached nothing is called unreachable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from autoflow.lang import graph
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.draft import Draft, titled
from autoflow.lang.report import report


@dataclass(slots=True)
class Reach:
    """The graph of a workflow's steps, as they are read one after the other."""

    places: list[tuple[str, int, int, int]] = field(default_factory=list)  # name; its line, start and end
    ways: list[tuple[int, ...]] = field(default_factory=list)
    ends: set[int] = field(default_factory=set)  # terminals
    open: set[int] = field(default_factory=set)  # steps that may lead anywhere
    apart: set[int] = field(default_factory=set)  # steps that no target can mean: duplicates, unusable names

    def add(self, draft: Draft, apart: bool) -> None:
        """The next step, whose branches are resolved."""
        position = len(self.ways)
        place = draft.place
        self.places.append((place.text, draft.line, place.start, place.end))
        self.ways.append(draft.ways)
        if draft.kind == "terminal":
            self.ends.add(position)
        elif draft.open:
            self.open.add(position)
        if apart:
            self.apart.add(position)

    def check(self, lost: Iterable[int]) -> Iterable[Diagnostic]:
        """`lost`: positions in front of which lines stand that lack fields to be steps."""
        missing = set(lost)
        if 0 not in missing:
            yield from self._unreachable()
        if self.ends:
            yield from self._stuck()
        elif not missing and not self.open:
            hint = "make the step that gives the answer a `terminal`"
            yield self._report("no-terminal", len(self.ways) - 1, "there is no terminal: no run would ever end", hint)

    def _unreachable(self) -> Iterable[Diagnostic]:
        seen = graph.reachable([0, *self.apart], self.ways)
        if len(seen) == len(self.ways) or not seen.isdisjoint(self.open):
            return
        for position in range(len(self.ways)):
            if position not in seen:
                message = f"{self._title(position)} cannot be reached from {self._title(0)}"
                yield self._report("unreachable", position, message, "let a branch lead to it, or delete it")

    def _stuck(self) -> Iterable[Diagnostic]:
        reached = graph.reachable([0], self.ways)
        stuck = reached - graph.reachable(reached & (self.ends | self.open), graph.reversed_ways(self.ways))
        looping: set[int] = set()
        for loop in graph.closed_loops(stuck, self.ways):
            looping.update(loop)
            yield self._endless(loop)
        for position in sorted(stuck - looping):
            message = f"no terminal can be reached from {self._title(position)}"
            yield self._report("dead-end", position, message, "every way from here leads into an endless loop")

    def _endless(self, loop: list[int]) -> Diagnostic:
        message = f"{self._title(loop[0])} leads only to itself, without end"
        if len(loop) > 1:
            names = ", ".join(self._title(position) for position in islice(loop, 5))
            message = f"{names}{' ...' if len(loop) > 5 else ''} lead only to each other, without end"
        return self._report("endless-loop", loop[0], message, "let a decision among them lead out")

    def _title(self, position: int) -> str:
        return titled(*self.places[position][:2])

    def _report(self, slug: str, position: int, message: str, hint: str) -> Diagnostic:
        _, line, start, end = self.places[position]
        return report(slug, line, start, end, message, hint)
