"""Reading the branches of one line: `key::target::key::target`, and what people and models write instead.

Where the mend is certain the branches are read as mended, so that everything after this (targets, reachability) sees
the same workflow before and after the fix is applied: that is why a fix can add no error.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import islice

from autoflow.lang.lines import Bounds, Span, without_colons
from autoflow.lang.workflow import fold, is_next

_RUNS = re.compile("::+")
_MARKS = re.compile("[,;|]")
_MARKS_TRIED = 16  # in one target slot: more would make a line of nothing but commas take quadratic time


@dataclass(slots=True)
class Area:
    """The parts between the `::` of one line (keys and targets in turn), and the first fault of each kind."""

    whole: Span  # from the first part to the end of the line
    parts: list[Span]
    separator: Span | None = None  # a `:::` or `,` `;` `|` that stands for `::`
    stray: Span | None = None  # a colon at the edge of a key or a target

    @property
    def mended(self) -> str:
        """The branches as they should be written; a blank keeps an empty part from making a `:::` of its neighbours."""
        return "::".join(part.text or " " for part in self.parts)


def read_area(line: str, start: int, known: Container[str]) -> Area:
    """Split the branches that begin at `start`. `known` holds the folded names of the workflow's steps."""
    tail = line[start:]
    begin, end = len(line) - len(tail.lstrip()), len(line.rstrip())
    parts: list[Span] = []
    separator = stray = None
    wide_before, pair_before = False, False
    runs = [run.span() for run in _RUNS.finditer(line, start, end)]
    runs.append((end, end))
    for first, last in runs:
        wide, pair = last - first > 2, last - first == 2
        part = without_colons(line, start, first)
        if part[0] or pair or pair_before:  # beside a `::` something is missing; between others nothing
            parts.append(part)
        if wide and separator is None:
            separator = Span(":::", first, last)
        if stray is None and (part[1] > start or part[2] < first):
            stray = _stray(line, (start, wide_before), part, (first, wide))
        start, wide_before, pair_before = last, wide, pair
    if len(parts) == 1 and not parts[0].text:
        parts = []
    area = Area(Span("", begin, max(begin, end)), parts, separator, stray)
    if _MARKS.search(line, begin, end):
        _split_marks(line, area, known)
    return area


def _stray(line: str, left: tuple[int, bool], part: Span, right: tuple[int, bool]) -> Span | None:
    """The first colon between a part and the separator beside it; beside a `:::` that one is the fault."""
    for (start, end), wide in (((left[0], part.start), left[1]), ((part.end, right[0]), right[1])):
        place = line.find(":", start, end)
        if place >= 0 and not wide:
            return Span(":", place, place + 1)
    return None


def _split_marks(line: str, area: Area, known: Container[str]) -> None:
    """Split `yes::Step 3, no::Step 4` at the comma, where that leaves whole pairs."""
    parts: list[Span] = []
    mark: Span | None = None
    for part in area.parts:
        found = _mark(line, part, known) if len(parts) % 2 else None
        if found is None:
            parts.append(part)
            continue
        mark = mark or found
        parts.append(without_colons(line, part.start, found.start))
        rest = without_colons(line, found.end, part.end)
        if rest.text:
            parts.append(rest)
    if mark and len(parts) % 2 == 0:
        area.parts = parts
        area.separator = min(filter(None, (area.separator, mark)), key=lambda span: span.start)


def _mark(line: str, target: Span, known: Container[str]) -> Span | None:
    """The mark that ends a step's name inside a target slot that is no step's name as a whole."""
    text, start, end = target
    mark = _MARKS.search(line, start, end)
    if mark is None or fold(text) in known:
        return None
    for _ in range(_MARKS_TRIED):
        if fold(line[start : mark.start()]) in known:
            return Span(mark[0], *mark.span())
        mark = _MARKS.search(line, mark.end(), end)
        if mark is None:
            break
    return None


def area_start(line: str, bounds: Bounds, kind: str | None, known: Container[str]) -> int | None:
    """Which of a step's fields (from the fourth on) begins its branches; None where all belong to the instruction.

    That is the first that holds `::`. Where there are five fields or more and none does, `:::` was written for `::`:
    the last is read as a target, `next` and what follows it as a branch, and for a decision all of them as pairs, as
    far as they name steps.
    """
    if len(bounds) <= 4:
        return 3 if len(bounds) == 4 else None
    fields = enumerate(islice(bounds, 3, None), 3)  # there may be millions of empty ones
    first = next((i for i, (start, end) in fields if end - start > 1 and _holds_pair(line, start, end)), None)
    return first if first is not None else _unmarked_start(line, bounds, kind, known)


def _holds_pair(line: str, start: int, end: int) -> bool:
    """Whether a field holds `::`, other than as the rest of the run of colons that ends the field."""
    place = line.find("::", start, end)
    return 0 <= place < end - 2 or (place >= 0 and end == len(line))


def _unmarked_start(line: str, bounds: Bounds, kind: str | None, known: Container[str]) -> int | None:
    def text(field: int) -> str:
        start, end = bounds[field]
        return without_colons(line, start, end).text if start < end else ""

    end = len(bounds) - 1
    last = next((field for field in range(end, 2, -1) if text(field)), None)
    if kind == "terminal" or last is None:
        return None if last == end else end
    if kind == "process" and last >= 4 and is_next(text(last - 1)):
        return last - 1
    if kind != "process" and last % 2 == 0 and any(fold(text(field)) in known for field in range(4, last + 1, 2)):
        return 3
    if fold(text(last)) in known:
        return last
    return None if last == end else end
