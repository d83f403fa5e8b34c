"""Passing requests on to the process of a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from autoflow.llm.model_relay import ChatRelay

BODY = b'{"choices": []}'
PAYLOAD = {"model": "m", "messages": [], "gguf": {"path": "/models/m.gguf", "context": 512, "slots": 1}}


class Hasty:
    """A process that answers once on each connection, says that it keeps it, and closes it under the next request."""

    def __init__(self) -> None:
        self.answered = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
        await writer.drain()
        self.answered += 1
        await reader.read(1)
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))


class Pool:
    """Holds one child, dead or alive."""

    def __init__(self, url: str, *, alive: bool = True) -> None:
        self.child = SimpleNamespace(url=url, token="t", alive=alive, key=SimpleNamespace(path=Path("m.gguf")))

    @asynccontextmanager
    async def use(self, key: object) -> AsyncIterator[Any]:
        yield self.child


@pytest.fixture
async def hasty() -> AsyncIterator[tuple[Hasty, str]]:
    process = Hasty()
    async with await asyncio.start_server(process, "127.0.0.1", 0) as server:
        yield process, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def posted(pool: Pool, times: int = 1) -> list[httpx.Response]:
    relay = ChatRelay(pool)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(relay), base_url="http://relay") as client:
        answers = [await client.post("/v1/chat/completions", json=PAYLOAD) for _ in range(times)]
    await relay.aclose()
    return answers


async def test_a_connection_that_the_process_closes_when_idle_is_never_used_for_the_next_request(
    hasty: tuple[Hasty, str],
) -> None:
    process, url = hasty
    assert [answer.content for answer in await posted(Pool(url), 5)] == [BODY] * 5
    assert process.answered == 5


@pytest.mark.parametrize(("alive", "words"), [(True, "did not answer"), (False, "ended in the middle of a request")])
async def test_what_went_wrong_is_told_as_it_is(unused_tcp_port: int, alive: bool, words: str) -> None:
    (answer,) = await posted(Pool(f"http://127.0.0.1:{unused_tcp_port}", alive=alive))
    assert answer.status_code == 503
    assert words in answer.json()["error"]["message"]
    assert "m.gguf" in answer.json()["error"]["message"]
