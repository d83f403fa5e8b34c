"""What the reader has to say about a text: diagnostics, their edits, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autoflow.lang.workflow import Workflow

Severity = Literal["error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a range of the text. Lines and columns are 1-based code points; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `slug` is stable: users and scripts depend on it."""

    slug: str
    severity: Severity
    line: int
    column: int
    end_column: int
    message: str  # what is wrong, in the words of this workflow
    hint: str = ""  # what to do
    fix: tuple[Edit, ...] | None = None  # present only where the mend is certain

    def to_json(self) -> dict[str, Any]:
        """The shape that `autoflow check --json` prints."""
        edits = None
        if self.fix is not None:
            edits = [{f: getattr(e, f) for f in ("line", "column", "end_line", "end_column", "text")} for e in self.fix]
        fields = ("slug", "severity", "line", "column", "end_column", "message", "hint")
        return {**{f: getattr(self, f) for f in fields}, "fix": edits}


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What could be read, and what was found on the way, in the order of the text."""

    workflow: Workflow
    diagnostics: tuple[Diagnostic, ...]
    text: str  # the text that the positions refer to

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")

    @property
    def ok(self) -> bool:
        """No error diagnostic: the workflow may run."""
        return not self.errors


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    return any(d.severity == "error" for d in diagnostics)
