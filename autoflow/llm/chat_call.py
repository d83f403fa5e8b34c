"""One call to a chat endpoint: as many requests as it takes to get an answer, and what each refusal teaches."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoflow.errors import ModelError, ModelRequestError, ToolsUnsupported
from autoflow.llm.base import Choice, Completion, Message, OnToken, Options, Usage
from autoflow.llm.failure import Failure
from autoflow.llm.faults import Endpoint, explain
from autoflow.llm.features import Features, kind_of
from autoflow.llm.reply import Reply
from autoflow.llm.reply_checks import conforms
from autoflow.llm.request import CHOICE_KEY, body_of
from autoflow.llm.retry import Retries, RetryPolicy

MAX_REPLY_CHARS = 1_000_000  # of text, thinking and arguments together
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """What a call needs of its client."""

    endpoint: Endpoint
    features: Features
    retry: RetryPolicy
    send: Callable[[Json, Reply], Awaitable[None]]  # one request, its answer read into the reply; raises Failure
    extra: Mapping[str, Any]


class Call:
    """Args: as of `LLM.complete`, and the line it goes over."""

    def __init__(self, line: Line, messages: Sequence[Message], options: Options, on_token: OnToken | None) -> None:
        self._line = line
        self._messages = messages
        self._options = options
        self._on_token = on_token
        self._features = line.features.draft()
        self._has_images = any(m.images for m in messages)
        self._attempts = 0
        self._emitted = False
        self._started = time.monotonic()
        self._reply: Reply | None = None

    @property
    def text(self) -> str:
        """What has arrived of the answer so far."""
        return self._reply.text if self._reply else ""

    async def answer(self) -> Completion:
        """Ask until there is an answer, or patience ends. Raises Failure, ToolsUnsupported, ModelRequestError."""
        self._refuse_known()
        retries = Retries(self._line.retry)
        while True:
            try:
                return self._completion(await self._attempt())
            except Failure as failure:
                if self._features.adapt(failure, self._options, has_images=self._has_images):
                    continue
                pause = retries.pause(failure)
                if pause is None:
                    raise
            self._begin_anew()
            await self._line.retry.sleep(pause)

    def explain(self, failure: Failure) -> ModelError:
        """The error for a failure; a refusal of tools or images is remembered."""
        refused = self._line.features.refuses(failure, self._options, has_images=self._has_images)
        return self._unsupported(refused) if refused else explain(failure, self._line.endpoint)

    def _refuse_known(self) -> None:
        known = self._line.features.capabilities()
        if self._options.tools and known.tools is False:
            raise self._unsupported("tools")
        if self._has_images and known.images is False:
            raise self._unsupported("images")

    def _unsupported(self, what: str) -> ModelRequestError:
        named = f"The model `{self._line.endpoint.model}` at {self._line.endpoint.address}"
        if what == "tools":
            return ToolsUnsupported(f"{named} takes no tools natively.", "They can be offered in the prompt instead.")
        return ModelRequestError(f"{named} cannot look at images.", "Choose one that can, or give the input as text.")

    def _emit(self, piece: str) -> None:
        if self._on_token and piece and not self._wraps_choice:
            self._emitted = True
            self._on_token(piece)

    def _begin_anew(self) -> None:
        if self._on_token and self._emitted:
            self._on_token("")
            self._emitted = False

    @property
    def _wraps_choice(self) -> bool:
        """The endpoint answers `{"choice": ...}` where the caller asked for one of some texts."""
        constraint = self._options.constraint
        return isinstance(constraint, Choice) and self._form == "schema"

    @property
    def _form(self) -> str | None:
        constraint = self._options.constraint
        return self._features.form(constraint, bool(self._options.tools)) if constraint is not None else None

    async def _attempt(self) -> Reply:
        """Send one request and read its answer. Raises Failure."""
        self._attempts += 1
        self._reply = reply = Reply(
            self._emit, self._begin_anew, max_chars=MAX_REPLY_CHARS, free=self._options.constraint is None
        )
        body = body_of(self._line.endpoint.model, self._messages, self._options, self._features)
        try:
            await self._line.send(body | dict(self._line.extra), reply)
            reply.close()
            _check(reply)
        except Failure as failure:
            failure.partial = failure.partial or reply.text
            raise
        return reply

    def _completion(self, reply: Reply) -> Completion:
        """The answer, and what it taught about the endpoint."""
        self._features.engine = reply.engine
        self._features.tools_seen = bool(reply.tool_calls)
        chosen = _chosen(reply.text) if self._wraps_choice else None
        text = reply.text if chosen is None else chosen
        if self._wraps_choice and self._on_token and text:
            self._on_token(text)
        completion = Completion(
            text=text,
            tool_calls=reply.tool_calls,
            usage=_usage(reply.usage, time.monotonic() - self._started, self._attempts),
            model=reply.model or self._line.endpoint.model,
            finish="tool_calls" if reply.tool_calls else "length" if _ran_out(reply) else "stop",
            reasoning=reply.reasoning,
        )
        completion = self._with_strength(completion, ignored=self._wraps_choice and chosen is None)
        self._line.features.learn(self._features)
        return completion

    def _with_strength(self, completion: Completion, *, ignored: bool) -> Completion:
        """Say how strongly the constraint held, and step down where it was ignored without a word.

        A reply that was cut, by its limit or by a stop sequence, says nothing about the endpoint.
        """
        constraint, with_tools = self._options.constraint, bool(self._options.tools)
        if constraint is None:
            return completion
        strength = self._features.strength(constraint, self._features.form(constraint, with_tools))
        judged = completion.finish == "stop" and not self._options.stop
        if judged and strength in ("grammar", "schema") and not conforms(completion.text, constraint):
            ignored = True
        if ignored and judged:
            strength = "prompt"
        if judged:
            self._features.strengths[kind_of(constraint)] = strength
            if strength == "prompt":
                self._features.weaken(constraint, with_tools)
        return replace(completion, strength=strength)


def _check(reply: Reply) -> None:
    """Raises Failure: withheld or empty."""
    if reply.refusal and not reply.text:
        raise Failure("filtered", reply.refusal)
    if reply.finish == "content_filter" and not reply.tool_calls:
        raise Failure("filtered", "its endpoint's content filter withheld the reply.", partial=reply.text)
    if reply.text.strip() or reply.tool_calls:
        return
    why = ": it spent all of its tokens on thinking" if reply.reasoning and _ran_out(reply) else ""
    raise Failure("empty", why, partial=reply.reasoning)


def _ran_out(reply: Reply) -> bool:
    return (reply.finish or "").lower() in ("length", "max_tokens")


def _chosen(text: str) -> str | None:
    """What `{"choice": ...}` holds, or None where a reply is nothing of the kind."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    chosen = value.get(CHOICE_KEY) if isinstance(value, dict) else None
    return chosen if isinstance(chosen, str) else None


def _usage(said: Mapping[str, Any], seconds: float, attempts: int) -> Usage:
    """What the endpoint counted; what it did not say stays None."""
    details = said.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(
        prompt_tokens=_count(said.get("prompt_tokens")),
        completion_tokens=_count(said.get("completion_tokens")),
        seconds=seconds,
        attempts=attempts,
        cached_prompt_tokens=cached or 0,
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
