"""A run as people look at it: its visits, folded from the events, for pages and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from autoflow.interpret.replies import visible
from autoflow.interpret.visit import usage
from autoflow.records import Event, Json, PictureRef, Run


@dataclass(frozen=True, slots=True)
class CallView:
    """One model call, or the wish for one that was refused or broken off."""

    number: int  # in the visit, from 1
    purpose: str  # step, memory, retry; empty where no reply came
    parts: tuple[Json, ...]  # {"source", "role", "text"}
    tools: tuple[str, ...]  # offered natively
    constraint: str | None
    reply: Json | None  # the data of the `reply` event


@dataclass(frozen=True, slots=True)
class ToolView:
    """One tool call and what came of it."""

    name: str
    arguments: object  # an object, or the text that was none
    ok: bool | None  # None: no result came
    text: str
    seconds: float | None
    by: str = ""  # what did the work, where a tool can be done by several
    took: tuple[PictureRef, ...] = ()
    made: tuple[PictureRef, ...] = ()


@dataclass(frozen=True, slots=True)
class StepView:
    """One visit to one step."""

    visit: int
    step: str
    type: str
    instruction: str
    finished: bool
    answer: str  # of an unfinished visit: what the model had said so far
    branch: str | None = None
    target: str | None = None
    how: str | None = None  # see `branch_taken`
    why: str = ""  # the reason in a sentence, and how the branch was read
    calls: tuple[CallView, ...] = ()
    tools: tuple[ToolView, ...] = ()
    memory: Json | None = None  # the data of the `memory_choice` event
    warnings: tuple[Json, ...] = ()
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    cost_usd: float | None = 0.0
    seconds: float | None = None  # None: not finished
    cached: int = field(default=0)  # of the calls: answered from the disk


HOW_WORDS = {
    "grammar": "only its branches could be answered",
    "schema": "the endpoint promised one of the choices",
    "read": "read from the reply",
    "default": "the default branch of the policy",
    "only": "the only branch",
}


def views(events: Iterable[Event]) -> list[StepView]:
    """The visits of a run in order; the last may be unfinished. Events of visit 0 and tokens are left out."""
    visits: dict[int, list[Event]] = {}
    for event in events:
        if event.visit > 0 and event.kind != "token":
            visits.setdefault(event.visit, []).append(event)
    return [_view(number, visits[number]) for number in sorted(visits)]


def run_warnings(events: Iterable[Event]) -> list[Json]:
    """What was wrong with the run as a whole, such as a tool that could not be opened."""
    return [event.data for event in events if event.kind == "warning" and event.visit == 0]


def run_json(run: Run, events: Iterable[Event]) -> Json:
    """What `autoflow run --json` prints. A sum that lacks a part is null: unknown is not less."""
    totals = run.totals
    counted = not totals.unknown_tokens
    return {
        "run_id": run.id,
        "stop": run.stop,
        "answer": run.answer,
        "steps": [_step_json(view) for view in views(events)],
        "usage": {
            "calls": totals.calls,
            "cached": totals.cached,
            "prompt_tokens": totals.prompt_tokens if counted else None,
            "completion_tokens": totals.completion_tokens if counted else None,
            "cost_usd": totals.cost_usd,
            "seconds": totals.seconds,
        },
    }


def _step_json(view: StepView) -> Json:
    return {
        "visit": view.visit,
        "step": view.step,
        "type": view.type,
        "answer": view.answer,
        "branch": view.branch,
        "tools": [tool.name for tool in view.tools],
        "calls": sum(1 for call in view.calls if answered(call)),
        "prompt_tokens": view.prompt_tokens,
        "completion_tokens": view.completion_tokens,
        "seconds": view.seconds,
    }


def answered(call: CallView) -> bool:
    """Whether the call counts as one: a backend answered it whole."""
    return call.reply is not None and call.reply["finish"] != "cut"


def _view(number: int, events: Sequence[Event]) -> StepView:
    data = {event.kind: event.data for event in events}
    entered, taken, finished = data.get("step_entered", {}), data.get("branch_taken", {}), data.get("step_finished")
    calls, sums = _calls(events), usage(list(events))
    return StepView(
        visit=number, step=entered.get("step", ""), type=entered.get("type", ""),
        instruction=entered.get("instruction", ""), finished=finished is not None,
        answer=finished["answer"] if finished else _so_far(calls),
        branch=taken.get("key"), target=taken.get("target"), how=taken.get("how"), why=_why(taken, finished),
        calls=calls, tools=_tools(events), memory=data.get("memory_choice"),
        warnings=tuple(event.data for event in events if event.kind == "warning"),
        prompt_tokens=sums["prompt_tokens"], completion_tokens=sums["completion_tokens"], cost_usd=sums["cost_usd"],
        seconds=finished["seconds"] if finished else None,
        cached=sum(1 for call in calls if call.reply is not None and call.reply["cached"]),
    )  # fmt: skip


def _calls(events: Sequence[Event]) -> tuple[CallView, ...]:
    replies = {event.data["call"]: event.data for event in events if event.kind == "reply"}
    return tuple(
        CallView(
            number=(call := event.data["call"]), purpose=replies[call]["purpose"] if call in replies else "",
            parts=tuple(event.data["parts"]), tools=tuple(event.data["tools"]), constraint=event.data["constraint"],
            reply=replies.get(call),
        )
        for event in events
        if event.kind == "prompt"
    )  # fmt: skip


def _tools(events: Sequence[Event]) -> tuple[ToolView, ...]:
    """Calls and results meet in their order: ids come from models, which may give one twice."""
    results = iter([event.data for event in events if event.kind == "tool_result"])
    return tuple(_tool(event.data, next(results, None)) for event in events if event.kind == "tool_call")


def _tool(call: Json, result: Json | None) -> ToolView:
    if result is None:
        return ToolView(call["name"], call["arguments"], None, "", None)
    took, made = (tuple(map(PictureRef.model_validate, result.get(key, ()))) for key in ("took", "made"))
    return ToolView(
        call["name"], call["arguments"], result["ok"], result["text"], result["seconds"], result.get("by", ""), took,
        made,
    )  # fmt: skip


def _so_far(calls: Sequence[CallView]) -> str:
    last = calls[-1].reply if calls else None
    return visible(last["text"]) if last else ""


def _why(taken: Json, finished: Json | None) -> str:
    how = taken.get("how")
    if how is None or how == "only":
        return ""
    reason = finished["answer"] if finished else ""
    said = f"{reason} " if reason and reason != taken["key"] else ""
    return f"{said}({HOW_WORDS[how]})"
