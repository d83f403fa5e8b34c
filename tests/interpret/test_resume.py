"""Pause, resume, fork, cancel: what is durable, and that nothing happens twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import ModelUnavailable
from autoflow.interpret import Paused, Recorder, RunState, fork, interpret, totals, whole_visits
from autoflow.lang.workflow import Workflow
from autoflow.llm.base import Completion, Message, Options, Usage
from autoflow.records import STOP_WORDS, Event, RunPolicy
from autoflow.tools import Toolbox, tool
from tests.interpret.fakes import LINE, LOOP, Script, calls, flow, run, said, task
from tests.lang.workflows import sound


class Durable(Recorder):
    """Keeps what was made durable apart from what was only seen; may pause or fail after some visits."""

    def __init__(self, pause_after: int | None = None) -> None:
        super().__init__()
        self.saved: list[Event] = []
        self.lost: list[Event] = []
        self.batches: list[list[Event]] = []
        self._pause_after = pause_after

    async def step_done(self, events: Sequence[Event]) -> None:
        self.saved += events
        self.batches.append(list(events))

    def should_pause(self) -> bool:
        return self._pause_after == len(self.batches)

    def aborted(self, events: Sequence[Event]) -> None:
        self.lost += events


async def test_every_event_reaches_exactly_one_place_in_order() -> None:
    seen = Durable()
    ran = await run(LINE, "a", "b", observer=seen)
    assert [*seen.saved, *ran.result.events] == seen.events
    assert [batch[-1].kind for batch in seen.batches] == ["step_finished", "step_finished"]
    assert seen.batches[0][0].kind == "run_started"
    assert [e.kind for e in ran.result.events] == ["run_finished"]


async def test_pause_comes_between_steps_and_resume_goes_on_behind_it() -> None:
    first = Durable(pause_after=1)
    with pytest.raises(Paused):
        await run(LINE, "a", observer=first)
    ran = await run(LINE, "b", history=first.saved)
    assert (ran.result.stop, ran.result.answer, ran.llm.calls) == ("terminal", "b", 1)
    assert "A: a" in ran.llm.prompt()
    assert ran.result.totals.calls == 2
    assert [e.kind for e in ran.events].count("run_started") == 1


async def test_half_a_visit_is_done_again_and_counted_once() -> None:
    first = Recorder()
    await run(LINE, "a", ModelUnavailable("gone"), observer=first)
    ran = await run(LINE, "b", history=first.events)
    assert ran.result.totals.calls == 2
    assert ran.of("step_entered")[-1].visit == 2


async def test_run_that_has_ended_ends_again_without_a_call() -> None:
    first = await run(LINE, "a", "b")
    again = await run(LINE, "x", history=whole_visits(first.events))
    assert (again.result.stop, again.result.answer, again.llm.calls) == ("terminal", "b", 0)


async def test_time_of_earlier_parts_counts_against_the_limit() -> None:
    first = await run(LINE, "a", ModelUnavailable("gone"))
    spent = [
        e.model_copy(update={"data": {**e.data, "seconds": 100.0}}) if e.kind == "step_finished" else e
        for e in first.events
    ]
    ran = await run(LINE, "b", history=spent, max_time_s=50)
    assert (ran.result.stop, ran.llm.calls) == ("max-time", 0)


async def test_cancel_hands_over_the_unfinished_visit_with_what_was_said() -> None:
    seen = Durable()
    script = Script(["a b c d"], latency_s=0.05)
    work = asyncio.create_task(run(LINE, llm=script, observer=seen))
    await asyncio.sleep(0.12)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert [e.kind for e in seen.lost] == ["run_started", "step_entered", "prompt", "reply"]
    assert seen.lost[-1].data["finish"] == "cut"
    assert "a b c d".startswith(seen.lost[-1].data["text"].strip())


async def test_cancel_in_a_tool_call_keeps_the_call() -> None:
    @tool
    async def forever() -> str:
        """Never ends."""
        await asyncio.sleep(60)
        return ""

    seen = Durable()
    work = asyncio.create_task(run(LINE, calls(("forever", "{}")), tools=[forever], observer=seen))
    await asyncio.sleep(0.05)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert seen.lost[-1].kind == "tool_call"


async def test_fork_goes_on_from_before_a_visit_with_another_model() -> None:
    first = await run(LOOP, "one", '{"branch": "again"}', "two", '{"branch": "enough"}', "end")
    ran = await run(LOOP, '{"branch": "enough"}', "other end", history=fork(first.events, 4))
    assert ran.steps == ["Work", "Check", "Work", "Check", "End"]
    assert ran.result.answer == "other end"
    assert (ran.llm.calls, ran.result.totals.calls) == (2, 5)


async def test_fork_before_the_first_visit_begins_anew() -> None:
    first = await run(LINE, "a", "b")
    assert fork(first.events, 1) == []


async def test_fork_may_go_on_in_an_edited_workflow() -> None:
    first = await run(LINE, "a", "b")
    edited = flow("A|process|Read.|next>B", "B|process|Think.|next>C", "C|terminal|Answer.")
    ran = await run(edited, "thought", "answer", history=fork(first.events, 2))
    assert ran.steps == ["A", "B", "C"]


async def test_error_of_the_observer_reaches_the_caller() -> None:
    class Full(Recorder):
        async def step_done(self, events: Sequence[Event]) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await run(LINE, "a", observer=Full())


# -- random workflows, random replies

REPLIES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "yes", "no", "maybe", "yes no", '{"branch": "yes"}', '{"branch": "no', "<think>", "{", "[1]"]),
    st.sampled_from([("echo", "{}"), ("echo", '{"text": "hello"}'), ("echo", "no json"), ("nothing", "{}")]),
)


@tool
def echo(text: str) -> str:
    """Says what it is told."""
    return text


def scripted(replies: Sequence[object]) -> list[Completion]:
    return [calls(r) if isinstance(r, tuple) else said(str(r)) for r in replies]


class Cyclic(Script):
    """The reply depends on what is asked alone, as with a model at temperature 0."""

    async def complete(self, messages: Sequence[Message], options: Options, on_token: object = None) -> Completion:
        asked = "".join(message.content for message in messages)
        known: list[Completion] = list(self.replies)  # type: ignore[arg-type]
        reply = known[sum(asked.encode("utf-8", "replace")) % len(known)]
        return Completion(reply.text, reply.tool_calls if options.tools else (), Usage(3, 4, 0.0, 0.0))


@settings(max_examples=150, deadline=None)
@given(sound(6), st.lists(REPLIES, min_size=1, max_size=6), st.sampled_from(["all", "none", "embedding"]), st.data())
async def test_every_run_ends_and_every_prefix_of_its_visits_leads_to_the_same_end(
    workflow: Workflow, replies: list[object], memory: str, data: st.DataObject
) -> None:
    policy = RunPolicy.model_validate({"max_steps": 12, "memory": memory, "memory_tokens": 20})

    async def go(history: Sequence[Event] = ()) -> tuple[str, str, list[Event]]:
        seen = Durable()
        result = await interpret(
            workflow, task(), Cyclic(scripted(replies)), Toolbox([echo]), policy=policy, observer=seen,
            history=history, clock=lambda: 0.0,
        )  # fmt: skip
        return result.stop, result.answer, [*history, *seen.saved, *result.events]

    stop, answer, events = await go()
    assert stop in STOP_WORDS
    assert len([e for e in events if e.kind == "step_finished"]) <= 12
    last = data.draw(st.integers(0, max(e.visit for e in events)))
    prefix = whole_visits([e for e in events if e.visit <= last])
    assert await go(prefix) == (stop, answer, events)
    assert totals(events).calls == RunState(events).totals.calls == sum(e.kind == "reply" for e in events)
