"""The interpreter: carries out a workflow on a task, step by step, with a language model."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from autoflow.errors import StoreError
from autoflow.interpret.embedding import best_embedder
from autoflow.interpret.memory import Embedder
from autoflow.interpret.observer import Observer, Paused, Recorder
from autoflow.interpret.prompting import Prompts
from autoflow.interpret.run import Clock, Run, Stop, steady_clock
from autoflow.interpret.state import RunState, whole_visits
from autoflow.interpret.visit import carry_out
from autoflow.lang import check, format_workflow, has_errors
from autoflow.lang.workflow import Step, Workflow
from autoflow.llm.base import LLM, Image
from autoflow.records import Event, RunPolicy, StopReason, Task, Totals
from autoflow.tools.base import AddFile, ToolContext, no_store
from autoflow.tools.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    stop: StopReason
    answer: str  # of the terminal; empty where none was reached
    error: str  # the sentence that goes with the stop; empty where the run reached its end
    hint: str  # what to do about it
    totals: Totals
    events: tuple[Event, ...]  # what no `step_done` was given: those of the unfinished visit, `run_finished` last


def _no_files(sha256: str) -> bytes:
    raise FileNotFoundError(f"There is no file store in this run, so {sha256} cannot be read.")


async def interpret(
    workflow: Workflow, task: Task, llm: LLM, toolbox: Toolbox, *, policy: RunPolicy | None = None,
    observer: Observer | None = None, history: Sequence[Event] = (), clock: Clock | None = None,
    read_file: Callable[[str], bytes] = _no_files, add_file: AddFile = no_store, embedder: Embedder | None = None,
    prompts: Prompts | None = None,
) -> RunResult:  # fmt: skip
    """Carry out a workflow. Whatever models and tools do ends in one of the stop reasons.

    Args:
        history: events of an earlier part of this run (resume) or of another run (fork): its whole visits are taken
            as done, and the run goes on behind them.
        clock: seconds since 1970, for tests; must not jump.
        read_file: content of file and image inputs, by sha256.
        add_file: keeps the pictures that tools make.
        embedder: for memory over its limit of tokens; default the best one at hand.
        prompts: read before, for many runs together; default the files as they are now.
    A task that is cancelled hands its unfinished visit to `Observer.aborted`; the stop `cancelled` is for whoever
    cancelled it to write down.

    Raises: Paused (see `Observer.should_pause`); SettingsError: a prompt file of the user is broken; and what the
        observer raises.
    """
    past = whole_visits(history)
    run = Run(
        workflow, llm, toolbox, policy or RunPolicy(), observer or Recorder(), ToolContext(task, read_file, add_file),
        clock or steady_clock(), RunState(past), prompts or Prompts(),
    )  # fmt: skip
    if not any(event.kind == "run_started" for event in past):
        _start(run)
    try:
        _refuse_errors(workflow)
        await _load_images(run)
        await _steps(run, cache(lambda: embedder or best_embedder()))
    except Stop as stop:
        return _result(run, stop)
    except asyncio.CancelledError:
        run.observer.aborted(run.pending)
        raise
    raise AssertionError("a run ends by Stop alone")


def _start(run: Run) -> None:
    run.emit("run_started", objective=run.context.task.objective, model=run.llm.name,
             policy=run.policy.model_dump(mode="json"), workflow_sha256=_sha256(run.workflow))  # fmt: skip
    for problem in run.toolbox.problems:
        run.warn(problem.message, problem.hint)
    unseen = [f"`{item.name}`" for item in run.context.task.inputs if item.kind == "image"]
    if unseen and run.llm.capabilities.images is False:
        told = f"The model cannot look at pictures: of {', '.join(unseen)} it is told the name alone."
        run.warn(told, "Choose one that can, or give the input as text.")


def _refuse_errors(workflow: Workflow) -> None:
    """Raises Stop: a workflow with errors is not run, so it costs nothing."""
    if _is_fine(workflow):
        return
    errors = [found for found in check(workflow) if found.severity == "error"]
    if errors:
        first = errors[0]
        count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        message = f"The workflow has {count} and was not run. Line {first.line}: {first.message.rstrip('.')}."
        raise Stop("invalid-workflow", message, "Mend it, then run it again.")


@lru_cache(maxsize=64)
def _is_fine(workflow: Workflow) -> bool:
    """Remembered, because a study runs the same workflow on many tasks."""
    return not has_errors(check(workflow))


async def _load_images(run: Run) -> None:
    """Have the pictures of the task at hand, where the model may be able to look at them."""
    if run.llm.capabilities.images is False:
        return
    for item in run.context.task.inputs:
        if item.kind == "image" and item.sha256:
            try:
                data = await asyncio.to_thread(run.context.read_file, item.sha256)
            except (StoreError, OSError) as error:
                run.warn(f"The picture `{item.name}` cannot be read: {error}", "The model is told its name alone.")
            else:
                run.images[item.name] = Image(item.media_type or "image/png", data)


@lru_cache(maxsize=64)
def _sha256(workflow: Workflow) -> str:
    """Of the canonical text, so that how it was typed does not matter."""
    return hashlib.sha256(format_workflow(workflow).encode("utf-8", "surrogatepass")).hexdigest()


async def _steps(run: Run, embedder: Callable[[], Embedder]) -> None:
    """Visit after visit until something raises Stop."""
    while True:
        step = _next(run)
        if run.observer.should_pause():
            raise Paused
        run.check_limits()
        run.visit, run.step, run.visit_calls = run.state.finished_visits + 1, step, 0
        await carry_out(run, step, embedder)
        run.visit, run.step = 0, None
        done, run.pending = run.pending, []
        await run.observer.step_done(done)
        await asyncio.sleep(0)  # others get their turn even where model and observer answer at once


def _next(run: Run) -> Step:
    """The step to visit. Raises Stop: the run is at its end, or there is no such step."""
    state, policy = run.state, run.policy
    if state.ended:
        raise Stop("terminal")
    if state.finished_visits >= policy.max_steps:
        raise Stop("max-steps", f"The run reached its limit of visits to steps ({policy.max_steps:,}).",
                   "Look whether a decision keeps going back, or raise the limit to go on from here.")  # fmt: skip
    step = run.workflow.entry if state.next is None else run.workflow.find(state.next)
    if step is None:
        raise Stop("invalid-workflow", f"The run was to go on at `{state.next}`, but the workflow has no such step.",
                   "Fork the run from a step that is still there, or begin a new one.")  # fmt: skip
    return step


def _result(run: Run, stop: Stop) -> RunResult:
    run.visit, run.step = 0, None
    answer = run.state.answer if stop.reason == "terminal" else ""
    totals = run.totals()
    run.emit("run_finished", stop=stop.reason, answer=answer, error=stop.error, hint=stop.hint,
             totals=totals.model_dump(mode="json"))  # fmt: skip
    return RunResult(stop.reason, answer, stop.error, stop.hint, totals, tuple(run.pending))
