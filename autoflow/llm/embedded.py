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
from autoflow.errors import ModelError, ModelNotFound, ModelReplyError, ModelUnavailable, SettingsError
from autoflow.llm.base import LLM, Capabilities, Completion, Message, OnToken, Options
from autoflow.llm.catalogue import Entry, catalogue
from autoflow.llm.gguf import read_gguf
from autoflow.llm.local.gguf_adapter import kept_gguf
from autoflow.llm.local.names import ADAPTER_WEIGHTS, Base, adapter_folder, file_mark, split_name
from autoflow.llm.model_plan import SLOTS, ModelKey
from autoflow.llm.openai_chat import OpenAIChat, Timeouts
from autoflow.llm.retry import RetryPolicy
from autoflow.llm.server_process import (
    OnStatus,
    ServerState,
    answering,
    ensure_server,
    local_client,
    log_file,
    server_models,
)

ONCE = RetryPolicy(attempts=1, broken_attempts=1)  # whether another try makes sense is decided here
LOAD_SILENCE_S = 30.0  # while it loads a model the server reports twice a second
# A small machine reads 40 tokens of prompt a second, and several requests share it.
PATIENCE = Timeouts(first_s=900.0, stall_s=120.0, total_s=1800.0)


def open_embedded(
    name: str, *, path: Path | None = None, context_tokens: int | None = None, on_status: OnStatus | None = None
) -> EmbeddedLLM:
    """A model of the catalogue, or any GGUF file. Cheap: nothing is started or loaded before the first request.

    Args:
        name: of the catalogue, or the path of a GGUF file, `+ADAPTER` behind it; free where `path` is given.
        path: a GGUF file.
        context_tokens: that a prompt and its answer may take; None: what the catalogue says, or what is sensible.
        on_status: told in words what is waited for ("Loading smollm2-135m, 3 s").
    Raises ModelNotFound: the catalogue knows no such name, or there is no such adapter. SettingsError: the model is not
        made for talking.
    """
    base, adapter = split_name(name) if path is None else (name, None)
    if path is None and base.endswith(".gguf"):
        path = Path(base).expanduser()
    source = path or catalogue().find(base)
    if isinstance(source, Entry) and source.kind != "chat":
        raise SettingsError(
            f"The model {name} cannot be talked to: memory uses it to find what fits by meaning.",
            "Choose one that answers; they are listed by: autoflow models list",
        )
    return EmbeddedLLM(name, source, context_tokens, on_status, adapter_folder(adapter) if adapter else None)


class _Gone(Exception):
    """Nothing answers where the server was."""


class EmbeddedLLM:
    """An LLM over the model server. Belongs to the event loop it is first used in."""

    def __init__(
        self, name: str, source: Path | Entry, context_tokens: int | None, on_status: OnStatus | None = None,
        adapter: Path | None = None,
    ) -> None:  # fmt: skip
        self._name = name
        self._source = source
        self._adapter = adapter  # a folder, as peft writes it
        self._context = context_tokens
        self._slots = SLOTS
        self._knows_tools = source.tools if isinstance(source, Entry) else None
        self._state: ServerState | None = None
        self._control: httpx.AsyncClient | None = None
        self._chat: OpenAIChat | None = None
        self._connecting = asyncio.Lock()
        self._pid: int | None = None  # of the process that held the model when it was last asked
        self._told = ""
        self.on_status = on_status

    @property
    def name(self) -> str:
        return f"embedded:{self._name}"

    @property
    def mark(self) -> str:
        """Tells what answers from another that takes its name later: its files, and how much it may read."""
        adapter = file_mark(self._adapter / ADAPTER_WEIGHTS) if self._adapter else ""
        return f"{_mark(self._source)} {self._context or ''} {adapter}".strip()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            tools=self._tools(), choice="grammar", schema="grammar", grammar=True, images=False, concurrency=self._slots
        )

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        """As the Protocol says. `options.timeout_s` begins when the model is loaded."""
        await self.warm_up()
        try:
            return await self._ask(messages, options, on_token)
        except (ModelUnavailable, ModelReplyError):
            if not await self._died():
                raise
        if on_token:
            on_token("")
        await self.warm_up()
        again = await self._ask(messages, options, on_token)
        return replace(again, usage=replace(again.usage, attempts=again.usage.attempts + 1))

    async def warm_up(self) -> None:
        """Start the server and load the model, so that the first request does not have to wait. Raises ModelError."""
        key = await asyncio.to_thread(self._key)
        async with self._connecting:
            try:
                if self._state is None:
                    raise _Gone
                await self._load(key)
            except _Gone:
                await self._connect(key)
                await self._load_or_explain(key)

    async def aclose(self) -> None:
        """Close connections; the server goes on for others."""
        if self._chat:
            await self._chat.aclose()
        if self._control:
            await self._control.aclose()
        self._chat = self._control = self._state = None

    async def _ask(self, messages: Sequence[Message], options: Options, on_token: OnToken | None) -> Completion:
        assert self._chat is not None
        answer = await self._chat.complete(messages, options, on_token)
        return replace(answer, model=self._name)  # llama.cpp gives the path

    async def _connect(self, key: ModelKey) -> None:
        """Find or start the server."""
        await self.aclose()
        state = await ensure_server(self._tell)
        self._control = local_client(state, LOAD_SILENCE_S)
        self._chat = OpenAIChat(
            self._name,
            base_url=f"{state.url}/v1",
            api_key=state.token,
            name=self.name,
            capabilities=self.capabilities,
            retry=ONCE,
            timeouts=PATIENCE,
            extra={"gguf": key.fields()},
        )
        self._state = state

    async def _load(self, key: ModelKey) -> None:
        """Have the server load the model, and wait for it. Raises: _Gone; ModelError: it cannot be loaded."""
        assert self._control is not None
        try:
            async with self._control.stream("POST", "/load", json={"gguf": key.fields()}) as reply:
                reply.raise_for_status()
                async for line in reply.aiter_lines():
                    report = json.loads(line)
                    if report["state"] in ("ready", "failed"):
                        _raise_failure(report)
                        self._pid, self._slots = int(report["pid"]), int(report["slots"])
                        return
                    doing = "Loading" if report["state"] == "loading" else "Waiting for memory to load"
                    self._tell(f"{doing} {self._name}, {report['seconds']:.0f} s")
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise _Gone from error
        raise _Gone

    async def _load_or_explain(self, key: ModelKey) -> None:
        try:
            await self._load(key)
        except _Gone as error:
            raise ModelUnavailable(
                f"The model server ended while it loaded {self._name}.", f"Its log is {log_file()}."
            ) from error

    def _key(self) -> ModelKey:
        """What to ask the server for. Raises ModelError: a file is not here; nothing is started for it."""
        path, context = self._file(), self._context
        if isinstance(self._source, Entry):
            context = context or self._source.context
        if self._adapter is None:
            return ModelKey(path, context)
        folder = adapter_folder(self._adapter.name)  # looked at anew: it may have been removed since
        return ModelKey(path, context, kept_gguf(folder, Base(path.name, path)).absolute())

    def _file(self) -> Path:
        """The base's. Raises ModelNotFound: it is not here."""
        source = self._source
        if isinstance(source, Entry):
            path = source.local_path()
            if path is None:
                cure = f"Get it with: autoflow models get {source.name}"
                raise ModelNotFound(f"The model {source.name} is not on this machine yet.", cure)
            return path
        if not source.is_file():
            raise ModelNotFound(f"There is no model file {source}.", "Was it moved or removed?")
        return source.resolve()

    def _tools(self) -> bool | None:
        """Whether the chat template knows tools; None while there is no file to look into."""
        if self._knows_tools is None:
            try:
                self._knows_tools = read_gguf(self._file()).knows_tools
            except ModelNotFound:
                return None
        return self._knows_tools

    def _tell(self, words: str) -> None:
        """Pass on what is waited for, each thing once."""
        if self.on_status and words != self._told:
            self.on_status(words)
        self._told = words

    async def _died(self) -> bool:
        """Whether the server, or the model's process under it, is another one than was asked, or none."""
        await asyncio.sleep(0.2)  # a killed process takes a moment to be gone
        state = await answering()
        if state is None or state != self._state:
            return True
        models = await asyncio.to_thread(server_models)
        return self._pid not in {model["pid"] for model in models or ()}


def _mark(source: Path | Entry) -> str:
    """The hash where the file was checked against it on its way in, else what the disk says of the file."""
    if isinstance(source, Entry) and source.sha256 and not source.location:
        return source.sha256
    path = source.local_path() if isinstance(source, Entry) else source
    try:
        found = path.stat() if path else None
    except OSError:
        found = None
    return f"{path} {found.st_size} {found.st_mtime_ns}" if found else ""


def _raise_failure(report: dict[str, Any]) -> None:
    """Raise what the server says went wrong, as the error it was there."""
    if report["state"] == "failed":
        kind = getattr(autoflow.errors, report["kind"], ModelUnavailable)
        raise (kind if issubclass(kind, ModelError) else ModelUnavailable)(report["message"], report["hint"])


_: type[LLM] = EmbeddedLLM
