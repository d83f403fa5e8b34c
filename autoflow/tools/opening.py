"""Opening the toolbox of a run: built-in tools, Python functions of the user, the MCP servers that are needed, and what
a suite brings itself."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from autoflow.errors import SettingsError, ToolError, UnknownTool
from autoflow.llm.base import ToolSpec
from autoflow.settings import settings
from autoflow.tools.base import Tool, ToolContext
from autoflow.tools.builtin import BUILTIN
from autoflow.tools.mcp_client import McpConnection, exposed_name
from autoflow.tools.mcp_file import list_servers
from autoflow.tools.toolbox import Toolbox

WHOLE_SERVER = "mcp:"  # `mcp:files` means all tools of the server `files`


def local_tools() -> list[Tool]:
    """The tools that need no server: the built-in ones, then those of the modules in AUTOFLOW_TOOLS.

    Raises SettingsError: a module cannot be imported, holds no tool, or two tools have the same name.
    """
    modules = [name.strip() for name in settings().tools.split(",") if name.strip()]
    found: dict[str, Tool] = {tool.name: tool for tool in BUILTIN}
    for tool in (tool for module in modules for tool in _tools_of(module)):
        other = found.setdefault(tool.name, tool)
        if other is not tool:
            raise SettingsError(f"Two tools are named `{tool.name}`: one of {other.source}, one of {tool.source}.")
    return list(found.values())


def _tools_of(module: str) -> list[Tool]:
    try:
        names = vars(importlib.import_module(module))
    except (Exception, SystemExit) as error:
        raise SettingsError(
            f"AUTOFLOW_TOOLS names the module `{module}`, which cannot be imported: {type(error).__name__}: {error}.",
            "Look at its spelling, and whether PYTHONPATH names its folder.",
        ) from error
    found = {id(tool): tool for tool in names.values() if isinstance(tool, Tool) and tool.source != "builtin"}
    if not found:
        raise SettingsError(f"AUTOFLOW_TOOLS names the module `{module}`, which holds no tool.", "Mark one with @tool.")
    return [replace(tool, source=f"python:{module}") for tool in found.values()]


@asynccontextmanager
async def open_toolbox(names: Sequence[str | Tool] | None = None) -> AsyncIterator[Toolbox]:
    """A toolbox with these tools, for the length of the block.

    Args:
        names: of tools (`calculator`, `files.read` or `files__read` for the tool `read` of the MCP server `files`), or
            `mcp:files` for all of a server; None for all there are. A tool itself is one that a suite brings: it comes
            first, and a name that is like its own means it.
    What no name asks for is not looked at: a file of MCP servers that is damaged is no concern of a run without them.
    Raises:
        SettingsError: AUTOFLOW_TOOLS or the file of MCP servers is not right.
        UnknownTool: a name means nothing. A server that cannot be opened raises nothing: its tools fail when they are
            called, the others work, and `Toolbox.problems` says what is wrong.
        What preparing a tool raises that a suite brings.
    """
    brought = {tool.name: tool for tool in names or () if isinstance(tool, Tool)}
    asked = None if names is None else [n for n in names if isinstance(n, str) and n not in brought]
    for prepare in dict.fromkeys(tool.prepare for tool in brought.values() if tool.prepare):
        await prepare()
    async with _open_named(asked) as named:
        yield Toolbox([*brought.values(), *named.tools], named.problems) if brought else named


@asynccontextmanager
async def _open_named(names: Sequence[str] | None) -> AsyncIterator[Toolbox]:
    """As `open_toolbox`, of names alone."""
    local = {tool.name: tool for tool in local_tools()} if names is None or names else {}
    by_server = names is None or any(name not in local for name in names)
    servers = {n: server for n, server in list_servers().items() if not server.disabled} if by_server else {}
    wanted = None if names is None else [_meant(name, local, servers) for name in names]
    needed = servers if wanted is None else {w[0]: servers[w[0]] for w in wanted if w[0]}
    connections = [McpConnection(name, server) for name, server in needed.items()]
    try:
        opened = await asyncio.gather(*(c.open() for c in connections), return_exceptions=True)
        remote = {c.name: tools for c, tools in zip(connections, opened, strict=True)}
        yield _assembled(local, remote, wanted)
    finally:
        await asyncio.gather(*(c.close() for c in connections))


def _meant(name: str, local: Mapping[str, Tool], servers: Mapping[str, Any]) -> tuple[str, str]:
    """(server, tool) that a name means; no server for a local tool, no tool for all of a server."""
    if name in local:
        return "", name
    for server in servers:
        if name == f"{WHOLE_SERVER}{server}":
            return server, ""
        for prefix in (f"{server}.", f"{server}__"):
            if name.startswith(prefix):
                return server, name.removeprefix(prefix)
    known = ", ".join([*local, *(f"{WHOLE_SERVER}{server}" for server in servers)])
    raise UnknownTool(f"The task asks for the tool `{name}`, which is not there.", f"There are: {known}.")


def _assembled(
    local: Mapping[str, Tool], remote: Mapping[str, tuple[Tool, ...] | BaseException],
    wanted: Sequence[tuple[str, str]] | None,
) -> Toolbox:  # fmt: skip
    """The tools in the order in which they were asked for, and the problems of servers that did not open."""
    problems = [tools for tools in remote.values() if isinstance(tools, BaseException)]
    for problem in problems:
        if not isinstance(problem, ToolError):
            raise problem
    if wanted is None:
        wanted = [*(("", name) for name in local), *((server, "") for server in remote)]
    tools = [tool for server, name in wanted for tool in _found(local, remote, server, name)]
    return Toolbox(tools, [problem for problem in problems if isinstance(problem, ToolError)])


def _found(
    local: Mapping[str, Tool], remote: Mapping[str, tuple[Tool, ...] | BaseException], server: str, name: str
) -> list[Tool]:
    if not server:
        return [local[name]]
    tools = remote[server]
    if isinstance(tools, BaseException):
        return [_broken(server, name, tools)] if name else []
    names = {exposed_name(server, name), f"{server}__{name}"}  # as the server names it, or as it was shown
    found = [tool for tool in tools if not name or tool.name in names]
    if name and not found:
        listed = ", ".join(tool.name for tool in tools) or "none"
        raise UnknownTool(f"The MCP server `{server}` has no tool `{name}`.", f"Its tools are: {listed}.")
    return found


def _broken(server: str, name: str, problem: BaseException) -> Tool:
    """Stands for a tool whose server is down: the model is told of it, and told why it fails."""

    async def run(values: Mapping[str, Any], context: ToolContext) -> str:
        raise problem

    spec = ToolSpec(exposed_name(server, name), f"The tool {name} of {server}.", {"type": "object"})
    return Tool(spec, run, f"mcp:{server}")
