"""A run as people and programs look at it."""

from __future__ import annotations

import json

from autoflow.errors import ModelUnavailable, ToolFailed
from autoflow.interpret import interpret, run_json, run_warnings, views
from autoflow.interpret.observer import Recorder
from autoflow.records import Run, RunPolicy
from autoflow.tools import Toolbox, tool
from tests.interpret.fakes import FORK, LINE, Ran, Script, calls, run, said, task


@tool
def shout(text: str) -> str:
    """Says it louder."""
    return text.upper()


def record(ran: Ran) -> Run:
    result = ran.result
    return Run(
        id="rn_000000000000", text="", task=task(), model="script", policy=RunPolicy(), stop=result.stop,
        answer=result.answer, totals=result.totals,
    )  # fmt: skip


async def test_visit_shows_prompts_replies_tools_and_branch() -> None:
    ran = await run(
        FORK, calls(("shout", '{"text": "hi"}'), ("shout", "no json")), "Broken parcel.\nYes", "Done.", tools=[shout]
    )
    first, second = views(ran.events)
    assert (first.step, first.type, first.finished, first.branch, first.target) == (
        "Ask",
        "decision",
        True,
        "Yes",
        "Pay",
    )
    assert first.why == "Broken parcel. (read from the reply)"
    assert [call.purpose for call in first.calls] == ["step", "step"]
    assert first.calls[0].parts[-1]["text"].startswith("Current step, Ask")
    assert (first.tools[0].ok, first.tools[0].text) == (True, "HI")
    assert (first.tools[1].ok, first.tools[1].arguments) == (False, "no json")
    assert (second.answer, second.memory and second.memory["chosen"]) == ("Done.", ["o1"])
    assert (first.prompt_tokens, first.completion_tokens, first.cost_usd) == (20, 20, 0.0)


async def test_unfinished_visit_is_shown_with_what_there_is() -> None:
    ran = await run(LINE, "fine", ModelUnavailable("gone"))
    last = views(ran.events)[-1]
    assert (last.step, last.finished, last.seconds, last.answer) == ("B", False, None, "")
    assert last.calls[0].reply is None


async def test_unknown_tokens_and_prices_are_shown_as_unknown() -> None:
    ran = await run(LINE, said("a", tokens=None, cost_usd=None))
    view = views(ran.events)[0]
    assert (view.prompt_tokens, view.completion_tokens, view.cost_usd) == (None, None, None)
    usage = run_json(record(ran), ran.events)["usage"]
    assert (usage["calls"], usage["prompt_tokens"], usage["cost_usd"]) == (2, None, None)


async def test_json_of_a_run_has_exactly_the_promised_shape() -> None:
    ran = await run(
        FORK, calls(("shout", '{"text": "hi"}')), '{"answer": "a", "branch": "No"}', "Sorry.", tools=[shout]
    )
    shape = json.loads(json.dumps(run_json(record(ran), ran.events)))
    assert list(shape) == ["run_id", "stop", "answer", "steps", "usage"]
    assert list(shape["usage"]) == ["calls", "cached", "prompt_tokens", "completion_tokens", "cost_usd", "seconds"]
    assert [list(step) for step in shape["steps"]] == [
        ["visit", "step", "type", "answer", "branch", "tools", "calls", "prompt_tokens", "completion_tokens", "seconds"]
    ] * 2
    first = shape["steps"][0] | {"seconds": 0}
    assert first == {
        "visit": 1, "step": "Ask", "type": "decision", "answer": "a", "branch": "No", "tools": ["shout"], "calls": 2,
        "prompt_tokens": 20, "completion_tokens": 20, "seconds": 0,
    }  # fmt: skip
    assert (shape["stop"], shape["answer"], shape["usage"]["calls"]) == ("terminal", "Sorry.", 3)


async def test_views_of_the_whole_are_the_sums_of_step_finished() -> None:
    ran = await run(FORK, "Maybe", "No", "Sorry.")
    for view, event in zip(views(ran.events), ran.of("step_finished"), strict=True):
        assert (view.prompt_tokens, view.completion_tokens) == (
            event.data["prompt_tokens"], event.data["completion_tokens"],
        )  # fmt: skip
        assert len(view.calls) == event.data["calls"]


async def test_tools_that_could_not_be_opened_are_warnings_of_the_run() -> None:
    seen = Recorder()
    box = Toolbox([], [ToolFailed("The MCP server `files` did not start.", "Look.")])
    await interpret(LINE, task(), Script(["a", "b"]), box, observer=seen)
    assert run_warnings(seen.events) == [{"message": "The MCP server `files` did not start.", "hint": "Look."}]
    assert [view.warnings for view in views(seen.events)] == [(), ()]
