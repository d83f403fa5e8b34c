"""A step on its way into a workflow: what was read, where it stands, and what its faults leave uncertain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.lines import Span, edit
from autoflow.lang.names import guess_type, quoted
from autoflow.lang.report import report
from autoflow.lang.workflow import Branch, Step, StepType, fold, is_next


@dataclass(slots=True)
class Draft:
    """One step while its line is looked at."""

    line: int
    name: Span
    word: Span  # the type as written
    instruction: Span
    parts: list[Span] = field(default_factory=list)  # keys and targets in turn
    area: Span | None = None  # all the branches; None where their field is missing
    sound: bool = True  # the branches could be read; else their fault is reported
    paired: bool = True  # it is certain which parts are keys and which are targets
    open: bool = False  # a reported fault leaves uncertain where it leads
    ways: tuple[int, ...] = ()  # positions of the steps that it leads to
    fixable: bool = True  # it came from a text, so that fixes can be offered
    kind: StepType | None = None  # the type that `word` says or most probably means; all rules go by this
    type: StepType | None = None  # the type that it says

    def __post_init__(self) -> None:
        word = self.word.text
        self.kind = guess_type(word)
        self.type = self.kind if word == self.kind or fold(word) == self.kind else None

    @property
    def pairs(self) -> Iterator[tuple[Span, Span]]:
        """The branches: key and target."""
        return zip(self.parts[::2], self.parts[1::2], strict=True)

    @property
    def title(self) -> str:
        """The step as messages name it."""
        return titled(self.name.text, self.line)

    @property
    def place(self) -> Span:
        """Where to mark the step as a whole: its name, or where that should be."""
        return self.name if self.name.text else Span("", 0, 3)

    @property
    def unusable(self) -> bool:
        """The name is one that no line or no target can hold."""
        return "::" in self.name.text or self.name.text.startswith("#")

    def report(
        self, slug: str, where: Span, message: str, hint: str = "", fix: tuple[Span, str] | None = None
    ) -> Diagnostic:
        """A diagnostic on this step; `fix` is the range to replace and the text to put there."""
        edits = edit(self.line, fix[0].start, fix[0].end, fix[1]) if fix and self.fixable else None
        return report(slug, self.line, where.start, where.end, message, hint, edits)

    def step(self) -> Step:
        """The step as the workflow holds it."""
        branches = [Branch(key.text, target.text) for key, target in self.pairs]
        if self.type == "process":
            branches = [Branch("next", b.target) if b.key != "next" and is_next(b.key) else b for b in branches]
        return Step(self.name.text, self.type or self.word.text, self.instruction.text, tuple(branches), self.line)


def titled(name: str, line: int) -> str:
    """A step as messages name it."""
    return quoted(name) if name else f"the step on line {line}"
