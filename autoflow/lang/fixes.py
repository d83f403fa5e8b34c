"""Applying what the reader offers to mend."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from autoflow.lang.diagnostics import Diagnostic, Edit
from autoflow.lang.parser import parse

ROUNDS = 20  # more than one line can need: at most one fix a line is applied in each


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; a byte order mark is dropped, as positions do not count it.

    Raises ValueError: an edit lies outside the text, or two overlap (the text has changed since they were offered).
    """
    text = text.removeprefix("\ufeff")
    starts = _line_starts(text)
    ranges = sorted(
        (_offset(text, starts, e.line, e.column), _offset(text, starts, e.end_line, e.end_column), e.text)
        for e in edits
    )
    pieces, position = [], 0
    for start, end, replacement in ranges:
        if not position <= start <= end:
            raise ValueError(f"edits must not overlap, but one begins at offset {start} and another ends at {position}")
        pieces += [text[position:start], replacement]
        position = end
    return "".join([*pieces, text[position:]])


def fix_all(text: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """Apply all offered fixes until none is left. Returns the mended text and the diagnostics whose fixes were applied.

    Positions of the later ones refer to the text as the earlier ones left it.
    """
    applied: list[Diagnostic] = []
    for _ in range(ROUNDS):
        chosen: dict[int, Diagnostic] = {}
        for found in parse(text, most=sys.maxsize).diagnostics:
            if found.fix is not None:
                chosen.setdefault(found.line, found)
        if not chosen:
            break
        text = apply_edits(text, (edit for found in chosen.values() for edit in found.fix or ()))
        applied += chosen.values()
    return text, tuple(applied)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    while (end := text.find("\n", starts[-1])) >= 0:
        starts.append(end + 1)
    return starts


def _offset(text: str, starts: list[int], line: int, column: int) -> int:
    """The offset of a 1-based line and column."""
    if not 1 <= line <= len(starts):
        raise ValueError(f"`1 <= line <= {len(starts)}` must hold, but got line={line}")
    end = starts[line] - 1 if line < len(starts) else len(text)
    last = end - starts[line - 1] + 1
    if not 1 <= column <= last:
        raise ValueError(f"`1 <= column <= {last}` must hold on line {line}, but got column={column}")
    return starts[line - 1] + column - 1
