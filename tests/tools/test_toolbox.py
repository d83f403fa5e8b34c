"""Calling tools: arguments checked before, results cut after, time limited."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import ToolArgumentError, ToolFailed, ToolTimeout, UnknownTool
from autoflow.llm.base import ToolSpec
from autoflow.tools import Tool, Toolbox, ToolContext, tool
from autoflow.tools.toolbox import RESULT_CHARACTERS, read_arguments
from tests.tools.conftest import MakeContext


@tool
def echo(text: str) -> str:
    """Say it again."""
    return text


async def test_unknown_tool_names_what_there_is(context: MakeContext) -> None:
    with pytest.raises(UnknownTool, match=r"no tool `sing`.*`echo`"):
        await Toolbox([echo]).call("sing", "{}", context(), 1)
    with pytest.raises(UnknownTool, match=r"no tool `Echo`.*Did you mean `echo`"):
        await Toolbox([echo]).call("Echo", "{}", context(), 1)
    with pytest.raises(UnknownTool, match="none"):
        await Toolbox().call("echo", "{}", context(), 1)


@pytest.mark.parametrize("text", ["", "  ", "{}", '"{}"'])
def test_arguments_may_be_empty_or_json_in_a_string(text: str) -> None:
    assert read_arguments("f", text) == {}


@pytest.mark.parametrize(
    "text", ["x", "[1]", "3", "null", '"x"', "{'a': 1}", '{"a": 1', "[" * 100_000, "NaN", '{"a": ' + "9" * 5000 + "}"]
)
def test_arguments_that_are_no_object_are_refused_in_words(text: str) -> None:
    with pytest.raises(ToolArgumentError, match="`f` are no JSON"):
        read_arguments("f", text)


@pytest.mark.parametrize("deep", ['[{"a": ', '["a", ['])
def test_arguments_nest_as_deep_as_a_record_can_hold(deep: str) -> None:
    def nested(levels: int) -> str:
        text = deep * (levels // 2)
        return '{"a": ' + text + "1" + "".join({"{": "}", "[": "]"}.get(c, "") for c in reversed(text)) + "}"

    assert read_arguments("f", nested(98))
    for levels in (102, 400, 900):
        with pytest.raises(ToolArgumentError, match="`f` nest deeper than 100 levels"):
            read_arguments("f", nested(levels))


@given(st.text())
def test_any_text_of_arguments_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ToolArgumentError):
        assert isinstance(read_arguments("f", text), dict)


async def test_long_result_is_cut_with_a_note_where_the_rest_is(context: MakeContext) -> None:
    outcome = await Toolbox([tool(lambda_tool())]).call("long", "{}", context(), 5)
    assert outcome.characters == 1_000_000
    assert len(outcome.text) < RESULT_CHARACTERS + 200
    assert "of 1,000,000 characters. For the rest, ask `long` for a smaller part." in outcome.text


def lambda_tool() -> Any:
    def long() -> str:
        """A long text."""
        return "x" * 1_000_000

    return long


async def test_half_a_surrogate_pair_does_not_get_through(context: MakeContext) -> None:
    assert (await Toolbox([echo]).call("echo", '{"text": "\\ud800"}', context(), 5)).text == "?"


async def test_plain_function_that_hangs_is_given_up_and_does_not_block_others(context: MakeContext) -> None:
    release = threading.Event()

    @tool
    def hang() -> str:
        """Hang."""
        release.wait(20)
        return "late"

    box = Toolbox([hang, echo])
    try:
        for _ in range(10):  # more than a pool of threads would have
            with pytest.raises(ToolTimeout, match=r"`hang` did not return within 0\.02 s"):
                await box.call("hang", "{}", context(), 0.02)
        assert (await box.call("echo", '{"text": "here"}', context(), 5)).text == "here"
    finally:
        release.set()


async def test_async_function_that_ignores_its_cancellation_is_left_behind(context: MakeContext) -> None:
    done = asyncio.Event()

    @tool
    async def stubborn() -> str:
        """Ignore."""
        while not done.is_set():
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                if done.is_set():
                    raise
        return ""

    began = time.monotonic()
    with pytest.raises(ToolTimeout):
        await Toolbox([stubborn]).call("stubborn", "{}", context(), 0.02)
    assert time.monotonic() - began < 10
    done.set()


async def test_cancelling_the_caller_cancels_the_tool(context: MakeContext) -> None:
    ended = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return ""

    work = asyncio.create_task(Toolbox([wait]).call("wait", "{}", context(), 60))
    await asyncio.sleep(0.02)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ended.is_set()


def with_schema(schema: Mapping[str, Any]) -> Tool:
    async def run(values: Mapping[str, Any], context: ToolContext) -> str:
        return "fine"

    return Tool(ToolSpec("odd", "", schema), run)


@pytest.mark.parametrize(
    "schema",
    [{"type": "objekt"}, {"properties": 3}, {"properties": {"a": {"type": "string", "pattern": "("}}},
     {"$ref": "#/nowhere"}, {"$ref": "#"}],
)  # fmt: skip
async def test_tool_with_a_broken_schema_fails_in_words(schema: dict[str, Any], context: MakeContext) -> None:
    with pytest.raises(ToolFailed, match="`odd` has a broken schema"):
        await Toolbox([with_schema(schema)]).call("odd", '{"a": "x"}', context(), 1)


async def test_reference_to_somewhere_else_is_never_fetched(context: MakeContext) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}}
    with pytest.raises(ToolFailed, match="`odd` has a broken schema"):
        await Toolbox([with_schema(schema)]).call("odd", '{"a": 1}', context(), 1)


async def test_fault_deep_in_the_arguments_is_named_by_its_path(context: MakeContext) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}
    with pytest.raises(ToolArgumentError, match=r"`a\.1`: 'x' is not of type 'integer'"):
        await Toolbox([with_schema(schema)]).call("odd", '{"a": [1, "x"]}', context(), 1)
