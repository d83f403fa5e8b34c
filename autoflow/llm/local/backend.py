"""The backend: a chat goes to the thread of its model, and comes back to whoever asked, piece by piece."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from autoflow.errors import ModelError, ModelRequestError, ToolsUnsupported
from autoflow.llm.base import LLM, Capabilities, Completion, Message, OnToken, Options, Usage
from autoflow.llm.chat_call import MAX_REPLY_CHARS
from autoflow.llm.failure import Failure
from autoflow.llm.local.engine import MAX_ROWS, Engine, engine_of
from autoflow.llm.local.faults import too_slow, unusable
from autoflow.llm.local.job import Done, Event, Job, Ready
from autoflow.llm.local.names import ADAPTER_WEIGHTS, adapter_folder, file_mark, find_base, split_name
from autoflow.llm.reply import Reply

LONGEST_S = 1800.0  # for an answer, where the options say nothing
TELL_S = 0.5  # how often it is told what is waited for
OnStatus = Callable[[str], None]


def open_local(name: str, *, on_status: OnStatus | None = None) -> LocalLLM:
    """A model as `local:` names it. Cheap: nothing is loaded before the first request.

    Args:
        name: of the catalogue, a folder, a GGUF file or a repository of the hub; `+ADAPTER` puts an adapter on it.
        on_status: told in words what is waited for ("Loading smollm2-135m, 3 s").
    Raises: ModelNotFound: no such model, folder or adapter. SettingsError: no name, or a model not made for talking.
    """
    return LocalLLM(name, on_status)


class LocalLLM:
    """An LLM in this process. May be shared between event loops."""

    def __init__(self, name: str, on_status: OnStatus | None = None) -> None:
        self._name = name
        base, adapter = split_name(name)
        self._base = find_base(base)
        self._adapter = adapter_folder(adapter) if adapter else None
        self.on_status = on_status

    @property
    def name(self) -> str:
        return f"local:{self._name}"

    @property
    def mark(self) -> str:
        """Tells what answers from another that takes its name later."""
        weights = file_mark(self._adapter / ADAPTER_WEIGHTS) if self._adapter else ""
        return f"{self._base.mark} {weights}".strip()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            tools=False, choice="grammar", schema="grammar", grammar=True, images=False, concurrency=MAX_ROWS
        )

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        """As the Protocol says. `options.timeout_s` begins when the model is loaded."""
        self._refuse(messages, options)
        loop, events = asyncio.get_running_loop(), asyncio.Queue[Event]()

        def tell(event: Event) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(events.put_nowait, event)

        job = Job(tuple(messages), options, self._adapter_there(), tell)
        started = time.monotonic()
        try:
            engine = engine_of(self._base)
            engine.submit(job)
            await self._ready(engine, events)
            return await self._answer(_Answer(self._name, options, on_token, started), events)
        finally:
            job.cancelled.set()  # whoever ended this: nobody waits for more

    async def aclose(self) -> None:
        """Nothing is held: the model stays warm for others, and is let go when it is idle."""

    def _refuse(self, messages: Sequence[Message], options: Options) -> None:
        if options.tools:
            raise ToolsUnsupported(
                f"The model {self._name} takes no tools natively.", "They can be offered in the prompt instead."
            )
        if any(message.images for message in messages):
            raise ModelRequestError(
                f"The model {self._name} cannot look at images.", "Choose one that can, or give the input as text."
            )

    def _adapter_there(self) -> Path | None:
        """Its folder, looked at anew: it may have been removed since. Raises ModelNotFound."""
        return adapter_folder(self._adapter.name) if self._adapter else None

    async def _ready(self, engine: Engine, events: asyncio.Queue[Event]) -> None:
        """Wait until the model is loaded, and tell how long that takes. Raises ModelError: it cannot be."""
        started = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(TELL_S):
                    event = await events.get()
            except TimeoutError:
                if self.on_status and not engine.warm:
                    self.on_status(f"Loading {self._base.name}, {time.monotonic() - started:.0f} s")
                continue
            if isinstance(event, ModelError):
                raise event
            if isinstance(event, Ready):
                return

    async def _answer(self, answer: _Answer, events: asyncio.Queue[Event]) -> Completion:
        given = answer.options.timeout_s
        limit = LONGEST_S if given is None else given
        try:
            async with asyncio.timeout(limit):
                return await answer.read(events)
        except TimeoutError:
            raise too_slow(self._name, limit, answer.text) from None
        except Failure as failure:
            raise unusable(failure, self._name) from None


class _Answer:
    """One answer in the making: thinking taken from text, and a reply that repeats itself without end stopped."""

    def __init__(self, name: str, options: Options, on_token: OnToken | None, started: float) -> None:
        self._name = name
        self._started = started
        self._on_token = on_token or (lambda _: None)
        self._reply = Reply(
            self._on_token, lambda: self._on_token(""), max_chars=MAX_REPLY_CHARS, free=options.constraint is None
        )
        self.options = options

    @property
    def text(self) -> str:
        """What has arrived so far."""
        return self._reply.text

    async def read(self, events: asyncio.Queue[Event]) -> Completion:
        """Raises: ModelError; Failure: it cannot be used."""
        while not isinstance(event := await events.get(), Done):
            if isinstance(event, ModelError):
                raise event
            if isinstance(event, str):
                self._reply.add({"choices": [{"delta": {"content": event}}]})
        self._reply.close()
        if not self.text.strip():
            why = ": it spent all of its tokens on thinking" if self._reply.reasoning else ""
            raise Failure("empty", why, partial=self._reply.reasoning)
        return self._completion(event)

    def _completion(self, done: Done) -> Completion:
        usage = Usage(
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
            seconds=time.monotonic() - self._started,
        )
        return Completion(
            text=self.text,
            usage=usage,
            model=self._name,
            finish=done.finish,
            strength="grammar" if self.options.constraint is not None else "none",
            reasoning=self._reply.reasoning,
        )


_: type[LLM] = LocalLLM
