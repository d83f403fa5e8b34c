"""How far a job is and how long still: one line that the next overwrites; in a log, a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from autoflow.cli import output
from autoflow.cli.trace import clip

if TYPE_CHECKING:
    from autoflow.records import Job

LINE_S = 15.0  # where nobody can overwrite a line (a log file), one is written no oftener


class Progress:
    """Of one job of a study.

    Args:
        ends_in_s: seconds from now after which a limit of time ends the search; its test follows, and has no limit.
    """

    def __init__(self, ends_in_s: float | None = None) -> None:
        self._ends = None if ends_in_s is None else time.monotonic() + ends_in_s
        self._began = self._counted = time.monotonic()
        self._first: float | None = None  # what was done when it began
        self._done = 0.0
        self._unit = ""  # what was counted then
        self._shown, self._at = "", 0.0

    def show(self, job: Job) -> None:
        line = clip(self._line(job))
        if line == self._shown:
            return
        if sys.stderr.isatty():
            output.retell(line)
        elif time.monotonic() - self._at >= LINE_S:
            output.note(line)
        else:
            return
        self._shown, self._at = line, time.monotonic()

    def end(self) -> None:
        """Leave the line behind."""
        if self._shown and sys.stderr.isatty():
            output.tell("\n")

    def _line(self, job: Job) -> str:
        if self._first is None or job.unit != self._unit:  # something else is counted now, at another pace
            self._began, self._first, self._unit = time.monotonic(), job.done, job.unit
        if job.done != self._done:
            self._counted, self._done = time.monotonic(), job.done
        doing = job.live.get("status") or job.live.get("doing") or job.message
        counted = f"{job.done:,.0f} of {job.total:,.0f} {job.unit}" if job.total else ""
        return " · ".join(filter(None, (counted, self._left(job), str(doing or ""))))

    def _left(self, job: Job) -> str:
        from autoflow.report.figures import time_left
        from autoflow.study import TEST_RUNS

        now = time.monotonic()
        most = None if self._ends is None or job.unit == TEST_RUNS else self._ends - now
        return time_left(self._at_this_pace(job, now), most)

    def _at_this_pace(self, job: Job, now: float) -> float | None:
        """What is under way has taken a part of its time already, but no more than all of it."""
        done = job.done - (self._first or 0.0)
        if not job.total or done <= 0 or job.done >= job.total:
            return None
        each = (self._counted - self._began) / done
        return each * (job.total - job.done) - min(each, now - self._counted)
