"""`embedded:NAME`: a model on this machine, run by llama.cpp in the model server that everybody shares.

The client's side: starts the server where none runs, waits until the model is loaded, and asks it as any other server
that speaks OpenAI's protocol. A server or model that dies in the middle is started again, once a call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

import autoflow.errors
from autoflow.errors import ModelError, ModelNotFound, ModelReplyError, ModelUnavailable
from autoflow.llm.base import LLM, Capabilities, Completion, Message, OnToken, Options
from autoflow.llm.catalogue import Entry, catalogue
from autoflow.llm.gguf import read_gguf
from autoflow.llm.model_plan import SLOTS, ModelKey
from autoflow.llm.openai_chat import OpenAIChat, Timeouts
from autoflow.llm.retry import RetryPolicy
from autoflow.llm.server_process import OnStatus, ServerState, answering, ensure_server, local_client

ONCE = RetryPolicy(attempts=1, broken_attempts=1)  # whether another try makes sense is decided here
# A small machine reads 40 tokens of prompt a second, and several requests share it.
PATIENCE = Timeouts(first_s=900.0, stall_s=120.0, total_s=1800.0)


def open_embedded(
    name: str, *, path: Path | None = None, context_tokens: int | None = None, on_status: OnStatus | None = None
) -> EmbeddedLLM:
    """A model of the catalogue, or any GGUF file. Cheap: nothing is started or loaded before the first request.

    Args:
        name: of the catalogue, or the path of a GGUF file; free where `path` is given.
        path: a GGUF file.
        context_tokens: that a prompt and its answer may take; None: what the catalogue says, or what is sensible.
        on_status: told in words what is waited for ("Loading smollm2-135m, 3 s").
    Raises ModelNotFound: the catalogue knows no such name.
    """
    if path is None and name.endswith(".gguf"):
        path = Path(name).expanduser()
    return EmbeddedLLM(name, path or catalogue().find(name), context_tokens, on_status)


class EmbeddedLLM:
    """An LLM over the model server. Belongs to the event loop it is first used in."""

    def __init__(self, name: str, source: Path | Entry, context_tokens: int | None, on_status: OnStatus | None) -> None:
        self._name = name
        self._source = source
        self._context = context_tokens
        self._slots = SLOTS
        self._knows_tools: bool | None = None
        self._chat: OpenAIChat | None = None
        self._state: ServerState | None = None
        self._pid: int | None = None  # of the process that held the model when it was last asked
        self.on_status = on_status

    @property
    def name(self) -> str:
        return f"embedded:{self._name}"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            tools=self._tools(), choice="grammar", schema="grammar", grammar=True, images=False, concurrency=self._slots
        )

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        try:
            return await self._attempt(messages, options, on_token)
        except (ModelUnavailable, ModelReplyError):
            if not await self._died():
                raise
        if on_token:
            on_token("")
        again = await self._attempt(messages, options, on_token)
        return replace(again, usage=replace(again.usage, attempts=again.usage.attempts + 1))

    async def warm_up(self) -> None:
        """Start the server and load the model, so that the first request does not have to wait. Raises ModelError."""
        key = self._key()
        state = await ensure_server(self.on_status)
        if state != self._state:
            await self.aclose()
            self._state = state
        self._take(await self._load(state, key))

    async def aclose(self) -> None:
        """Close connections; the server goes on for others."""
        if self._chat:
            await self._chat.aclose()
        self._chat = None

    async def _attempt(self, messages: Sequence[Message], options: Options, on_token: OnToken | None) -> Completion:
        await self.warm_up()
        answer = await self._client().complete(messages, options, on_token)
        return replace(answer, model=self._name)  # llama.cpp gives the path

    def _client(self) -> OpenAIChat:
        assert self._state is not None
        if self._chat is None:
            self._chat = OpenAIChat(
                self._name,
                base_url=f"{self._state.url}/v1",
                api_key=self._state.token,
                name=self.name,
                capabilities=self.capabilities,
                retry=ONCE,
                timeouts=PATIENCE,
                extra={"gguf": self._key().fields()},
            )
        return self._chat

    def _key(self) -> ModelKey:
        """What to ask the server for. Raises ModelNotFound: the file is not here; nothing is started for it."""
        source = self._source
        if isinstance(source, Entry):
            path = source.local_path()
            if path is None:
                cure = f"Get it with: autoflow models get {self._name}"
                raise ModelNotFound(f"The model {self._name} is not on this machine yet.", cure)
            return ModelKey(path, self._context or source.context)
        if not source.is_file():
            raise ModelNotFound(f"There is no model file {source}.", "Was it moved or removed?")
        return ModelKey(source.resolve(), self._context)

    def _tools(self) -> bool | None:
        """Whether the chat template knows tools; None while there is no file to look into."""
        if isinstance(self._source, Entry) and self._source.tools is not None:
            return self._source.tools
        if self._knows_tools is None:
            try:
                self._knows_tools = read_gguf(self._key().path).knows_tools
            except ModelNotFound:
                return None
        return self._knows_tools

    async def _load(self, state: ServerState, key: ModelKey) -> dict[str, Any]:
        """Have the server load the model, and wait for it."""
        body = {"gguf": key.fields()}
        try:
            async with local_client(state, 30.0) as client, client.stream("POST", "/load", json=body) as reply:
                reply.raise_for_status()
                async for line in reply.aiter_lines():
                    report = json.loads(line)
                    if report["state"] in ("ready", "failed"):
                        return _judged(report)
                    self._say(report)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ModelUnavailable(f"The model server broke off while it loaded {self._name}.") from error
        raise ModelUnavailable(f"The model server stopped reporting on {self._name}.")

    def _say(self, report: dict[str, Any]) -> None:
        if self.on_status:
            doing = "Loading" if report["state"] == "loading" else "Waiting for memory to load"
            self.on_status(f"{doing} {self._name}, {report['seconds']:.0f} s")

    def _take(self, report: dict[str, Any]) -> None:
        self._pid, self._slots = int(report["pid"]), int(report["slots"])

    async def _died(self) -> bool:
        """Whether the server, or the model's process under it, is another one than was asked, or none."""
        await asyncio.sleep(0.2)  # a killed process takes a moment to be gone
        state = await answering()
        if state is None or state != self._state:
            return True
        try:
            async with local_client(state, 5.0) as client:
                models = (await client.get("/models")).json()["models"]
        except (httpx.HTTPError, ValueError, KeyError):
            return True
        return self._pid not in {model["pid"] for model in models}


def _judged(report: dict[str, Any]) -> dict[str, Any]:
    if report["state"] == "ready":
        return report
    kind = getattr(autoflow.errors, report["kind"], ModelUnavailable)
    if not issubclass(kind, ModelError):
        kind = ModelUnavailable
    raise kind(report["message"], report["hint"])


_: type[LLM] = EmbeddedLLM
