"""How numbers, times and money are written for people: one way, with units, everywhere."""

from __future__ import annotations

import time

from autoflow.records import Job


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `6 min`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def ago(then: float, now: float | None = None) -> str:
    """`just now`, `3 min ago`, `2 days ago`."""
    seconds = max(0.0, (time.time() if now is None else now) - then)
    for limit, unit, name in ((10, 0, ""), (90, 1, "s"), (5400, 60, "min"), (129600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name} ago" if unit else "just now"
    return f"{seconds / 86400:.0f} days ago"


def money(usd: float | None) -> str:
    """Dollars with as many places as small sums need; an unknown price is said to be unknown."""
    if usd is None:
        return "price unknown"
    if usd == 0:
        return "0 $"
    return f"{usd:.4f} $" if usd < 0.1 else f"{usd:.2f} $"


def tokens(prompt: int | None, completion: int | None) -> str:
    """`312→48 tok`; a dash for what the endpoint did not say."""
    return f"{_number(prompt)}→{_number(completion)} tok"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


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


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 problem`, `2 problems`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
