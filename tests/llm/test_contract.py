"""One contract, every backend and every wrapper."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from autoflow.llm.base import LLM, Options
from autoflow.llm.prices import FREE
from autoflow.llm.replay import Recorder, Replay
from autoflow.llm.scripted import ScriptedLLM
from autoflow.llm.wrappers import Budgeted, Cached, Limited, Metered, Wrapper
from autoflow.testing import LLMContract
from tests.llm.conftest import OpenChat
from tests.llm.server import Json, Request, Server, chunk, error, says, stream

LINES: list[dict[str, Any]] = [
    {"match": "red, green or blue", "reply": "green"},
    {"match": "JSON", "reply": '{"colour": "red"}'},
    {"match": "Show red", "tool_calls": [{"name": "show", "arguments": {"colour": "red"}}]},
    {"match": "thousand", "reply": "one two three", "latency_s": 5},
    {"match": "", "reply": "A fine red,\nalmost  crimson. "},
]


class TestScripted(LLMContract):
    async def open(self) -> LLM:
        return ScriptedLLM(LINES)


class TestReplay(LLMContract):
    """Whatever the contract asks is recorded first, from the same script."""

    @pytest.fixture(autouse=True)
    def _in_a_folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "recording.jsonl"

    async def open(self) -> LLM:
        self.path.touch()
        return _RecordingReplay(self.path)


class _RecordingReplay(Wrapper):
    """Records a request just before it is replayed, so that the replay's own answer is what the contract sees."""

    def __init__(self, path: Path) -> None:
        super().__init__(Replay(path))
        self._path = path
        self._recorder = Recorder(ScriptedLLM([line for line in LINES if "latency_s" not in line]), path)

    async def complete(self, messages: Any, options: Options, on_token: Any = None) -> Any:
        await self._recorder.complete(messages, options)
        self.inner = Replay(self._path)
        return await self.inner.complete(messages, options, on_token)


class TestWrapped(LLMContract):
    async def open(self) -> LLM:
        return Budgeted(Metered(Cached(Limited(ScriptedLLM(LINES))), lambda _: FREE), max_calls=99, max_cost_usd=1.0)


async def like_llama_cpp(writer: asyncio.StreamWriter, request: Request) -> None:
    """A server that honours grammars, schemas and tools."""
    body = request.body
    timings: dict[str, Any] = {"timings": {"predicted_n": 3}}
    if "grammar" in body:
        await says("green", **timings)(writer, request)
    elif "response_format" in body:
        await says('{"colour": "blue"}', **timings)(writer, request)
    elif "tools" in body:
        call = {"index": 0, "id": "c1", "function": {"name": "show", "arguments": '{"colour": "red"}'}}
        await stream([chunk({"tool_calls": [call]}), chunk({}, finish="tool_calls", **timings)])(writer, request)
    else:
        await says("A fine red.", **timings)(writer, request)


async def like_a_bare_server(writer: asyncio.StreamWriter, request: Request) -> None:
    """A server that refuses everything beyond messages and a model."""
    extra: Json = {k: v for k, v in request.body.items() if k not in ("model", "messages", "max_tokens")}
    if extra:
        name = min(extra)
        await error(400, f"Unknown parameter: '{name}' is not supported.", param=name)(writer, request)
    else:
        text = request.body["messages"][-1]["content"]
        await says("green" if "blue?" in text else json.dumps({"colour": "red"}))(writer, request)


class TestCapableEndpoint(LLMContract):
    answer = staticmethod(like_llama_cpp)

    @pytest.fixture(autouse=True)
    def _with_a_server(self, server: Server, chat: OpenChat) -> None:
        server.script(self.answer)
        self.chat = chat

    async def open(self) -> LLM:
        return self.chat()


class TestBareEndpoint(TestCapableEndpoint):
    answer = staticmethod(like_a_bare_server)


async def test_contract_notices_a_broken_promise() -> None:
    """A test of the tests: a backend that claims a grammar and answers anything must not pass."""

    class Liar(Wrapper):
        async def complete(self, messages: Any, options: Options, on_token: Any = None) -> Any:
            from dataclasses import replace

            answer = await self.inner.complete(messages, options, on_token)
            return replace(answer, strength="grammar" if options.constraint else "none", text="I like mauve.")

    class Contract(LLMContract):
        async def open(self) -> LLM:
            return Liar(ScriptedLLM(LINES))

    for broken in ("choice_is_kept_where_it_is_promised", "schema_is_kept_where_it_is_promised"):
        with pytest.raises((AssertionError, ValueError)):
            await getattr(Contract(), f"test_{broken}")()
    with pytest.raises(AssertionError):
        await Contract().test_tokens_are_the_text_in_pieces()
