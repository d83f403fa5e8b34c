"""Making diagnostics, with the severity that the table gives their slug."""

from __future__ import annotations

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
