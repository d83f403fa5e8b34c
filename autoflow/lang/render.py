"""Diagnostics on a terminal, the way a good compiler prints them: place, message, line, caret, hint."""

from __future__ import annotations

import unicodedata

from autoflow.lang.diagnostics import Diagnostic, ParseResult
from autoflow.lang.lines import CONTROL, split_lines

WIDTH = 120  # characters of source shown; a longer line is cut on both sides of the range
TAB = 4  # columns of the terminal
_COLOURS = {"error": "31", "warning": "33", "information": "36"}


def render(result: ParseResult, filename: str, colour: bool = False) -> str:
    """All diagnostics with their source lines. `colour` adds ANSI colours. "" where there is nothing to say."""
    lines = split_lines(result.text)
    return "\n".join(_block(found, lines, filename, colour) for found in result.diagnostics)


def _block(found: Diagnostic, lines: list[str], filename: str, colour: bool) -> str:
    def paint(text: str, codes: str) -> str:
        return f"\033[{codes}m{text}\033[0m" if colour else text

    shade = _COLOURS[found.severity]
    title = paint(f"{found.severity}[{found.slug}]", f"1;{shade}")
    block = [f"{_safe(filename)}:{found.line}:{found.column}: {title} {_safe(found.message)}"]
    if found.line <= len(lines):
        source, pad, carets = _window(lines[found.line - 1], found.column - 1, found.end_column - 1)
        block.append(f"{found.line} | {source}")
        block.append(f"{' ' * len(str(found.line))} | {' ' * pad}{paint('^' * carets, shade)}")
    if found.hint:
        block.append(f"{paint('hint:', '1')} {_safe(found.hint)}")
    return "\n".join(block) + "\n"


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """What to show of a line, the columns in front of the range, and the columns (at least 1) under it."""
    first = max(0, start - WIDTH // 2) if len(line) > WIDTH else 0
    last = min(len(line), first + WIDTH)
    shown = "... " if first else ""
    column = len(shown)
    pad = stop = column
    for place in range(first, last):
        cell = _cell(line[place], column)
        column += _columns(cell)
        shown += cell
        pad = column if place < start else pad
        stop = column if place < end else stop
    return shown + (" ..." if last < len(line) else ""), pad, max(1, stop - pad)


def _cell(character: str, column: int) -> str:
    """How one character is shown: a tab as blanks, what would move the cursor or send an escape as a mark."""
    if character == "\t":
        return " " * (TAB - column % TAB)
    return _safe(character)


def _columns(cell: str) -> int:
    """Columns that a terminal gives it: 2 for wide ones, 0 for those that join the one before."""
    if len(cell) > 1:
        return len(cell)
    if unicodedata.category(cell) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _safe(text: str) -> str:
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
