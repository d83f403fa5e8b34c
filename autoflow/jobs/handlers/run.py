"""Kind `run`: carry out a workflow, durable in whole visits, and write the run's end with the job's.

A run that stops short (a limit, a model that cannot answer) is a job that is `done`: its stop reason says how. To go on
with it: `store.reopen_run(id)` and a new job. `failed` is left for what should not happen.

Live data: {"status": what the model waits for, "visit", "step", "events": of the visit under way, "text": of the
reply under way}.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from autoflow.errors import DownloadError, ModelError, SettingsError, ToolError
from autoflow.interpret.events import event
from autoflow.interpret.interpreter import RunResult, interpret
from autoflow.interpret.observer import Paused as InterpreterPaused
from autoflow.interpret.state import RunState
from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.handlers.models import opened
from autoflow.jobs.payloads import RunPayload, payload_of
from autoflow.lang import has_errors, parse
from autoflow.records import Event, Json, Run, StopReason, Totals
from autoflow.store.base import RunEnd
from autoflow.tools.opening import open_toolbox

SHOWN_TEXT = 20_000  # characters of a streaming reply that are shown live: its end
SHOWN_PART = 2_000  # characters of each part of a prompt that are shown live


async def handle(context: JobContext) -> Json:
    """Returns {"run_id", "stop"}."""
    store = context.store
    run = await asyncio.to_thread(store.get_run, payload_of(context.job, RunPayload).run_id)
    if run.stop is None:
        history = [e for _, e in await asyncio.to_thread(store.run_events, run.id)]
        context.run_end = await _carry_out(context, run, history)
        return {"run_id": run.id, "stop": context.run_end.stop}
    return {"run_id": run.id, "stop": run.stop}


async def _carry_out(context: JobContext, run: Run, history: Sequence[Event]) -> RunEnd:
    parsed = parse(run.text)
    if has_errors(parsed.diagnostics):
        return _invalid(run, len(parsed.errors))
    observer = _Watcher(context, run, history)
    result: RunResult | None = None
    try:
        async with opened(context, run.model) as llm, open_toolbox(run.task.tools, llm=llm) as toolbox:
            result = await interpret(
                parsed.workflow, run.task, llm, toolbox, policy=run.policy, observer=observer, history=history,
                read_file=context.store.read_file, add_file=context.store.add_file,
            )  # fmt: skip
    except (ModelError, SettingsError, DownloadError) as error:  # it could not be opened: told as if it did not answer
        return _not_begun(run, history, "model-error", str(error))
    except ToolError as error:  # the task names a tool that is not here
        return _not_begun(run, history, "tool-error", str(error))
    except InterpreterPaused:
        raise Paused from None
    except asyncio.CancelledError:
        if not context.cancel_wanted:
            raise
        if result is None:
            context.run_end = observer.cancelled()
            raise
        # It had ended, and only its tools or its model took long to close: what is done is done.
    assert result is not None
    return _end(run, result)


class _Watcher:
    """The observer of one run: shows what happens, and makes finished visits durable."""

    def __init__(self, context: JobContext, run: Run, history: Sequence[Event]) -> None:
        self._context = context
        self._run = run
        self._state = RunState(history)
        self._visit: list[Json] = []  # events of the visit under way, as shown
        self._text = ""
        self._pending: Sequence[Event] = ()

    def live(self, event: Event) -> None:
        if event.kind == "token":
            piece = event.data["text"]
            self._text = (self._text + piece)[-SHOWN_TEXT:] if piece else ""
        else:
            self._visit.append(_shown(event))
        if event.kind == "step_entered":
            self._context.live(visit=event.visit, step=event.data["step"])
        if event.kind == "reply":
            self._text = ""  # from here on it is in the event
        self._context.live(events=list(self._visit), text=self._text)

    async def step_done(self, events: Sequence[Event]) -> None:
        for done in events:
            self._state.apply(done)
        self._visit, self._text = [], ""
        await self._context.checkpoint(
            run_id=self._run.id, events=events, done=self._state.finished_visits, total=self._run.policy.max_steps,
            unit="steps", message=f"{events[-1].data.get('step', '')} done",
        )  # fmt: skip

    def should_pause(self) -> bool:
        return self._context.paused_wanted

    def aborted(self, events: Sequence[Event]) -> None:
        self._pending = tuple(events)
        for event_ in events:
            self._state.apply(event_)

    def cancelled(self) -> RunEnd:
        """The end of a run that a person stopped, with what the model had said so far."""
        totals = self._state.totals
        finished = _finished("cancelled", "", totals)
        return RunEnd(self._run.id, "cancelled", "", "", totals, (*self._pending, finished))


def _end(run: Run, result: RunResult) -> RunEnd:
    error = f"{result.error} {result.hint}".strip()
    return RunEnd(run.id, result.stop, result.answer, error, result.totals, result.events)


def _not_begun(run: Run, history: Sequence[Event], stop: StopReason, error: str) -> RunEnd:
    """What the run needs could not be opened; it can go on once that is mended."""
    totals = RunState(history).totals
    return RunEnd(run.id, stop, "", error, totals, (_finished(stop, error, totals),))


def _invalid(run: Run, errors: int) -> RunEnd:
    """A workflow with errors is not run: no call is made."""
    error = f"The workflow has {errors} error{'s' if errors > 1 else ''}. Mend it on the page Write, then run it again."
    finished = _finished("invalid-workflow", error, Totals())
    return RunEnd(run.id, "invalid-workflow", "", error, Totals(), (finished,))


def _finished(stop: str, error: str, totals: Totals) -> Event:
    told = totals.model_dump(mode="json")
    return event("run_finished", 0, time.time(), stop=stop, answer="", error=error, hint="", totals=told)


def _shown(happened: Event) -> Json:
    """An event as it is shown live: prompts are cut, as they may be long and are written again and again."""
    told = happened.model_dump(mode="json")
    if happened.kind == "prompt":
        parts = [{**part, "text": part["text"][:SHOWN_PART]} for part in told["data"]["parts"]]
        told["data"] = {**told["data"], "parts": parts}
    return told
