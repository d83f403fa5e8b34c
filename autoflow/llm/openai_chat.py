"""`openai:NAME`: any server that speaks OpenAI's chat completions, and the only file that knows the vendor's SDK.

The SDK signs and sends; retries, time limits, the reading of streams and what to do about refusals are ours, because
the same rules must hold for servers that keep the protocol only roughly.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import openai

from autoflow.errors import ModelAuthError, SettingsError
from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options
from autoflow.llm.chat_call import Call, Json, Line
from autoflow.llm.failure import Failure, Kind
from autoflow.llm.faults import Endpoint
from autoflow.llm.features import Features, features_of
from autoflow.llm.reply import Reply
from autoflow.llm.retry import RetryPolicy, retry_after
from autoflow.llm.sse import failure_in, read_stream, read_whole

OPENAI_URL = "https://api.openai.com/v1"
_DRAIN_S = 0.2
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds."""

    connect_s: float = 10.0
    first_s: float = 300.0  # to the first piece of an answer: a small machine reads 40 tokens of prompt a second
    stall_s: float = 60.0  # between two pieces
    total_s: float = 900.0  # the whole answer with all retries, where Options.timeout_s says nothing


class OpenAIChat:
    """One model at one address.

    Args:
        model: as the endpoint names it.
        base_url: usually ends in /v1. Credentials in it (`https://user:word@host`) are sent as basic authentication.
        api_key: None sends none.
        name: as users write it; default `openai:MODEL`.
        capabilities: what is known beforehand; what is None is learned from the first real requests.
        extra: fields added to every request body.
        key_env: the variable the key came from, to be named in errors.
    Raises SettingsError: `base_url` is no address. ModelAuthError: `api_key` holds what no header can carry.
    An object belongs to the event loop it is first used in.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str = OPENAI_URL,
        api_key: str | None = None,
        name: str | None = None,
        capabilities: Capabilities | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        extra: Mapping[str, Any] | None = None,
        key_env: str | None = None,
    ) -> None:
        api_key = _checked_key(api_key, key_env)
        if not _is_address(base_url):
            raise _no_address(base_url)
        self._name = name or f"openai:{model}"
        self._endpoint = Endpoint(model, base_url, key_env, api_key)
        self._timeouts = timeouts or Timeouts()
        features = features_of(base_url, model) if capabilities is None else Features(told=capabilities)
        self._line = Line(self._endpoint, features, retry or RetryPolicy(), self._send, dict(extra or {}))
        try:
            self._client = _client(base_url, api_key, self._timeouts)
        except Exception:  # what the SDK's URLs raise on odd hosts is its private matter
            raise _no_address(base_url) from None
        self._headers = _authorization(base_url, api_key)

    @property
    def name(self) -> str:
        return self._name

    @property
    def model(self) -> str:
        """As the endpoint names it."""
        return self._endpoint.model

    @property
    def base_url(self) -> str:
        """Without credentials."""
        return self._endpoint.address

    @property
    def capabilities(self) -> Capabilities:
        return self._line.features.capabilities()

    async def aclose(self) -> None:
        await self._client.close()

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        call = Call(self._line, messages, options, on_token)
        limit = self._timeouts.total_s if options.timeout_s is None else options.timeout_s
        try:
            async with asyncio.timeout(limit):
                return await call.answer()
        except TimeoutError:
            raise call.explain(Failure("timeout", f"within {limit:g} s", partial=call.text)) from None
        except Failure as failure:
            raise call.explain(failure) from None

    async def _send(self, body: Json, reply: Reply) -> None:
        """One request, its answer read into `reply`. Raises Failure."""
        limits = self._timeouts
        fields = dict(body)
        request = self._client.chat.completions.with_streaming_response.create(
            model=fields.pop("model"),
            messages=fields.pop("messages"),
            stream=fields.pop("stream", openai.omit),
            extra_body=fields,
            extra_headers=self._headers,
        )
        async with AsyncExitStack() as stack:
            silent = Failure("silent", f"within {limits.first_s:g} s")
            try:
                response = await _within(limits.first_s, stack.enter_async_context(request), silent)
            except openai.OpenAIError as error:
                raise _failure(error, self._line.retry) from None
            source = await stack.enter_async_context(aclosing(response.iter_bytes()))
            chunks = await stack.enter_async_context(aclosing(_chunks(source, limits)))
            streamed = "text/event-stream" in response.headers.get("content-type", "")
            await (read_stream if streamed else read_whole)(chunks, reply)
            await _drain(chunks)


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what follows `[DONE]`, for a moment: a connection that is read to its end can be used again."""
    with suppress(Failure, TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass


async def _chunks(source: AsyncGenerator[bytes], limits: Timeouts) -> AsyncGenerator[bytes]:
    """The bytes of an answer, each within its time limit. Raises Failure: silent, stalled or cut."""
    limit, quiet = limits.first_s, Failure("silent", f"within {limits.first_s:g} s")
    while True:
        try:
            chunk = await _within(limit, anext(source), quiet)
        except StopAsyncIteration:
            return
        except Failure:
            raise
        except Exception:  # whatever the transport raises while it reads: its types are the SDK's private matter
            raise Failure("cut") from None
        yield chunk
        limit, quiet = limits.stall_s, Failure("stalled", f"for {limits.stall_s:g} s")


async def _within(seconds: float, awaitable: Awaitable[_T], failure: Failure) -> _T:
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise failure from None


def _is_address(base_url: str) -> bool:
    try:
        parts = urlsplit(base_url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and parts.scheme in ("http", "https") and base_url.isprintable() and " " not in base_url


def _no_address(base_url: str) -> SettingsError:
    shown = base_url.rpartition("@")[2][:100]
    return SettingsError(f"`{shown}` is no address of a model server.", "An example: http://localhost:11434/v1")


def _checked_key(key: str | None, key_env: str | None) -> str | None:
    """The key without white space around it, as pasted keys have it."""
    key = (key or "").strip() or None
    if key and not (key.isascii() and key.isprintable()):
        raise ModelAuthError(
            f"The key in {key_env or 'OPENAI_API_KEY'} holds characters that no key has.", "Copy it once more."
        )
    return key


def _client(base_url: str, api_key: str | None, timeouts: Timeouts) -> openai.AsyncOpenAI:
    """The SDK's client without its own retries, and without credentials in the URL that a log could show."""
    parts = urlsplit(base_url)
    return openai.AsyncOpenAI(
        api_key=api_key or "none",
        base_url=parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl(),
        default_query=dict(parse_qsl(parts.query)) or None,
        timeout=openai.Timeout(None, connect=timeouts.connect_s),
        max_retries=0,
        # The SDK's own client closes itself when it is collected, in whatever event loop runs by then.
        http_client=openai.DefaultAsyncHttpxClient(),
    )


def _authorization(base_url: str, api_key: str | None) -> dict[str, Any]:
    """What replaces the SDK's own header: basic authentication from the URL, or none where there is no key."""
    parts = urlsplit(base_url)
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}
    return {} if api_key else {"Authorization": openai.Omit()}


def _failure(error: openai.OpenAIError, policy: RetryPolicy) -> Failure:
    """The vendor's error in our terms."""
    if isinstance(error, openai.APIStatusError):
        asked = retry_after(error.response.headers, policy.now())
        return failure_in(error.body if error.body else error.message, error.status_code, asked)
    if isinstance(error, openai.APITimeoutError):
        return Failure("connect-timeout")
    return Failure(*_cause(error))


def _cause(error: BaseException) -> tuple[Kind, str]:
    """What lies at the bottom of a connection error."""
    kinds: tuple[tuple[type[BaseException], Kind], ...] = (
        (ssl.SSLError, "tls"),
        (socket.gaierror, "unknown-host"),
        (ConnectionRefusedError, "refused"),
    )
    seen: BaseException | None = error
    while seen is not None:
        for cause, kind in kinds:
            if isinstance(seen, cause):
                return kind, str(seen)
        seen = seen.__cause__ or seen.__context__
    return "network", str(error)
