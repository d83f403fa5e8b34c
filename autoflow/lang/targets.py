"""What names mean: which step a target leads to, which names are used twice, which targets lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.draft import Draft
from autoflow.lang.lines import Span
from autoflow.lang.names import Names, list_mark, listed, quoted
from autoflow.lang.workflow import fold

HINTED = 20  # unknown targets that get a near-name hint
LISTED = 20  # unknown targets of one line that are reported; the last one says how many more there are


class Targets:
    """The names of a workflow's steps. `folded name in targets` tells whether a target can mean something."""

    def __init__(self, names: Sequence[str], lines: Sequence[int], lost: Iterable[str] = ()) -> None:
        """`names` and `lines` of the steps in order; `lost`: folded names of lines that lack fields to be steps."""
        self._names = names
        self._lines = lines
        self._lost = frozenset(lost)
        self._positions: dict[str, int] = {}
        self._spelt: dict[str, int] = {}  # the same by names as written: most targets need no folding
        self._first: dict[int, int] = {}  # position of a duplicate -> of the step whose name it repeats
        for position, name in enumerate(names):
            folded = fold(name)
            if not folded:
                continue
            self._spelt[name] = first = self._positions.setdefault(folded, position)
            if first != position:
                self._first[position] = first
        self._steps = "steps are " + listed(name for name in names if name)
        self._hinted = 0
        self._near: Names | None = None

    def __contains__(self, folded: object) -> bool:
        return folded in self._positions or (folded in self._lost and folded != "")

    def is_duplicate(self, position: int) -> bool:
        """Whether an earlier step has this name."""
        return position in self._first

    def check(self, draft: Draft, position: int) -> list[Diagnostic]:
        """Whether the name at this position is new, and its targets exist.

        Sets `draft.ways` and gives targets their step's spelling; a target without a step leaves the draft open.
        """
        found = []
        if position in self._first:
            message = f"{draft.title} is already the name of the step on line {self._lines[self._first[position]]}"
            found.append(draft.report("duplicate-name", draft.name, message, "give one of the two another name"))
        unknown = self._resolve(draft)
        if unknown and draft.paired and draft.kind != "terminal":
            more = len(unknown) - LISTED
            for number, pair in enumerate(unknown[:LISTED], 1):
                found.append(self._unknown(draft, *pair, more if number == LISTED else 0))
        return found

    def _resolve(self, draft: Draft) -> list[tuple[Span, Span]]:
        """Fill in where the branches lead. Returns those that lead to no step, and to no line that was meant as one."""
        unknown = []
        ways = []
        for place in range(1, len(draft.parts), 2):
            target = draft.parts[place]
            position = self._spelt.get(target.text)
            folded = "" if position is not None else fold(target.text)
            position = self._positions.get(folded) if position is None else position
            if position is not None:
                ways.append(position)
                if self._names[position] != target.text:
                    draft.parts[place] = target._replace(text=self._names[position])
            elif folded and folded not in self._lost:
                unknown.append((draft.parts[place - 1], target))
        draft.open = draft.open or 2 * len(ways) < len(draft.parts)
        draft.ways = () if draft.kind == "terminal" else tuple(ways)
        return unknown

    def _unknown(self, draft: Draft, key: Span, target: Span, more: int) -> Diagnostic:
        branch = f"branch {quoted(key.text)}" if key.text else draft.title
        message = f"{branch} goes to {quoted(target.text)}, which does not exist"
        if more > 0:
            message += f"; so do {more} more of its branches"
        return draft.report("unknown-target", target, message, self._hint(target.text))

    def _hint(self, target: str) -> str:
        self._hinted += 1
        if self._hinted > HINTED:
            return self._steps
        if self._near is None:
            self._near = Names(self._names)
        near = self._near.nearest(target)
        if near is None:
            return self._steps
        mark = list_mark(near)
        if mark and fold(near[len(mark) :]) == fold(target):
            return f"the step is called {quoted(near)}: leave out the `{mark.strip()}`"
        return f"{self._steps}; did you mean {quoted(near)}?"
