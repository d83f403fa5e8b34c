"""Contracts that every implementation of a seam must keep, for tests of one's own.

    class TestMyModel(LLMContract):
        async def open(self) -> LLM:
            return MyModel(...)

The tests are coroutines: run them with pytest-asyncio (`asyncio_mode = "auto"`) or anyio. They ask small, harmless
things; a backend that answers from a script must have an answer for any message.
"""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import suppress

from autoflow.errors import ModelError, ToolsUnsupported
from autoflow.llm.base import LLM, Capabilities, Choice, Completion, JsonSchema, Message, Options, ToolSpec

STRENGTHS = ("grammar", "schema", "json", "prompt", "none")
COLOURS = ("red", "green", "blue")
COLOUR_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": list(COLOURS)}},
    "required": ["colour"],
    "additionalProperties": False,
}
ODD_TEXTS = (
    "\x00\x07 control",
    "half a pair \ud83d",
    "e\u0301 \u202e right to left",
    "🦜" * 50,
    " ",
    "<think>",
    "[DONE]",
)


class LLMContract:
    """What callers of an `LLM` rely on. Subclass it and implement `open`."""

    max_tokens = 24  # of each answer asked for

    async def open(self) -> LLM:
        """A fresh model, ready to be asked."""
        raise NotImplementedError

    async def ask(self, llm: LLM, text: str = "Name a colour.", **options: object) -> Completion:
        """One question, with every field of the answer checked."""
        given = {"max_tokens": self.max_tokens, "seed": 0} | options
        completion = await llm.complete([Message("user", text)], Options(**given))  # type: ignore[arg-type]
        check_completion(completion)
        return completion

    async def test_protocol_is_implemented(self) -> None:
        llm = await self.open()
        assert isinstance(llm, LLM)
        kind, _, rest = llm.name.partition(":")
        assert kind, "a name says what kind of model it is"
        assert rest
        assert isinstance(llm.capabilities, Capabilities)
        assert llm.capabilities.concurrency >= 1
        await llm.aclose()

    async def test_answer_is_complete_and_well_formed(self) -> None:
        llm = await self.open()
        completion = await self.ask(llm)
        assert completion.text
        assert completion.strength == "none"
        await llm.aclose()

    async def test_tokens_are_the_text_in_pieces(self) -> None:
        llm = await self.open()
        pieces: list[str] = []
        asked = [Message("system", "You are brief."), Message("user", "Name a colour.")]
        completion = await llm.complete(asked, Options(max_tokens=self.max_tokens), pieces.append)
        begun = len(pieces) - pieces[::-1].index("") if "" in pieces else 0  # an empty piece marks a new attempt
        assert "".join(pieces[begun:]) == completion.text
        await llm.aclose()

    async def test_choice_is_kept_where_it_is_promised(self) -> None:
        llm = await self.open()
        completion = await self.ask(llm, "red, green or blue?", constraint=Choice(COLOURS))
        assert completion.strength != "none"
        if completion.strength in ("grammar", "schema"):
            assert completion.text in COLOURS
        await llm.aclose()

    async def test_schema_is_kept_where_it_is_promised(self) -> None:
        llm = await self.open()
        asked = 'Name a colour as JSON: {"colour": "red"}'
        completion = await self.ask(llm, asked, constraint=JsonSchema(COLOUR_SCHEMA), max_tokens=64)
        assert completion.strength != "none"
        if completion.strength in ("grammar", "schema") and completion.finish == "stop":
            assert json.loads(completion.text)["colour"] in COLOURS
        await llm.aclose()

    async def test_tools_are_taken_or_refused_clearly(self) -> None:
        llm = await self.open()
        tool = ToolSpec("show", "Shows a colour.", {"type": "object", "properties": {"colour": {"type": "string"}}})
        try:
            completion = await self.ask(llm, "Show red.", tools=(tool,), max_tokens=64)
        except ToolsUnsupported:
            assert llm.capabilities.tools is False
        else:
            assert all(call.id for call in completion.tool_calls)
            assert len({call.id for call in completion.tool_calls}) == len(completion.tool_calls)
        await llm.aclose()

    async def test_calls_may_run_side_by_side(self) -> None:
        llm = await self.open()
        answers = await asyncio.gather(*(self.ask(llm, f"Name a colour, number {n}.") for n in range(4)))
        assert all(answer.text for answer in answers)
        await llm.aclose()

    async def test_cancelled_call_ends_and_leaves_the_model_usable(self) -> None:
        llm = await self.open()
        task = asyncio.create_task(self.ask(llm, "Count to one thousand.", max_tokens=4096))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert task.done()
        assert (await self.ask(llm)).text
        await llm.aclose()

    async def test_odd_text_is_answered_or_refused_as_a_model_error(self) -> None:
        llm = await self.open()
        for text in ODD_TEXTS:
            with suppress(ModelError):  # anything else fails the test
                await self.ask(llm, text)
        await llm.aclose()

    async def test_closing_twice_does_no_harm(self) -> None:
        llm = await self.open()
        await llm.aclose()
        await llm.aclose()


def check_completion(completion: Completion) -> None:
    """Every field has a value of its kind. Raises AssertionError."""
    usage = completion.usage
    assert isinstance(completion.text, str)
    assert completion.finish in ("stop", "length", "tool_calls")
    assert (completion.finish == "tool_calls") == bool(completion.tool_calls)
    assert completion.strength in STRENGTHS
    assert completion.model
    for tokens in (usage.prompt_tokens, usage.completion_tokens):
        assert tokens is None or tokens >= 0
    assert math.isfinite(usage.seconds)
    assert usage.seconds >= 0
    assert usage.cost_usd is None or usage.cost_usd >= 0
    assert usage.attempts >= (0 if usage.cached else 1)
