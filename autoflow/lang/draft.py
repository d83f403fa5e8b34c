"""A step on its way into a workflow: what was read, where it stands, and what its faults leave uncertain."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.lines import Span, edit
from autoflow.lang.names import guess_type, quoted
from autoflow.lang.report import report
from autoflow.lang.workflow import Branch, Step, StepType, fold


@dataclass(slots=True)
class Draft:
    """One step while its line is looked at."""

    line: int
    name: Span
    word: Span  # the type as written
    instruction: Span
    pairs: list[tuple[Span, Span]] = field(default_factory=list)
    area: Span | None = None  # all the branches; None where their field is missing
    sound: bool = True  # the branches could be read; else their fault is reported
    paired: bool = True  # it is certain which parts are keys and which are targets
    open: bool = False  # a reported fault leaves uncertain where it leads
    fixable: bool = True  # it came from a text, so that fixes can be offered
    kind: StepType | None = None  # the type that `word` says or most probably means; all rules go by this
    type: StepType | None = None  # the type that it says

    def __post_init__(self) -> None:
        self.kind = guess_type(self.word.text)
        self.type = self.kind if self.kind == fold(self.word.text) else None

    @property
    def title(self) -> str:
        """The step as messages name it."""
        return quoted(self.name.text) if self.name.text else f"the step on line {self.line}"

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
        pairs = [(key.text, target.text) for key, target in self.pairs]
        if self.type == "process":
            pairs = [("next" if fold(key) == "next" else key, target) for key, target in pairs]
        branches = tuple([Branch(key, target) for key, target in pairs])
        return Step(self.name.text, self.type or self.word.text, self.instruction.text, branches, self.line)
