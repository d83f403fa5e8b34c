"""Having candidates run on tasks: what is missing is run, kept in batches, and never run twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from autoflow.evaluate import LocalEvaluator, MakeEvaluator, Unit
from autoflow.llm.base import LLM
from autoflow.optimize.limits import reached
from autoflow.optimize.view import StudyView
from autoflow.records import Event
from autoflow.study import Candidate, Outcome, Split, StudyBatch, StudyStop
from autoflow.suites.base import Suite
from autoflow.tools.toolbox import Toolbox

BATCH = 32  # outcomes kept in one transaction at most
BATCH_S = 0.5  # they are kept no later than this after they came


class Halted(Exception):
    """The study cannot go on now: a person wants a pause, or answers wait for a person's rating."""

    def __init__(self, waiting: int = 0) -> None:
        super().__init__(waiting)
        self.waiting = waiting  # answers to rate; 0: a pause was asked for


class Sink(Protocol):
    """Where a search puts what must last, and learns what a person wants."""

    async def keep(self, batch: StudyBatch, message: str = "") -> None:
        """Make durable; raises what ends the job."""
        ...

    def show(self, words: str) -> None:
        """What goes on right now."""
        ...

    def pause_wanted(self) -> bool: ...

    def seconds(self) -> float:
        """Worked on the study so far, without pauses."""
        ...


class Runner:
    """Runs candidates of one study.

    Args:
        evaluator: makes what carries them out; None: this process does.
    """

    def __init__(
        self, view: StudyView, suite: Suite, llm: LLM, toolbox: Toolbox, sink: Sink,
        evaluator: MakeEvaluator | None = None,
    ) -> None:  # fmt: skip
        self._view = view
        self._suite = suite
        self._sink = sink
        policy = view.study.spec.policy
        self._evaluator: MakeEvaluator = evaluator or (
            lambda go_on: LocalEvaluator(suite, llm, toolbox, policy=policy, go_on=go_on)
        )
        self._waiting: list[tuple[Outcome, Sequence[Event]]] = []
        self._left = 0

    async def run(
        self, candidates: Iterable[Candidate], split: Split, round_: int, tasks: Sequence[str] | None = None
    ) -> StudyStop | None:
        """Run what is missing of candidates x tasks (all of the split, or those named) x repeats.

        Returns: the limit of the budget that was reached before all was run; None: all is there. Runs on the test split
            are outside of the budget.
        Raises Halted; ModelError: the model is gone; what `Sink.keep` raises.
        """
        units = self._missing(list(candidates), split, round_, tasks)
        self._left = len(units)
        stops = [self._limit() if split != "test" else None]

        def go_on() -> bool:
            stops[0] = self._limit() if split != "test" else None
            return stops[0] is None and not self._sink.pause_wanted()

        if units and go_on():
            await self._carry_out(units, go_on)
        if self._left and self._sink.pause_wanted():
            raise Halted
        if self._view.pending():
            raise Halted(len(self._view.pending()))
        return stops[0] if self._left else None

    async def _carry_out(self, units: Sequence[Unit], go_on: Callable[[], bool]) -> None:
        keeping = asyncio.create_task(self._keep_in_time())
        evaluator = self._evaluator(lambda: go_on() and not keeping.done())
        try:
            await evaluator.map(units, self._done)
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await self._flush()
        if not keeping.cancelled():
            keeping.result()  # raises: what came could not be kept

    async def _keep_in_time(self) -> None:
        """Also where the next run takes minutes."""
        while True:
            await asyncio.sleep(BATCH_S)
            await self._flush()

    def _limit(self) -> StudyStop | None:
        spent = self._view.totals(test=False)
        return reached(self._view.study.spec.budget, spent, self._sink.seconds())

    def _missing(
        self, candidates: Sequence[Candidate], split: Split, round_: int, tasks: Sequence[str] | None
    ) -> list[Unit]:
        repeats = range(self._view.study.spec.repeats)
        return [
            Unit(c.number, c.text, task, repeat, split, round_)
            for c in candidates
            if not c.error
            for repeat in repeats
            for task in self._suite.tasks(split)
            if (tasks is None or task.id in tasks) and self._view.outcome(c.number, task.id, repeat) is None
        ]

    async def _done(self, outcome: Outcome, events: Sequence[Event]) -> None:
        self._view.add(outcomes=[outcome])
        self._left -= 1
        self._waiting.append((outcome, events))
        if len(self._waiting) >= BATCH:
            await self._flush()

    async def _flush(self) -> None:
        if self._waiting:
            batch, self._waiting = self._waiting, []
            study = self._view.study
            await self._sink.keep(StudyBatch(study.id, outcomes=batch, seconds=self._sink.seconds()))
