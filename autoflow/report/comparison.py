"""Two candidates of a study beside each other: everything that may be said of them, as plain data.

Pages, the command line, HTML and CSV show this; none of them computes anything of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from autoflow.lang.diff import WorkflowDiff
from autoflow.optimize.training_view import TrainingPoint
from autoflow.records import StopReason, Totals
from autoflow.statistics import Comparison, Interval, verdict
from autoflow.study import Split, Study

NOTHING_YET = "No task was scored for both sides yet."


@dataclass(frozen=True, slots=True)
class Cell:
    """How one side fared on one task, all repeats together."""

    score: float | None  # mean over repeats, in [0, 1]; None: a person is still to rate it
    answers: tuple[str, ...]  # one a repeat
    stops: tuple[StopReason, ...]
    errors: tuple[str, ...]  # why a repeat scored 0, where it was no bad answer; empty ones are left out
    calls: float  # mean a run
    seconds: float  # mean a run, answers from the cache included
    cached: float  # share of the calls that the cache answered, in [0, 1]
    cost_usd: float | None  # of all repeats; None: the price is unknown

    @property
    def answer(self) -> str:
        return self.answers[0]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. A side that is None was not run on it."""

    task: str
    objective: str  # with its inputs, and that a model proposed it, where that is so: see `in_words`
    expected: str
    a: Cell | None
    b: Cell | None

    @property
    def difference(self) -> float | None:
        """Score of B less that of A; None unless both have one."""
        if self.a is None or self.b is None or self.a.score is None or self.b.score is None:
            return None
        return round(self.b.score - self.a.score, 9)

    @property
    def differs(self) -> bool:
        """Whether the two sides scored differently."""
        return bool(self.difference)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two workflows, and what its runs came to."""

    number: int  # as a candidate of the study
    name: str
    text: str
    made: str  # what made it, in words
    error: str  # the first error of a text that cannot run
    score: Interval | None  # mean over tasks; None: none was scored
    runs: int
    valid: float | None  # share of runs that reached an end with a usable answer
    totals: Totals  # of all runs
    judge: Totals  # what scoring them took
    p50_s: float | None  # median of a run without answers from the cache; None: there was none


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """A beside B on one split of a suite."""

    study: Study
    split: Split
    a: Side
    b: Side
    diff: WorkflowDiff  # from A to B
    rows: tuple[TaskRow, ...]  # in the order of the split; tasks that neither was run on are left out
    comparison: Comparison | None  # None: no task was scored on both sides
    missing: int  # runs still to do
    proposed: tuple[str, ...]  # parts of the suite that a model proposed, in words
    test_openings: int  # how often the sealed test of this suite was opened, by all studies
    suite: str  # how it is called
    training: tuple[TrainingPoint, ...] = ()  # of the study's generator, step by step; empty: none was trained

    @property
    def sealed(self) -> bool:
        """Whether it is scored on the test that is kept for the end."""
        return self.split == "test"

    @property
    def verdict(self) -> str:
        return NOTHING_YET if self.comparison is None else verdict(self.comparison, self.a.name, self.b.name)

    @property
    def different(self) -> tuple[TaskRow, ...]:
        return tuple(row for row in self.rows if row.differs)


def signs(found: WorkflowDiff) -> tuple[dict[int, str], dict[int, str]]:
    """Marks for the graphs of A and B: 0-based position of a step -> `−` removed, `+` added, `~` otherwise changed."""
    a: dict[int, str] = {}
    b: dict[int, str] = {}
    for step in found.steps:
        if step.before_position is not None:
            a[step.before_position - 1] = "−" if step.after is None else "~"
        if step.after_position is not None:
            b[step.after_position - 1] = "+" if step.before is None else "~"
    return a, b
