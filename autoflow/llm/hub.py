"""Files of the hub or of another address, over HTTP, in as many connections as it takes."""

from __future__ import annotations

import asyncio

import httpx

from autoflow.llm.catalogue_entry import AddressSource, HubSource
from autoflow.llm.sources import Part, SourceFailed
from autoflow.settings import settings

STALL_S = 30.0  # the hub may be silent for this long in the middle of a file
FRUITLESS = 4  # connections in a row that brought nothing new before it is given up
PAUSE_S = 0.5


async def from_hub(source: HubSource | AddressSource, parts: list[Part]) -> None:
    """Get the rest of every file. Raises: SourceFailed, OSError."""
    timeout = httpx.Timeout(STALL_S, connect=settings().hub_timeout_s)
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=True) as client:
        for part in parts:
            await _whole(client, source.url(part.file.path), part)


async def _whole(client: httpx.AsyncClient, url: str, part: Part) -> None:
    fruitless = 0
    while not part.whole:
        before = part.have
        await _once(client, url, part)
        fruitless = 0 if part.have > before else fruitless + 1
        if fruitless == FRUITLESS:
            raise SourceFailed("the connection broke again and again")
        await asyncio.sleep(0 if part.whole else PAUSE_S * fruitless)


async def _once(client: httpx.AsyncClient, url: str, part: Part) -> None:
    """One connection, until the file is whole or the connection breaks. Asks only for what is missing."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={part.have}-"} if part.have else {})
    try:
        async with asyncio.timeout(settings().hub_timeout_s):
            reply = await client.send(client.build_request("GET", url, headers=headers), stream=True)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise SourceFailed(_no_answer(error)) from error
    try:
        await _take(reply, part)
    except (httpx.TransportError, httpx.DecodingError):
        pass  # what arrived is kept; the caller sees whether it was anything
    finally:
        await reply.aclose()


async def _take(reply: httpx.Response, part: Part) -> None:
    if reply.status_code == 416 or (reply.status_code == 200 and part.have):
        part.cut(0)  # it does not continue where we stopped: begin anew
    if reply.status_code == 416:
        return
    if not reply.is_success:
        raise SourceFailed(_refusal(reply.status_code))
    have = part.have
    with part.path.open("ab") as out:
        async for block in reply.aiter_bytes():  # as they come: a break loses nothing
            have += len(block)
            if have > part.file.size:
                raise SourceFailed(f"{part.file.path} is larger there than the {part.file.size:,} bytes it should have")
            await asyncio.to_thread(out.write, block)
            part.tick(have)


def _no_answer(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer within {settings().hub_timeout_s:g} s"
    return f"no connection ({str(error) or type(error).__name__})"


def _refusal(status: int) -> str:
    words = {401: "it wants a login", 403: "it refuses access", 404: "it has no such file"}
    return f"{words.get(status, 'it failed')} ({status})"
