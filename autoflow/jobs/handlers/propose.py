"""Kind `propose-examples`: from a task alone, a model proposes examples, or a rubric for a judge.

Result: {"model", "totals", "examples": [{"inputs", "expected", "origin"}], "errors": [sentences]}, or {"model",
"totals", "rubric"}. Examples are durable after each reply; fewer than were asked for come with the reason, and are no
failure. The job fails where there is nothing at all.

Live data: {"status": what the model waits for, "examples": those of the reply under way}.
"""

from __future__ import annotations

import asyncio

from autoflow.generate.examples import A_CALL, Example, propose_examples, propose_rubric
from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.handlers.models import opened
from autoflow.jobs.payloads import ProposePayload, payload_of
from autoflow.llm.base import LLM
from autoflow.records import Json, Totals


async def handle(context: JobContext) -> Json:
    """Raises ModelError, BudgetExceeded: nothing could be proposed. SettingsError: there is no task."""
    asked = payload_of(context.job, ProposePayload)
    if asked.what == "rubric":
        async with opened(context, asked.model) as llm:
            rubric = await propose_rubric(asked.objective, llm, seed=asked.seed)
        return {"model": asked.model, "rubric": rubric.text, "totals": rubric.totals.model_dump()}
    work = _Examples(context, asked)
    try:
        async with opened(context, asked.model) as llm:
            await work.propose(llm)
    except asyncio.CancelledError:
        context.partial = work.told(with_live=True)
        raise
    return work.told()


class _Examples:
    """Those of one job: kept, and read from the reply under way."""

    def __init__(self, context: JobContext, asked: ProposePayload) -> None:
        kept = context.job.result or {}
        self._context = context
        self._asked = asked
        self._found = [Example.model_validate(told) for told in kept.get("examples", ())]
        self._totals = Totals.model_validate(kept.get("totals", {}))
        self._live: list[Example] = []
        self._errors: tuple[str, ...] = ()

    async def propose(self, llm: LLM) -> None:
        """Ask for a few at a time, so that a crash costs one reply. Raises Paused."""
        context, asked = self._context, self._asked
        while (left := asked.count - len(self._found)) > 0 and not self._errors:
            if context.paused_wanted:
                raise Paused
            self._live = []
            proposal = await propose_examples(
                asked.objective, llm, min(A_CALL, left), inputs=asked.inputs, known=[*asked.known, *self._found],
                seed=None if asked.seed is None else asked.seed + self._totals.calls, temperature=asked.temperature,
                on_progress=self._hear,
            )  # fmt: skip
            self._found += proposal.examples
            self._totals += proposal.totals
            if len(proposal.examples) < min(A_CALL, left):
                few = f"{len(self._found)} of {asked.count} examples were proposed."
                self._errors = (few, *proposal.errors[1:])
            self._live = []
            await context.checkpoint(
                done=len(self._found), total=asked.count, unit="examples", result=self.told()
            )  # fmt: skip

    def _hear(self, example: Example) -> None:
        self._live.append(example)
        self._context.live(examples=[one.model_dump() for one in self._live])

    def told(self, *, with_live: bool = False) -> Json:
        examples = [*self._found, *(self._live if with_live else ())]
        return {
            "model": self._asked.model, "totals": self._totals.model_dump(), "errors": list(self._errors),
            "examples": [example.model_dump() for example in examples],
        }  # fmt: skip
