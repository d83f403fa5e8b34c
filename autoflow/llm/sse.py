"""Reading the answer of a chat endpoint: server-sent events, or one JSON body where it does not stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from autoflow.llm.failure import Failure
from autoflow.llm.reply import Reply

DONE = "[DONE]"
MAX_BYTES = 16_000_000  # of one line, or of a body that is not streamed; escapes make JSON longer than its text


class EventReader:
    """Bytes in, the data of whole events out, in linear time. Lines end at `\\n` or `\\r\\n`."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[str] = []
        self._held = 0  # characters of the event under way

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of every event that this chunk completes. Raises Failure: a line or an event without end."""
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            self._line += line
            event = self._end_line()
            if event is not None:
                yield event
        self._line += rest
        if len(self._line) + self._held > MAX_BYTES:
            raise Failure("too-large", f"{MAX_BYTES:,} bytes")

    def rest(self) -> str | None:
        """The last event, where the server left out the blank line that ends it."""
        self._end_line()
        return self._end_event()

    def _end_line(self) -> str | None:
        line = self._line.decode("utf-8", errors="replace").removesuffix("\r")
        self._line.clear()
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
            self._held += len(line)
        return self._end_event() if not line else None

    def _end_event(self) -> str | None:
        event = "\n".join(self._data) if self._data else None
        self._data.clear()
        self._held = 0
        return event


async def read_stream(chunks: AsyncIterator[bytes], reply: Reply) -> None:
    """Read events into the reply. Raises Failure: cut, or an error in the stream."""
    events = EventReader()
    async for chunk in chunks:
        for data in events.feed(chunk):
            _take(data, reply)
        if reply.done:
            return
    rest = events.rest()
    if rest is not None:
        _take(rest, reply)
    if not reply.complete:
        raise Failure("cut")


def _take(data: str, reply: Reply) -> None:
    if data.strip() == DONE:
        reply.done = True
        return
    try:
        piece = json.loads(data)
    except (ValueError, RecursionError):
        raise Failure("cut", "an event held half a JSON") from None
    _add(piece, reply)


async def read_whole(chunks: AsyncIterator[bytes], reply: Reply) -> None:
    """Read one JSON body into the reply. Raises Failure: no JSON, too large, or an error in it."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            start = body[:1_000_000].decode("utf-8", errors="replace")
            raise Failure("too-large", f"{MAX_BYTES:,} bytes", partial=start)
    text = body.decode("utf-8", errors="replace")
    try:
        piece = json.loads(text)
    except (ValueError, RecursionError):
        raise Failure("no-json", text[:120] or "an empty body") from None
    if not isinstance(piece, Mapping) or not ({"choices", "error"} & set(piece)):
        raise Failure("no-json", text[:120])
    _add(piece, reply)
    reply.done = True


def _add(piece: Any, reply: Reply) -> None:
    if isinstance(piece, Mapping) and piece.get("error"):
        raise failure_in(piece["error"])
    if isinstance(piece, Mapping):
        reply.add(piece)


def failure_in(error: Any, status: int | None = None, retry_after_s: float | None = None) -> Failure:
    """The failure that an endpoint describes in `{"error": ...}`, in whatever shape.

    Without an HTTP status of its own (an error inside a stream) its code counts, else it is a fault of the server.
    """
    said = error if isinstance(error, Mapping) else {"message": error}
    code = said.get("code")
    if status is None:
        status = code if isinstance(code, int) and 400 <= code <= 599 else 500
    words = said.get("message") or said.get("detail") or said
    return Failure(
        "status",
        words if isinstance(words, str) else json.dumps(words, ensure_ascii=False, default=str),
        status=status,
        code=str(code or said.get("type") or ""),
        param=str(said.get("param") or ""),
        retry_after_s=retry_after_s,
    )
