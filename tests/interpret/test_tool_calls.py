"""Tools in a step: native calls, structured replies, and everything a model can do wrong with them."""

from __future__ import annotations

import asyncio
import json

import pytest

from autoflow.errors import ToolsUnsupported
from autoflow.interpret.conversation import MAX_TOOL_CALLS
from autoflow.llm.base import Capabilities, Completion, Options
from autoflow.tools import tool
from tests.interpret.fakes import FORK, LINE, Ran, Script, calls, flow, run, said

ONE = flow("A|terminal|Add the numbers.")
NO_TOOLS = Capabilities(tools=False, schema="schema", images=False)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: the first.
        b: the second.
    """
    return a + b


@tool
def broken() -> str:
    """Always fails."""
    raise RuntimeError("the disk is on fire")


@tool
async def slow() -> str:
    """Takes its time."""
    await asyncio.sleep(60)
    return "done"


def results(ran: Ran) -> list[str]:
    return [event.data["text"] for event in ran.of("tool_result")]


async def test_native_call_takes_one_call_more_and_its_result_goes_back() -> None:
    ran = await run(ONE, calls(("add", '{"a": 2, "b": 3}')), "5", tools=[add])
    assert (ran.result.answer, ran.llm.calls) == ("5", 2)
    result = ran.llm.asked[1][0][-1]
    assert (result.role, result.content, result.tool_call_id) == ("tool", "5", "c0")
    assert ran.of("tool_call")[0].data["arguments"] == {"a": 2, "b": 3}
    assert ran.of("step_finished")[0].data["tools"] == ["add"]


async def test_several_calls_of_one_reply_are_all_answered() -> None:
    ran = await run(ONE, calls(("add", '{"a": 2, "b": 3}'), ("add", '{"a": 4, "b": 4}')), "5 and 8", tools=[add])
    assert results(ran) == ["5", "8"]
    assert [m.tool_call_id for m in ran.llm.asked[1][0] if m.role == "tool"] == ["c0", "c1"]


async def test_backend_without_tools_gives_one_structured_reply() -> None:
    script = Script(['{"tool": "add", "arguments": {"a": 2, "b": 3}}', '{"answer": "It is 5."}'], NO_TOOLS)
    ran = await run(ONE, llm=script, tools=[add])
    assert (ran.result.answer, ran.llm.calls) == ("It is 5.", 2)
    assert "Add two numbers." in ran.llm.prompt(0)
    assert ran.llm.asked[0][1].tools == ()
    assert "Result of add: 5" in ran.llm.asked[1][0][-1].content


async def test_structured_reply_may_decide_as_well() -> None:
    script = Script(
        ['{"tool": "add", "arguments": "{\\"a\\": 1, \\"b\\": 1}"}', '{"answer": "ok", "branch": "No"}', "Sorry."]
    )
    script.capabilities = NO_TOOLS
    ran = await run(FORK, llm=script, tools=[add])
    assert ran.steps == ["Ask", "Refuse"]
    assert results(ran) == ["2"]


async def test_structured_reply_that_is_no_json_is_the_answer() -> None:
    ran = await run(ONE, llm=Script(["It is five."], NO_TOOLS), tools=[add])
    assert (ran.result.answer, ran.llm.calls) == ("It is five.", 1)


async def test_refusal_of_tools_is_learned_once_and_costs_no_call() -> None:
    class Learning(Script):
        async def complete(self, messages, options, on_token=None):  # type: ignore[no-untyped-def]
            if options.tools:
                self.capabilities = NO_TOOLS
                raise ToolsUnsupported("no tools here")
            return await super().complete(messages, options, on_token)

    script = Learning(["read", '{"answer": "done"}'], Capabilities(images=False))
    ran = await run(LINE, llm=script, tools=[add])
    assert (ran.result.stop, ran.result.totals.calls) == ("terminal", 2)
    assert len(ran.of("warning")) == 1


async def test_backend_that_refuses_tools_it_was_not_given_is_a_model_error() -> None:
    ran = await run(ONE, ToolsUnsupported("no tools here"), tools=[add])
    assert ran.result.stop == "model-error"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("add", "two and three", "no JSON"),
        ("add", "[2, 3]", "no JSON object"),
        ("add", '{"a": 2}', "'b' is a required property"),
        ("add", '{"a": "two", "b": 3}', "`a`"),
        ("add", '{"a": 1, "b": 2, "c": 3}', "'c' was unexpected"),
        ("subtract", "{}", "There is no tool `subtract`"),
        ("ad", "{}", "Did you mean `add`?"),
        ("broken", "{}", "the disk is on fire"),
        ("", "", "There is no tool"),
    ],
)
async def test_fault_goes_back_to_the_model_which_may_do_better(name: str, arguments: str, words: str) -> None:
    ran = await run(ONE, calls((name, arguments)), calls(("add", '{"a": 2, "b": 3}')), "5", tools=[add, broken])
    assert (ran.result.stop, ran.result.answer) == ("terminal", "5")
    assert words in ran.llm.asked[1][0][-1].content
    assert [event.data["ok"] for event in ran.of("tool_result")] == [False, True]


@pytest.mark.parametrize("allowed", [0, 1, 2])
async def test_tool_that_keeps_failing_stops_the_run(allowed: int) -> None:
    ran = await run(ONE, calls(("broken", "{}")), tools=[broken], max_tool_errors=allowed)
    assert ran.result.stop == "tool-error"
    assert "the disk is on fire" in ran.result.error
    assert ran.llm.calls == allowed + 1


async def test_failures_are_counted_a_step() -> None:
    twice = flow("A|process|Add.|next>B", "B|terminal|Add.")
    ran = await run(
        twice, calls(("broken", "{}")), "a", calls(("broken", "{}")), "b", tools=[broken], max_tool_errors=1
    )
    assert ran.result.stop == "terminal"


async def test_endless_calling_of_tools_is_bounded_and_then_answered_without() -> None:
    def reply(messages: object, options: Options) -> Completion:
        return calls(("add", '{"a": 1, "b": 1}')) if options.tools else said("I stop.")

    ran = await run(ONE, reply, tools=[add])
    assert ran.result.answer == "I stop."
    assert ran.llm.calls == MAX_TOOL_CALLS + 1
    assert any("as many as a visit may" in event.data["message"] for event in ran.of("warning"))


async def test_calls_beyond_the_bound_in_one_reply_are_answered_but_not_carried_out() -> None:
    many = calls(*[("add", '{"a": 1, "b": 1}')] * (MAX_TOOL_CALLS + 5))
    ran = await run(ONE, many, "done", tools=[add])
    assert len(ran.of("tool_result")) == MAX_TOOL_CALLS
    assert ran.llm.prompt(1).count("Result of add: 2") == MAX_TOOL_CALLS
    assert ran.llm.prompt(1).count("Result of add: Not carried out") == 5


async def test_where_no_tools_are_offered_their_earlier_calls_are_told_in_words() -> None:
    ran = await run(FORK, calls(("add", '{"a": 2, "b": 3}')), "Hmm.", "No", "Sorry.", tools=[add])
    assert ran.steps == ["Ask", "Refuse"]
    retry, options = ran.llm.asked[2]
    assert options.tools == ()
    assert not any(m.tool_calls or m.role == "tool" for m in retry)
    assert "Result of add: 5" in ran.llm.prompt(2)


async def test_tool_that_hangs_is_given_up() -> None:
    ran = await run(ONE, calls(("slow", "{}")), "without it", tools=[slow], tool_timeout_s=0.05)
    assert "did not return within 0.05 s" in results(ran)[0]
    assert ran.result.stop == "terminal"


async def test_max_time_ends_a_tool_call() -> None:
    ran = await run(ONE, calls(("slow", "{}")), tools=[slow], max_time_s=0.2)
    assert ran.result.stop == "max-time"


async def test_decision_is_not_constrained_while_tools_are_offered() -> None:
    ran = await run(FORK, "Yes", "Done.", tools=[add])
    assert ran.llm.asked[0][1].constraint is None
    assert ran.steps == ["Ask", "Pay"]


async def test_result_is_told_to_later_steps_as_an_observation() -> None:
    ran = await run(LINE, calls(("add", '{"a": 2, "b": 3}')), "fine", "end", tools=[add])
    last = ran.llm.asked[-1][0][-1].content
    assert '[o1] add {"a": 2, "b": 3}: 5' in last
    assert ran.of("memory_choice")[0].data["chosen"] == ["o1"]


async def test_empty_reply_is_asked_for_once_more_then_kept_with_a_warning() -> None:
    ran = await run(LINE, "", "second", "")
    assert [e.data["answer"] for e in ran.of("step_finished")] == ["second", ""]
    assert ran.llm.calls == 4
    assert ran.result.stop == "terminal"
    assert "`B`" in ran.of("warning")[-1].data["message"]


async def test_thinking_is_kept_in_the_reply_and_not_in_the_answer() -> None:
    ran = await run(ONE, "<think>Two and three.</think>5")
    assert ran.result.answer == "5"
    assert ran.of("reply")[0].data["text"].startswith("<think>")


async def test_cut_reply_is_flagged_with_its_cause() -> None:
    ran = await run(ONE, Completion("red, blue, " * 300, finish="length"))
    assert "it repeated itself" in ran.of("warning")[0].data["message"]


async def test_every_prompt_part_says_where_it_came_from() -> None:
    ran = await run(LINE, calls(("add", '{"a": 2, "b": 3}')), "fine", "end", tools=[add])
    sources = [[part["source"] for part in event.data["parts"]] for event in ran.of("prompt")]
    assert sources == [
        ["role", "objective", "step"],
        ["role", "objective", "step", "reply", "result"],
        ["role", "objective", "progress", "observations", "step"],
    ]
    json.dumps([event.model_dump(mode="json") for event in ran.events])
