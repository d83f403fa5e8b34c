"""What the branches of a workflow lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.draft import Draft
from autoflow.lang.lines import Span
from autoflow.lang.names import Names, list_mark, listed, quoted
from autoflow.lang.workflow import fold

HINTED = 20  # unknown targets that get a near-name hint
LISTED = 20  # unknown targets of one line that are reported; the last one says how many more there are


class Targets:
    """Finds what the branches lead to, and reports those that lead nowhere."""

    def __init__(self, drafts: Sequence[Draft], names: Mapping[str, int], lost: Iterable[str] = ()) -> None:
        """`lost`: folded names of lines that are no steps for want of a field; targets may mean them."""
        self._drafts = drafts
        self._names = names
        self._lost = frozenset(lost)
        self._hinted = 0
        self._near: Names | None = None
        self._steps = "steps are " + listed(draft.name.text for draft in drafts if draft.name.text)

    def check(self, draft: Draft) -> Iterable[Diagnostic]:
        """Fill in `ways`; spell targets as the step's name. A branch that leads nowhere leaves its step open."""
        if draft.kind == "terminal":
            return
        unknown = []
        for place, (key, target) in enumerate(draft.pairs):
            folded = fold(target.text)
            position = self._names.get(folded)
            if position is not None:
                draft.ways.append(position)
                draft.pairs[place] = (key, target._replace(text=self._drafts[position].name.text))
                continue
            draft.open = True
            if target.text and draft.paired and folded not in self._lost:
                unknown.append((key, target))
        more = len(unknown) - LISTED
        for number, (key, target) in enumerate(unknown[:LISTED], 1):
            yield self._unknown(draft, key, target, more if number == LISTED else 0)

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
            self._near = Names(draft.name.text for draft in self._drafts)
        near = self._near.nearest(target)
        if near is None:
            return self._steps
        mark = list_mark(near)
        if mark and fold(near[len(mark) :]) == fold(target):
            return f"the step is called {quoted(near)}: leave out the `{mark.strip()}`"
        return f"{self._steps}; did you mean {quoted(near)}?"
