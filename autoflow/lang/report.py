"""Making diagnostics, with the severity that the table gives their slug, and collecting them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType

from autoflow.lang import table_branches, table_lines, table_whole
from autoflow.lang.diagnostics import Diagnostic, Edit

TABLE = MappingProxyType(
    {entry.slug: entry for entry in (*table_lines.ENTRIES, *table_branches.ENTRIES, *table_whole.ENTRIES)}
)


def report(
    slug: str, line: int, start: int, end: int, message: str, hint: str = "", fix: tuple[Edit, ...] | None = None
) -> Diagnostic:
    """A diagnostic on offsets `start` to `end` (0-based, exclusive) of a line (1-based)."""
    return Diagnostic(slug, TABLE[slug].severity, line, start + 1, end + 1, message, hint, fix)


MOST = 1000  # findings of one slug in a text that are listed: nobody reads more, and each costs time and memory


class Findings:
    """What is found in a text, one thing after the other. Of a slug the first `most` are kept, the others counted."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: list[Diagnostic] = []
        self._counts: Counter[str] = Counter()

    def room(self, slug: str) -> bool:
        """Count one more. Whether it is to be made and kept; asked beforehand where there may be millions."""
        self._counts[slug] += 1
        return self._counts[slug] <= self._most

    def add(self, found: Iterable[Diagnostic]) -> None:
        """Keep what there is room for."""
        for diagnostic in found:
            if self.room(diagnostic.slug):
                self._kept.append(diagnostic)

    def keep(self, found: Diagnostic) -> None:
        """Keep one for which `room` was asked."""
        self._kept.append(found)

    def in_order(self) -> tuple[Diagnostic, ...]:
        """All that are kept, in the order of the text; the last one of a slug says how many more there are."""
        found = sorted(self._kept, key=attrgetter("line", "column", "end_column"))
        more = {slug: count - self._most for slug, count in self._counts.items() if count > self._most}
        for place in reversed(range(len(found) if more else 0)):
            if rest := more.pop(found[place].slug, 0):
                message = f"{found[place].message}; {rest:,} more of this kind are not listed"
                found[place] = replace(found[place], message=message)
        return tuple(found)
