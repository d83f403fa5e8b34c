"""The table of diagnostics."""

from __future__ import annotations

from autoflow.lang.diagnostics import Diagnostic, Edit, Severity

SEVERITY: dict[str, Severity] = {
    "no-steps": "error",
    "missing-field": "error",
    "missing-branches": "warning",
    "unknown-type": "error",
    "empty-name": "error",
    "empty-instruction": "error",
    "duplicate-name": "error",
    "instruction-separator": "warning",
    "branch-separator": "warning",
    "missing-key": "error",
    "empty-branch": "error",
    "odd-branches": "error",
    "process-branches": "error",
    "decision-branches": "error",
    "terminal-branches": "error",
    "unknown-target": "error",
    "endless-loop": "error",
    "no-terminal": "error",
    "dead-end": "warning",
    "unreachable": "warning",
    "prose": "information",
    "extracted": "information",
    "control-character": "information",
    "reserved-mark": "error",
}


def report(
    slug: str, line: int, start: int, end: int, message: str, hint: str = "", fix: tuple[Edit, ...] | None = None
) -> Diagnostic:
    """A diagnostic on offsets `start` to `end` (0-based) of a line."""
    return Diagnostic(slug, SEVERITY[slug], line, start + 1, end + 1, message, hint, fix)
