"""Workflow x tasks x repeats: runs carried out and scored, so many at a time, each told as soon as it is there.

Nothing is collected: whoever asks gets each outcome with its events and keeps what it needs, so that 20,000 runs take
no more memory than 200. What was done before is simply not asked for again.

A run that fails scores 0. One that failed because the model is gone says nothing about its workflow: then the model is
asked for a word, and where it does not answer that either, all ends with its error and the run counts as never made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from autoflow.errors import GONE, BudgetExceeded, ModelError
from autoflow.interpret import Recorder, interpret
from autoflow.interpret.prompting import Prompts
from autoflow.lang import ParseResult, has_errors, parse
from autoflow.lang.workflow import Workflow
from autoflow.llm.base import LLM, Completion, Message, OnToken, Options
from autoflow.llm.wrappers.base import Wrapper
from autoflow.records import Event, RunPolicy, StopReason
from autoflow.study import Outcome, Split
from autoflow.suites.base import Suite, SuiteTask
from autoflow.tools.toolbox import Toolbox

TEXTS = 16  # workflows that are kept read
SEEDS_A_REPEAT = 1_000_003  # repeats of a call differ by this; a run counts its seeds in small steps


@dataclass(frozen=True, slots=True)
class Unit:
    """One run to do: a candidate's workflow on a task, for the `repeat`-th time (from 0)."""

    candidate: int  # what the outcome is kept under
    text: str
    task: SuiteTask
    repeat: int = 0
    split: Split = "val"
    round: int = 0


Done = Callable[[Outcome, Sequence[Event]], Awaitable[None]]


class Evaluator(Protocol):
    """Carries out runs, here or elsewhere."""

    async def map(self, units: Iterable[Unit], done: Done) -> None:
        """Carry out all of them, in any order; `done` gets each with its events. What `done` raises ends it.

        Raises ModelError: the model is gone, or the one that judges. BudgetExceeded: from a judge.
        """
        ...


# Makes one that asks this before each run: False starts no further one, and those under way are finished.
MakeEvaluator = Callable[[Callable[[], bool]], Evaluator]


class LocalEvaluator:
    """Runs in this process.

    Args:
        concurrency: runs at a time; None: as many as the model takes calls.
        go_on: asked before each run; False starts no further one, those under way are finished.
    """

    def __init__(
        self, suite: Suite, llm: LLM, toolbox: Toolbox, *, policy: RunPolicy, concurrency: int | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._suite = suite
        self._llm = llm
        self._toolbox = toolbox
        self._policy = policy
        self._places = max(1, concurrency or llm.capabilities.concurrency)
        self._go_on = go_on
        self._read: dict[str, ParseResult] = {}  # the last few texts: each is run on many tasks

    async def map(self, units: Iterable[Unit], done: Done) -> None:
        """As the Protocol says. `units` may be a generator: it is asked for the next one when there is room."""
        todo, prompts = iter(units), Prompts()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._places):
                    group.create_task(self._work(todo, done, prompts))
        except BaseExceptionGroup as found:  # a task that fails ends the others: one reason is enough
            raise found.exceptions[0] from found

    async def _work(self, todo: Iterator[Unit], done: Done, prompts: Prompts) -> None:
        while self._go_on() and (unit := next(todo, None)) is not None:
            outcome, events = await self._one(unit, prompts)
            await done(outcome, events)

    def _parsed(self, text: str) -> ParseResult:
        if text not in self._read:
            while len(self._read) >= TEXTS:
                del self._read[next(iter(self._read))]
            self._read[text] = parse(text)
        return self._read[text]

    async def _one(self, unit: Unit, prompts: Prompts) -> tuple[Outcome, Sequence[Event]]:
        parsed = self._parsed(unit.text)
        if has_errors(parsed.diagnostics):
            error = f"The workflow has errors. The first: {parsed.errors[0].message}"
            return _failed(unit, "invalid-workflow", error), ()
        return await self._run(unit, parsed.workflow, prompts)

    async def _run(self, unit: Unit, workflow: Workflow, prompts: Prompts) -> tuple[Outcome, Sequence[Event]]:
        recorder, llm = Recorder(), Repeated(self._llm, unit.repeat)
        result = await interpret(
            workflow, unit.task.task, llm, self._toolbox, policy=self._policy, observer=recorder, prompts=prompts
        )  # fmt: skip
        if result.stop == "model-error" and isinstance(llm.failure, GONE):
            await _ask_for_a_word(self._llm)
        steps = sum(event.kind == "step_finished" for event in recorder.events)
        outcome = _failed(unit, result.stop, f"{result.error} {result.hint}".strip())
        outcome = outcome.model_copy(update={"steps": steps, "totals": result.totals, "answer": result.answer})
        return await self._scored(unit, outcome), recorder.events

    async def _scored(self, unit: Unit, outcome: Outcome) -> Outcome:
        """With the suite's score, where the run reached its end. A scorer that fails costs the run its score."""
        if outcome.stop != "terminal":
            return outcome
        try:
            score = await self._suite.score(unit.task, outcome.answer)
        except (BudgetExceeded, *GONE):
            raise  # a judge is gone, or ran out of what it may take: nothing about this answer
        except Exception as error:  # a scorer may be anybody's code
            return outcome.model_copy(update={"error": f"The scorer failed: {type(error).__name__}: {error}"[:2000]})
        return outcome.model_copy(
            update={"score": score.value, "parts": dict(score.parts), "error": "", "expected": score.expected,
                    "pending": score.pending, "judge": score.totals}
        )  # fmt: skip


async def _ask_for_a_word(llm: LLM) -> None:
    """Raises ModelError: it is gone. Any other answer, a refusal too, shows that somebody is there."""
    options = Options(temperature=1.0, seed=None, max_tokens=8, label="whether it is there")  # never from a cache
    try:
        await llm.complete([Message("user", "Say yes.")], options)
    except GONE:
        raise
    except ModelError:
        return


def _failed(unit: Unit, stop: StopReason, error: str) -> Outcome:
    return Outcome(
        candidate=unit.candidate, task=unit.task.id, split=unit.split, repeat=unit.repeat, round=unit.round, score=0.0,
        stop=stop, error=error, at=time.time(),
    )  # fmt: skip


class Repeated(Wrapper):
    """Asks with another seed, and another key of the cache, at each repeat. Keeps why the last call failed."""

    def __init__(self, inner: LLM, repeat: int) -> None:
        super().__init__(inner)
        self._repeat = repeat
        self.failure: ModelError | None = None

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        seed = None if options.seed is None else options.seed + SEEDS_A_REPEAT * self._repeat
        try:
            return await self.inner.complete(messages, replace(options, seed=seed, repeat=self._repeat), on_token)
        except ModelError as error:
            self.failure = error
            raise
