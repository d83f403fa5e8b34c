"""A step on its way into a workflow: what was read of it, where it stands, and what its faults leave uncertain.

One fault, one slug: a step whose way on is already reported as faulty counts as leading anywhere (`Draft.open`), so
that nothing is said about reachability that would only follow from that fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autoflow.lang.catalogue import report
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.lines import Span, edit
from autoflow.lang.names import quoted
from autoflow.lang.workflow import STEP_TYPES, Branch, Step, StepType, fold

Pair = tuple[Span, Span]


@dataclass(slots=True)
class Draft:
    """A step on its way into a workflow: what was read, where it stands, and what its faults leave uncertain."""

    line: int
    name: Span
    word: Span  # the type as written
    kind: StepType | None  # what `word` says or most probably means
    instruction: Span
    pairs: list[Pair] = field(default_factory=list)
    area: Span | None = None  # all the branches; None where their field is missing
    sound: bool = True  # the branches could be read; else their fault is reported
    paired: bool = True  # it is certain which parts are keys and which are targets
    fixable: bool = True  # it came from a text, so that fixes can be offered
    open: bool = False  # nobody can tell where it leads
    apart: bool = False  # no target can mean it: a duplicate, or no usable name
    ways: list[int] = field(default_factory=list)

    @property
    def title(self) -> str:
        return quoted(self.name.text) if self.name.text else f"the step on line {self.line}"

    @property
    def unusable(self) -> bool:
        """The name is one that no line or no target can hold."""
        return self.name.text.startswith("#") or "::" in self.name.text

    def report(
        self, slug: str, where: Span, message: str, hint: str = "", fix: tuple[Span, str] | None = None
    ) -> Diagnostic:
        """A diagnostic on this step; `fix` is the range to replace and the text to put there."""
        edits = edit(self.line, fix[0].start, fix[0].end, fix[1]) if fix and self.fixable else None
        return report(slug, self.line, where.start, where.end, message, hint, edits)

    def step(self) -> Step:
        """The step as the workflow holds it."""
        kind = fold(self.word.text)
        branches = tuple(Branch(_key(kind, key.text), target.text) for key, target in self.pairs)
        word = kind if kind in STEP_TYPES else self.word.text
        return Step(self.name.text, word, self.instruction.text, branches, self.line)


def _key(kind: str, key: str) -> str:
    return "next" if kind == "process" and fold(key) == "next" else key


def index_names(drafts: Sequence[Draft]) -> tuple[dict[str, int], list[Diagnostic]]:
    """Folded name -> the first step of that name, and the names used twice."""
    names: dict[str, int] = {}
    found: list[Diagnostic] = []
    for position, draft in enumerate(drafts):
        folded = fold(draft.name.text)
        duplicate = bool(folded) and names.setdefault(folded, position) != position
        draft.apart = duplicate or not folded or draft.unusable
        if duplicate:
            found.append(_duplicate(draft, drafts[names[folded]]))
    return names, found


def _duplicate(draft: Draft, first: Draft) -> Diagnostic:
    message = f"{draft.title} is already the name of the step on line {first.line}"
    return draft.report("duplicate-name", draft.name, message, "give one of the two another name")
