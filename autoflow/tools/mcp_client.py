"""A connection to one MCP server, over stdio or streamable HTTP; the only file that imports the SDK.

The server lives in a task of its own: the SDK's task groups must end where they began, and a server that falls over
must not take a run with it. What goes wrong reaches the caller as a ToolError.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TextIO

from autoflow.errors import ToolError, ToolFailed
from autoflow.llm.base import ToolSpec
from autoflow.settings import settings
from autoflow.tools.base import Tool, ToolContext, ToolFunction
from autoflow.tools.mcp_file import McpServer

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult
    from mcp.types import Tool as RemoteTool

START_S = 30.0  # a server that has to be fetched first takes its time
STOP_S = 10.0
CONNECT_S = 20.0
CONNECTION_CLOSED = -32000  # the SDK's code for a request that lost its connection
READ_S = 300.0  # a server may hold a stream open; a call has the time limit of its tool
MAX_PAGES = 50  # of a list of tools


class McpConnection:
    """One server. Use `open`, then `call`, then `close`, from whatever task."""

    def __init__(self, name: str, server: McpServer) -> None:
        self.name = name
        self._server = server
        self._closing = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._client: Client | None = None

    async def open(self, timeout_s: float = START_S) -> tuple[Tool, ...]:
        """Start or reach the server and ask for its tools. Raises ToolFailed: it does not start, answer or agree."""
        ready: asyncio.Future[list[RemoteTool]] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(ready), name=f"mcp {self.name}")
        try:
            both: set[asyncio.Future[Any]] = {ready, self._life}
            await asyncio.wait(both, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.close()
            raise
        if ready.done() and not ready.cancelled():
            return tuple(self._tool(remote) for remote in ready.result())
        late = not self._life.done()
        await self.close()
        error = None if late or self._life.cancelled() else self._life.exception()
        if isinstance(error, ToolError):
            raise error
        raise self._failed(f"did not answer within {timeout_s:g} s" if late else f"did not start: {self._why()}")

    async def close(self) -> None:
        """Let the server go; one that does not want to is left behind after a while."""
        self._closing.set()
        if self._life is not None and not self._life.done():
            await asyncio.wait({self._life}, timeout=STOP_S if self._client else 0)
            self._life.cancel()
            await asyncio.wait({self._life}, timeout=STOP_S)
        self._why()  # looked at here, so that nobody is told of an exception that was never retrieved

    async def _live(self, ready: asyncio.Future[list[RemoteTool]]) -> None:
        async with AsyncExitStack() as stack:
            client = await self._connect(stack)
            listed = await _list_tools(client)
            self._client = client
            ready.set_result(listed)
            await self._closing.wait()

    async def _connect(self, stack: AsyncExitStack) -> Client:
        import httpx2
        from mcp import Client, StdioServerParameters, stdio_client
        from mcp.client.streamable_http import streamable_http_client

        server = self._server.resolved(self.name)
        if server.command is not None:
            parameters = StdioServerParameters(
                command=server.command, args=list(server.args), env=server.env, cwd=server.cwd,
                encoding_error_handler="replace",
            )  # fmt: skip
            transport = stdio_client(parameters, errlog=stack.enter_context(self._log()))
        else:
            timeout = httpx2.Timeout(CONNECT_S, read=READ_S)
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=server.headers, timeout=timeout))
            transport = streamable_http_client(server.url or "", http_client=http)
        return await stack.enter_async_context(Client(transport))

    def _log(self) -> TextIO:
        """Where the server's own complaints go."""
        settings().logs.mkdir(parents=True, exist_ok=True)
        return (settings().logs / f"mcp-{self.name}.log").open("a", encoding="utf-8")

    def _tool(self, remote: RemoteTool) -> Tool:
        spec = ToolSpec(exposed_name(self.name, remote.name), remote.description or "", remote.input_schema)
        return Tool(spec, self._caller(remote.name), f"mcp:{self.name}")

    def _caller(self, tool: str) -> ToolFunction:
        async def run(values: Mapping[str, Any], context: ToolContext) -> str:
            return await self.call(tool, values)

        return run

    async def call(self, tool: str, values: Mapping[str, Any]) -> str:
        """Call a tool of the server. Raises ToolFailed: the tool says so, or the server is gone."""
        if self._client is None or self._life is None or self._life.done():
            raise self._failed(f"has ended: {self._why()}")
        result = await self._or_end(self._client.call_tool(tool, dict(values)))
        text = _as_text(result)
        if result.is_error:
            raise ToolFailed(f"The tool `{self.name}.{tool}` failed: {text}")
        return text

    async def _or_end(self, work: Coroutine[Any, Any, CallToolResult]) -> CallToolResult:
        """The result, unless the server ends first."""
        assert self._life is not None
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task, self._life}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._failed(f"ended during the call: {self._why()}")
            return task.result()
        except asyncio.CancelledError:
            raise
        except ToolError:
            raise
        except Exception as error:  # the SDK lets through what its transports raise
            closed = getattr(error, "code", None) == CONNECTION_CLOSED
            what = "ended during the call" if closed else f"could not be asked: {_in_words(error)}"
            raise self._failed(what) from error
        finally:
            task.cancel()

    def _failed(self, what: str) -> ToolFailed:
        log = settings().logs / f"mcp-{self.name}.log"
        return ToolFailed(
            f"The MCP server `{self.name}` {what}.",
            f"Its own messages are in {log}." if self._server.command else f"Its address is {self._server.url}.",
        )

    def _why(self) -> str:
        if self._life is None or not self._life.done():
            return "it was not opened"
        if self._life.cancelled():
            return "it was stopped"
        error = self._life.exception()
        return _in_words(error) if error else "it closed the connection"


def exposed_name(server: str, tool: str) -> str:
    """`server.tool` under the rule for function names: 1 to 64 of letters, digits, _ and -."""
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{server}__{tool}")
    same = name == f"{server}__{tool}"
    if same and len(name) <= 64:
        return name
    mark = hashlib.sha256(f"{server}.{tool}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name[:57]}_{mark}"  # two names that were made alike stay apart


async def _list_tools(client: Client) -> list[RemoteTool]:
    page = await client.list_tools()
    found = list(page.tools)
    for _ in range(MAX_PAGES):
        if page.next_cursor is None:
            break
        page = await client.list_tools(cursor=page.next_cursor)
        found += page.tools
    return found


def _as_text(result: CallToolResult) -> str:
    """What a result says: its texts; of pictures and sounds only what they are."""
    parts = [_block(block) for block in result.content]
    if not parts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(parts)


def _block(block: Any) -> str:
    match block.type:
        case "text":
            return str(block.text)
        case "resource":
            return str(getattr(block.resource, "text", f"[a file: {block.resource.uri}]"))
        case "resource_link":
            return f"[{block.name}: {block.uri}]"
        case _:
            return f"[{block.type} of type {block.mime_type}]"


def _in_words(error: BaseException) -> str:
    """The first cause: task groups wrap what happened in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ToolError):
        return str(error).rstrip(".")
    return f"{error}".strip().rstrip(".") or type(error).__name__
