"""Kind `pilot`: a few runs and one proposal, from which it is told what a study will take.

Result: {"estimate": {"calls", "tokens", "cost_usd", "seconds"}, "runs": measured, "spent": totals of the pilot}.

Live data: {"status": what a model waits for, "doing": words}.
"""

from __future__ import annotations

import asyncio

from autoflow.jobs.context import JobContext
from autoflow.jobs.handlers.study import models
from autoflow.jobs.payloads import PilotPayload, payload_of
from autoflow.optimize.estimate import Pilot
from autoflow.records import Json
from autoflow.suites.registry import open_suite
from autoflow.tools.opening import open_toolbox


async def handle(context: JobContext) -> Json:
    """Returns the result above. Raises what opening the suite and the models raises, and what a model raises."""
    spec = payload_of(context.job, PilotPayload).spec
    async with models(context, spec) as (generator, interpreter, judge):
        suite = await asyncio.to_thread(open_suite, spec.suite, saved=context.store.get_suite, judge=judge)
        async with open_toolbox(tuple(suite.tools), llm=interpreter) as toolbox:

            def show(words: str) -> None:
                context.live(doing=words)

            estimate, runs, spent = await Pilot(spec, suite, generator, interpreter, toolbox, show).measure()
    return {"estimate": estimate.model_dump(), "runs": runs, "spent": spent.model_dump()}
