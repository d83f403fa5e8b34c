"""Opening the toolbox of a run: built-in tools, Python functions of the user, the MCP servers that are needed, and what
a suite brings itself."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from autoflow.errors import SettingsError, ToolError, ToolFailed, UnknownTool
from autoflow.llm.base import LLM, ToolSpec
from autoflow.settings import settings
from autoflow.tools.base import Tool, ToolContext
from autoflow.tools.builtin import BUILTIN
from autoflow.tools.mcp_client import McpConnection, exposed_name
from autoflow.tools.mcp_file import list_servers
from autoflow.tools.openagi import calling
from autoflow.tools.threads import in_thread
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
async def open_toolbox(names: Sequence[str | Tool] | None = None, *, llm: LLM | None = None) -> AsyncIterator[Toolbox]:
    """A toolbox with these tools, for the length of the block.

    Args:
        names: of tools (`calculator`, `files.read` or `files__read` for the tool `read` of the MCP server `files`), or
            `mcp:files` for all of a server; likewise `openagi.image_denoising`, and `openagi` for all expert tools that
            can be used here; None for all there are. A tool itself is one that a suite brings: it comes first, and a
            name that is like its own means it.
        llm: the model of the run, which some expert tools ask.
    What no name asks for is not looked at: a file of MCP servers that is damaged is no concern of a run without them.
    Raises:
        SettingsError: AUTOFLOW_TOOLS or the file of MCP servers is not right.
        UnknownTool: a name means nothing. A server that cannot be opened raises nothing: its tools fail when they are
            called, the others work, and `Toolbox.problems` says what is wrong. So it is with an expert tool that cannot
            be used on this machine.
        What preparing a tool raises that a suite brings.
    """
    brought = {tool.name: tool for tool in names or () if isinstance(tool, Tool)}
    asked = None if names is None else [n for n in names if isinstance(n, str) and n not in brought]
    for prepare in dict.fromkeys(tool.prepare for tool in brought.values() if tool.prepare):
        await prepare()
    async with _open_named(asked, llm) as named:
        yield Toolbox([*brought.values(), *named.tools], named.problems) if brought else named


@asynccontextmanager
async def _open_named(names: Sequence[str] | None, llm: LLM | None) -> AsyncIterator[Toolbox]:
    """As `open_toolbox`, of names alone."""
    local = {tool.name: tool for tool in local_tools()} if names is None or names else {}
    experts = await _experts(names, llm)
    missing = _missing(names, experts)
    local, names = local | {n: tool for n, tool in experts.items() if n not in local}, _unfolded(names, experts)
    by_server = names is None or any(name not in local for name in names)
    servers = {n: server for n, server in list_servers().items() if not server.disabled} if by_server else {}
    wanted = None if names is None else [_meant(name, local, servers) for name in names]
    needed = servers if wanted is None else {w[0]: servers[w[0]] for w in wanted if w[0]}
    connections = [McpConnection(name, server) for name, server in needed.items()]
    try:
        opened = await asyncio.gather(*(c.open() for c in connections), return_exceptions=True)
        remote = {c.name: tools for c, tools in zip(connections, opened, strict=True)}
        yield _assembled(local, remote, wanted, missing)
    finally:
        await asyncio.gather(*(c.close() for c in connections))


async def _experts(names: Sequence[str] | None, llm: LLM | None) -> dict[str, Tool]:
    """The expert tools, where one is asked for: whether they can be used is asked of the hub, which takes a while."""
    if names is not None and not any(map(calling.means_expert, names)):
        return {}
    return {tool.name: tool for tool in await in_thread(lambda: calling.expert_tools(llm), calling.GROUP)}


def _missing(names: Sequence[str] | None, experts: Mapping[str, Tool]) -> list[ToolError]:
    """Why expert tools that are asked for cannot be used. Where all tools are looked at, each says it itself."""
    asked = set(map(calling.exposed, names or ()))
    wanted = (tool for tool in experts.values() if calling.GROUP in asked or tool.name in asked)
    return [ToolFailed(tool.unavailable) for tool in wanted if tool.unavailable]


def _unfolded(names: Sequence[str] | None, experts: Mapping[str, Tool]) -> Sequence[str] | None:
    """With `openagi` as the names of those that can be used, and each as it is called."""
    if names is None:
        return None
    usable = [tool.name for tool in experts.values() if not tool.unavailable]
    return [n for name in names for n in (usable if name == calling.GROUP else [calling.exposed(name)])]


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
    known = ", ".join([*local, calling.GROUP, *(f"{WHOLE_SERVER}{server}" for server in servers)])
    raise UnknownTool(f"The task asks for the tool `{name}`, which is not there.", f"There are: {known}.")


def _assembled(
    local: Mapping[str, Tool], remote: Mapping[str, tuple[Tool, ...] | BaseException],
    wanted: Sequence[tuple[str, str]] | None, missing: Sequence[ToolError],
) -> Toolbox:  # fmt: skip
    """The tools in the order in which they were asked for, and what is wrong with what was asked for."""
    problems = [tools for tools in remote.values() if isinstance(tools, BaseException)]
    for problem in problems:
        if not isinstance(problem, ToolError):
            raise problem
    if wanted is None:
        wanted = [*(("", name) for name in local), *((server, "") for server in remote)]
    tools = [tool for server, name in wanted for tool in _found(local, remote, server, name)]
    return Toolbox(tools, [*missing, *(problem for problem in problems if isinstance(problem, ToolError))])


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
