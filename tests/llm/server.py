"""A chat completions server on localhost that does what a test tells it: answer, refuse, break off, stall, babble.

It runs on an event loop in a thread of its own and speaks HTTP/1.1 by hand, because the point is to send what no
decent server would. Each request takes the next answer of the script; the last answer is repeated.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: Json


Answer = Callable[[asyncio.StreamWriter, Request], Awaitable[None]]


@dataclass
class Server:
    """Start with `start()`, end with `stop()`."""

    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    _answers: list[Answer] = field(default_factory=list)
    port: int = 0

    def script(self, *answers: Answer) -> None:
        """What to do next; the last is repeated for ever."""
        self._answers = list(answers)
        self.requests.clear()
        self.connections = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}/v1"

    @property
    def bodies(self) -> list[Json]:
        return [request.body for request in self.requests]

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "localhost", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._end.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers that are sent in chunks leave their connection open for the next request."""
        self.connections += 1
        try:
            while not writer.is_closing():
                first = await reader.readexactly(1)
                if first == b"\x16":  # a TLS handshake
                    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                request = await _read(first, reader)
                self.requests.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                await answer(writer, request)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.close()


async def _read(first: bytes, reader: asyncio.StreamReader) -> Request:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(head[0].split(" ")[1], headers, json.loads(body or b"{}"))


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def raw(status: int, body: bytes, **headers: str) -> Answer:
    """Any status, any body; `content_type` and other headers with underscores for hyphens."""
    fields = {"content-length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        writer.write(_head(status, fields) + body)

    return answer


def error(status: int, message: str = "", *, code: str = "", param: str = "", **headers: str) -> Answer:
    """An error in OpenAI's form."""
    body = {"error": {"message": message, "type": "error", "code": code or None, "param": param or None}}
    return raw(status, json.dumps(body).encode(), content_type="application/json", **headers)


def chunk(delta: Json | None = None, *, finish: str | None = None, **more: Any) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "model": "served", "choices": choices, **more}


USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


def words(text: str) -> list[Json]:
    """Chunks of a reply, a few characters each."""
    return [chunk({"content": text[i : i + 7]}) for i in range(0, len(text), 7)]


def stream(
    pieces: Sequence[Json | str], *, done: bool = True, hang: bool = False, abort: bool = False, chunked: bool = False
) -> Answer:
    """Server-sent events: each piece JSON, or a text sent as it is.

    Args:
        done: end with `[DONE]`.
        hang: then say nothing more, and leave the connection open.
        abort: then break the connection inside a chunk.
        chunked: with chunked transfer encoding, so that a clean end can be told from a broken one.
    """

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        fields = {"content-type": "text/event-stream"} | ({"transfer-encoding": "chunked"} if chunked else {})
        writer.write(_head(200, fields))
        for piece in [*pieces, "[DONE]"] if done else pieces:
            data = f"data: {piece if isinstance(piece, str) else json.dumps(piece)}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            await writer.drain()
        if hang:
            await asyncio.sleep(30)
        if chunked:
            writer.write(b"ff\r\nhalf" if abort else b"0\r\n\r\n")
        if abort or not chunked:
            await writer.drain()
            writer.close()

    return answer


def says(text: str, *, finish: str = "stop", usage: Json | None = USAGE, **more: Any) -> Answer:
    """A decent answer, streamed or not as the request asks."""

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        if not request.body.get("stream"):
            message = {"role": "assistant", "content": text}
            body = {"model": "served", "choices": [{"message": message, "finish_reason": finish}], **more}
            await whole(body | ({"usage": usage} if usage else {}))(writer, request)
            return
        last = [chunk({}, finish=finish)] + ([chunk(usage=usage, **more)] if usage else [])
        await stream([*words(text), *last], chunked=True)(writer, request)

    return answer


def whole(body: Json) -> Answer:
    """One JSON body."""
    return raw(200, json.dumps(body).encode(), content_type="application/json")


def silent() -> Answer:
    """Accept the request, and never say anything."""

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        await asyncio.sleep(30)

    return answer


def hang_up() -> Answer:
    """Close the connection without a word."""

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        writer.transport.abort()

    return answer


def refusing(test: Callable[[Json], bool], refusal: Answer, otherwise: Answer) -> Answer:
    """Refuse the requests whose body a test holds for, as an endpoint that lacks a feature does."""

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        await (refusal if test(request.body) else otherwise)(writer, request)

    return answer
