"""Passes a chat request on to the process of its model, and the answer back as it comes.

Everything a request does happens in one task that is cancelled when its client goes away: then the connection to the
model closes and llama.cpp stops decoding.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from autoflow.errors import AutoFlowError, ModelNotFound, ModelRequestError
from autoflow.llm.model_plan import ModelKey
from autoflow.llm.model_pool import Child, ModelPool

NO_LIMIT = httpx.Timeout(None, connect=10.0)  # a long prompt takes minutes; the client knows how long it wants to wait


def error_reply(status: int, message: str, kind: str = "invalid_request_error", code: str = "") -> JSONResponse:
    """An error in the form of OpenAI."""
    return JSONResponse({"error": {"message": message, "type": kind, "code": code or status}}, status)


def reply_for(error: AutoFlowError) -> JSONResponse:
    """An error of the house as HTTP."""
    status = 404 if isinstance(error, ModelNotFound) else 400 if isinstance(error, ModelRequestError) else 503
    return error_reply(status, str(error))


async def json_of(request: Request) -> Any:
    """The body of a request. Raises ModelRequestError: it is no JSON."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise ModelRequestError("The request to the model server is no JSON.") from error


class ChatRelay:
    """The ASGI application behind `/v1/chat/completions`."""

    def __init__(self, pool: ModelPool) -> None:
        self._pool = pool
        # No connection is used twice: llama.cpp closes idle ones just when the next request may be on its way.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(timeout=NO_LIMIT, limits=limits, trust_env=False)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            payload = await json_of(Request(scope, receive))
            key = ModelKey.of(payload)
        except ClientDisconnect:
            return
        except ModelRequestError as error:
            await reply_for(error)(scope, receive, send)
            return
        await until_disconnect(receive, self._relay(key, payload, scope, receive, send))

    async def _relay(self, key: ModelKey, payload: dict[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._pool.use(key) as child:
                await self._pass_on(child, payload, scope, receive, send)
        except AutoFlowError as error:
            await reply_for(error)(scope, receive, send)

    async def _pass_on(self, child: Child, payload: dict[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        request = self._client.build_request(
            "POST",
            f"{child.url}/v1/chat/completions",
            json={name: value for name, value in payload.items() if name != "gguf"},
            headers={"Authorization": f"Bearer {child.token}"},
        )
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            what = "did not answer" if child.alive else "ended in the middle of a request; it is started anew"
            gone = f"The process of {child.key.path.name} {what} ({type(error).__name__} {error})."
            await error_reply(503, gone, "server_error")(scope, receive, send)
            return
        try:
            if answer.is_success:
                await _stream(answer, send)
            else:
                await _refusal(child, await answer.aread())(scope, receive, send)
        finally:
            await answer.aclose()


async def _stream(answer: httpx.Response, send: Send) -> None:
    """Pass the body on. A break is passed on too, as an exception: half an answer must not look whole."""
    kind = answer.headers.get("content-type", "application/json").encode()
    await send({"type": "http.response.start", "status": answer.status_code, "headers": [(b"content-type", kind)]})
    async for chunk in answer.aiter_bytes():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _refusal(child: Child, body: bytes) -> JSONResponse:
    try:
        error = json.loads(body)["error"]
        message, kind = str(error["message"]), str(error.get("type", ""))
    except (ValueError, KeyError, TypeError):
        error, message, kind = {}, body.decode("utf-8", "replace")[:500], ""
    if kind == "exceed_context_size_error":
        tokens = error.get("n_prompt_tokens", "too many")
        message = f"It has {tokens} tokens, and the context is {child.plan.context}."
        return error_reply(400, message, kind, "context_length_exceeded")
    # Not 400 or 500: from those, clients learn what a server cannot do. Here the grammar or schema itself is bad.
    return error_reply(406, message, kind)


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Carry out `work`, and cancel it when the client goes away."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
