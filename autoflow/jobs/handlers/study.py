"""Kind `study`: search for a better workflow, or score given ones, durable in single runs.

Result: {"study_id", "stop"}. A model that cannot be opened, or is gone in the middle, fails the job, which can be
resumed when that is mended.

Live data: {"status": what a model waits for, "round", "doing": words}.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from autoflow.evaluate import MakeEvaluator
from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.handlers.models import opened
from autoflow.jobs.payloads import StudyPayload, payload_of
from autoflow.llm.base import LLM
from autoflow.llm.wrappers.cache import always_cached
from autoflow.optimize.base import Counting, Workshop
from autoflow.optimize.loop import Search, score_given
from autoflow.optimize.methods import open_optimizer
from autoflow.optimize.running import Halted, Runner
from autoflow.optimize.view import StudyView
from autoflow.records import Event, Json
from autoflow.study import TEST_RUNS, StudyBatch, StudySpec, StudyStop, TrainingStep
from autoflow.suites.base import Suite
from autoflow.suites.registry import open_suite
from autoflow.tools.opening import open_toolbox


async def handle(context: JobContext, ray: str = "") -> Json:
    """Returns {"study_id", "stop"}.

    Args:
        ray: the cluster that carries out the runs, `auto` or HOST:PORT; empty: this process does.
    """
    view = await asyncio.to_thread(_loaded, context, payload_of(context.job, StudyPayload).study_id)
    study = view.study
    if study.stop is not None and study.best is not None:
        return {"study_id": study.id, "stop": study.stop}
    sink = JobSink(context, view)
    try:
        async with models(context, study.spec) as (generator, interpreter, judge):
            suite = await asyncio.to_thread(open_suite, study.spec.suite, saved=context.store.get_suite, judge=judge)
            async with _evaluators(context, study.spec, interpreter, ray) as evaluator:
                stop = await _carry_out(context, view, suite, sink, generator, interpreter, evaluator)
    except Halted as halted:
        await _pause(context, halted)
    return {"study_id": study.id, "stop": stop}


async def _carry_out(
    context: JobContext, view: StudyView, suite: Suite, sink: JobSink, generator: LLM | None, interpreter: LLM,
    evaluator: MakeEvaluator | None,
) -> StudyStop:  # fmt: skip
    async with open_toolbox(tuple(suite.tools), llm=interpreter) as toolbox:
        runner = Runner(view, suite, interpreter, toolbox, sink, evaluator)
        if generator is None:
            return await score_given(view, runner, sink)

        async def traces(candidate: int, task: str, repeat: int) -> Sequence[Event]:
            return await asyncio.to_thread(context.store.outcome_events, view.study.id, candidate, task, repeat)

        async def trained(after: int) -> Sequence[TrainingStep]:
            return await asyncio.to_thread(context.store.training_steps, view.study.id, after)

        shop = Workshop(
            view, suite, Counting(generator), Counting(interpreter), toolbox, traces, sink.show, sink.seconds,
            sink.pause_wanted, trained,
        )  # fmt: skip
        optimizer = open_optimizer(view.study.spec)
        try:
            return await Search(shop, optimizer, runner, sink).run()
        finally:
            await optimizer.aclose()


@asynccontextmanager
async def _evaluators(
    context: JobContext, spec: StudySpec, interpreter: LLM, ray: str
) -> AsyncIterator[MakeEvaluator | None]:
    """What carries out runs on a cluster; None where this process does. Proposing stays here either way."""
    if not ray:
        yield None
        return
    from autoflow.cluster.opening import cluster_for

    context.live(status="Joining the cluster")
    store = context.store
    async with cluster_for(
        ray, spec.suite, interpreter, spec.interpreter, spec.judge, spec.policy, saved=store.get_suite,
        connections=store.get_connection,
    ) as made:  # fmt: skip
        context.live(status="")
        yield made


async def _pause(context: JobContext, halted: Halted) -> None:
    """End as paused. Where nobody asked for it (answers wait for a person), ask for it first. Raises Paused."""
    if halted.waiting:
        words = f"{halted.waiting} answers wait for your rating; resume when they are rated."
        await context.checkpoint(message=words)
        await asyncio.to_thread(context.store.request, context.job.id, "pause")
    raise Paused


def _loaded(context: JobContext, study_id: str) -> StudyView:
    store = context.store
    outcomes = [outcome for _, outcome in store.study_outcomes(study_id)]
    return StudyView(store.get_study(study_id), store.study_candidates(study_id), outcomes)


@asynccontextmanager
async def models(context: JobContext, spec: StudySpec) -> AsyncIterator[tuple[LLM | None, LLM, LLM | None]]:
    """Generator (None where nothing is proposed), interpreter and judge; one that has two parts is opened once.

    All answer from the cache what they answered before: what a crash lost is not paid twice.
    """
    names = ["" if spec.method == "evaluate" else spec.generator, spec.interpreter, spec.judge]
    async with AsyncExitStack() as stack:
        found: dict[str, LLM] = {}
        for name in dict.fromkeys(filter(None, names)):
            llm = await stack.enter_async_context(opened(context, name))
            found[name] = always_cached(llm)
            if found[name] is not llm:
                stack.push_async_callback(found[name].aclose)
        generator, interpreter, judge = (found.get(name) for name in names)
        assert interpreter is not None
        yield generator, interpreter, judge


class JobSink:
    """What a search keeps goes into the checkpoints of its job."""

    def __init__(self, context: JobContext, view: StudyView) -> None:
        self._context = context
        self._view = view
        self._before = view.study.seconds
        self._began = time.monotonic()

    async def keep(self, batch: StudyBatch, message: str = "") -> None:
        done, total, unit = self._progress(batch)
        await self._context.checkpoint(study=batch, done=done, total=total, unit=unit, message=message or None)

    def show(self, words: str) -> None:
        self._context.live(doing=words, round=self._view.study.rounds + 1)

    def pause_wanted(self) -> bool:
        return self._context.paused_wanted

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _progress(self, batch: StudyBatch) -> tuple[float, float, str]:
        study = self._view.study
        spec = study.spec
        if spec.method == "evaluate":
            runs = len(self._view.candidates) * len(study.splits[spec.split]) * spec.repeats
            return len(self._view.all_outcomes()), runs, "runs"
        if batch.stop is None and (study.test_uses or batch.test_uses):
            return self._tested(batch)
        rounds = study.rounds if batch.rounds is None else batch.rounds
        return rounds, spec.budget.max_rounds, "rounds"

    def _tested(self, batch: StudyBatch) -> tuple[float, float, str]:
        """How far the sealed test is: rounds say nothing of it, and it may take longer than they did."""
        tested = [c for c in self._view.tested() if not c.error]
        study = self._view.study
        done = sum(len(self._view.outcomes(c.number, "test")) for c in tested)
        return done, len(tested) * len(study.splits["test"]) * study.spec.repeats, TEST_RUNS
