"""How numbers, times and money are written for people: one way, with units, everywhere."""

from __future__ import annotations

import time

from autoflow.records import Job
from autoflow.report.figures import duration, money, plural, time_left, tokens

__all__ = ["ago", "duration", "money", "plural", "progress_words", "size", "time_left", "tokens"]


def ago(then: float, now: float | None = None) -> str:
    """`just now`, `3 min ago`, `2 days ago`."""
    seconds = max(0.0, (time.time() if now is None else now) - then)
    for limit, unit, name in ((10, 0, ""), (90, 1, "s"), (5400, 60, "min"), (129600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name} ago" if unit else "just now"
    return f"{seconds / 86400:.0f} days ago"


def size(count: float) -> str:
    """Bytes as people read them: `98 MB`, `1.1 GB`."""
    for limit, unit in ((1e3, "B"), (1e6, "kB"), (1e9, "MB")):
        if count < limit:
            return f"{count / (limit / 1e3):.0f} {unit}"
    return f"{count / 1e9:.1f} GB"


def progress_words(job: Job) -> str:
    """How far a job is, in its own unit: `14 of 40 steps`, `31 of 98 MB`, or what it says it is doing."""
    if job.unit == "bytes":
        return f"{size(job.done)} of {size(job.total)}" if job.total else size(job.done) if job.done else job.message
    if job.total:
        return f"{job.done:g} of {job.total:g} {job.unit}"
    return f"{job.done:g} {job.unit}" if job.done and job.unit else job.message
