"""A text opened for editing: its lines with their ends, and which of them are steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autoflow.lang.branches import area_start, read_area
from autoflow.lang.lines import CONTROL, Span, without_colons
from autoflow.lang.names import guess_type
from autoflow.lang.page import step_fields
from autoflow.lang.parser import parse
from autoflow.lang.workflow import Workflow, fold

_BOM = "\ufeff"


@dataclass(slots=True)
class EditPage:
    """Lines and line ends as they are in the text; `numbers[i]` is the place of step i among them, 0-based."""

    mark: str  # the byte order mark, where there is one
    lines: list[str]
    ends: list[str]
    workflow: Workflow
    numbers: list[int]

    @property
    def text(self) -> str:
        return self.mark + "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))

    def line(self, index: int) -> str:
        """The line of a step, as the reader sees it."""
        return CONTROL.sub(" ", self.lines[self.numbers[index]])

    def replace(self, index: int, spans: Iterable[Span], text: str) -> None:
        """Put `text` in place of some ranges of a step's line; the rest of it stays."""
        line = self.lines[self.numbers[index]]
        for span in sorted(spans, key=lambda s: s.start, reverse=True):
            line = line[: span.start] + text + line[span.end :]
        self.lines[self.numbers[index]] = line

    def insert(self, place: int, line: str) -> None:
        """A new line in front of line `place` (0-based), with the line end that the text uses."""
        end = self.ends[0] if self.ends and self.ends[0] else "\n"
        if place == len(self.lines) and self.lines and not self.ends[-1]:
            self.ends[-1] = end
            end = ""
        self.lines.insert(place, line)
        self.ends.insert(place, end)

    def name_span(self, index: int) -> Span:
        line = self.line(index)
        return without_colons(line, *step_fields(line)[0])

    def target_spans(self, index: int) -> list[Span]:
        """Where the targets of a step stand in its line, in the order of its branches."""
        line = self.line(index)
        bounds = step_fields(line)
        known = self.workflow.index.keys() - {""}
        first = area_start(line, bounds, guess_type(self.workflow.steps[index].type), known)
        parts = [] if first is None else read_area(line, bounds[first][0], known).parts
        return parts if len(parts) == 1 else parts[1::2]

    def retarget(self, old: str, new: str, but: int = -1) -> None:
        """Let all branches that lead to `old` lead to `new`, except those of step number `but`."""
        folded = fold(old)
        for index, step in enumerate(self.workflow.steps):
            if index != but and any(fold(branch.target) == folded for branch in step.branches):
                self.replace(index, [s for s in self.target_spans(index) if fold(s.text) == folded], new)


def open_page(text: str) -> EditPage:
    """Read a text for editing."""
    body = text.removeprefix(_BOM)
    pieces = body.split("\n")
    last = pieces.pop()
    lines = [piece.removesuffix("\r") for piece in pieces]
    ends = ["\r\n" if piece.endswith("\r") else "\n" for piece in pieces]
    if last:
        lines.append(last)
        ends.append("")
    workflow = parse(text).workflow
    return EditPage(text[: len(text) - len(body)], lines, ends, workflow, [step.line - 1 for step in workflow.steps])
