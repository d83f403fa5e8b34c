"""From a text to lines, and from a line to ranges of it: the ground the reader stands on.

Offsets are 0-based code points inside one line; diagnostics count from 1. What a range holds is shown with one space in
place of white-space runs, which is how the language writes names, keys and instructions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from autoflow.lang.diagnostics import Edit

# What has no place inside a line: control characters but the tab, Unicode's line and paragraph separators, a byte order
# mark that is not at the start, and lone surrogates (which UTF-8 cannot hold).
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_SEPARATORS = re.compile(":{3,}")
_WHITE_AND_COLON = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + ":"


Bound = tuple[int, int]  # an untrimmed range of a line
Bounds = tuple[Bound, ...]


class Span(NamedTuple):
    """A trimmed range of a line: `text` as the language shows it, `start` and `end` where it stands."""

    text: str
    start: int
    end: int


_span = tuple.__new__  # what `Span(...)` comes to, in a third of the time: it is called millions of times


def split_lines(text: str) -> list[str]:
    r"""The lines of a text without their ends, `\n` and `\r\n` only. A byte order mark in front is dropped."""
    lines = text.removeprefix("\ufeff").split("\n")
    last = lines.pop()
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    if last:
        lines.append(last)
    return lines


def split_fields(line: str) -> Bounds:
    """The ranges of a line's fields, untrimmed.

    A run of 3k colons is k separators; of 3k+1 or 3k+2, the first one or two belong to the field on the left.
    """
    bounds: list[Bound] = []
    start = 0
    for run in _SEPARATORS.finditer(line):
        first, last = run.span()
        first += (last - first) % 3
        bounds.append((start, first))
        if last - first > 3:
            bounds += [(place, place) for place in range(first + 3, last, 3)]
        start = last
    return (*bounds, (start, len(line)))


def trimmed(line: str, start: int, end: int, marks: str | None = None) -> Span:
    """The range without the white space (or the `marks`) around it. An empty one stands at `start`."""
    raw = line[start:end]
    kept = raw.strip(marks)
    if not kept:
        return _span(Span, ("", start, start))
    if kept is not raw:
        start = end - len(raw.lstrip(marks))
        end = start + len(kept)
    # `isprintable` knows no white space but the blank: two quick looks spare most fields the splitting.
    text = kept if kept.isprintable() and "  " not in kept else " ".join(kept.split())
    return _span(Span, (text, start, end))


def without_colons(line: str, start: int, end: int) -> Span:
    """The range without the white space and the colons around it."""
    return trimmed(line, start, end, _WHITE_AND_COLON)


def without_leading_colons(line: str, start: int, end: int) -> Span:
    """The range without white space around it, and without colons in front."""
    found = trimmed(line, start, end)
    if not found.text.startswith(":"):
        return found
    return trimmed(line, end - len(line[start:end].lstrip(_WHITE_AND_COLON)), end)


def edit(line: int, start: int, end: int, text: str) -> tuple[Edit, ...]:
    """The fix that puts `text` in place of offsets `start` to `end` of line number `line`."""
    return (Edit(line, start + 1, line, end + 1, text),)
