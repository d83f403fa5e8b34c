"""`autoflow tools`: what steps may call, and the MCP servers that bring more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from autoflow.cli import output
from autoflow.cli.options import Json
from autoflow.cli.table import print_table
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.tools.mcp_file import McpServer
    from autoflow.tools.toolbox import Toolbox

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the MCP server.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List the tools that steps may call; add MCP servers.", no_args_is_help=True)
    group.command("list")(list_)
    mcp = typer.Typer(help="Add, remove and list MCP servers.", no_args_is_help=True)
    mcp.command("list")(mcp_list)
    mcp.command("add")(mcp_add)
    mcp.command("remove")(mcp_remove)
    group.add_typer(mcp, name="mcp")
    app.add_typer(group, name="tools")


def list_(json_: Json = False) -> None:
    """List all tools: built in, of AUTOFLOW_TOOLS, and of the MCP servers, which are started for it."""
    box = asyncio.run(_open_all())
    if json_:
        tools = [
            {"name": t.name, "description": t.spec.description, "parameters": t.spec.parameters, "source": t.source,
             "unavailable": t.unavailable}
            for t in box.tools
        ]  # fmt: skip
        output.emit({"tools": tools, "problems": [str(problem) for problem in box.problems]})
        return
    rows = [(t.name, t.source, (t.spec.description.strip().splitlines() or [""])[0][:80]) for t in box.tools]
    print_table(("tool", "source", "what it does"), rows)
    for problem in (*map(str, box.problems), *filter(None, (t.unavailable for t in box.tools))):
        output.note(f"{output.paint('warning:', 'warning')} {problem}")


async def _open_all() -> Toolbox:
    from autoflow.tools import open_toolbox

    async with open_toolbox(None) as box:
        return box


def mcp_list(json_: Json = False) -> None:
    """List the MCP servers of the file; none is started."""
    from autoflow.settings import settings
    from autoflow.tools.mcp_file import list_servers

    servers = list_servers()
    if json_:
        listed = {name: server.model_dump(mode="json", exclude_defaults=True) for name, server in servers.items()}
        output.emit({"file": str(settings().mcp_file), "mcpServers": listed})
        return
    print_table(("server", "what it is"), [(name, _words(server)) for name, server in servers.items()])
    output.note(f"From {settings().mcp_file}")


def mcp_add(
    name: Name,
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND ARGS...]", help="For stdio.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="For streamable HTTP.")] = None,
    env: Annotated[list[str], typer.Option("--env", metavar="NAME=VALUE", help="VALUE may be ${VARIABLE}.")] = [],  # noqa: B006
    header: Annotated[list[str], typer.Option("--header", metavar="NAME=VALUE")] = [],  # noqa: B006
    replace: Annotated[bool, typer.Option("--replace", help="Where there is one of this name.")] = False,
    json_: Json = False,
) -> None:
    """Add an MCP server: `autoflow tools mcp add files -- npx -y server-filesystem /data`."""
    from pydantic import ValidationError

    from autoflow.records import broken_rule
    from autoflow.tools.mcp_file import McpServer, add_server

    try:
        server = McpServer(
            command=command[0] if command else None,
            args=tuple(command[1:]) if command else (),
            url=url,
            env=_pairs(env),
            headers=_pairs(header),
        )
    except ValidationError as error:
        raise SettingsError(
            f"The MCP server `{name}` is not right: {broken_rule(error)}.",
            f"Write `autoflow tools mcp add {name} -- COMMAND ARGS`, or `--url https://...` instead of the command.",
        ) from error
    add_server(name, server, replace=replace)
    if json_:
        output.emit({"name": name, **server.model_dump(mode="json", exclude_defaults=True)})
    else:
        output.say(f"The MCP server {name} was added; give a task its tools with --tool mcp:{name}")


def mcp_remove(name: Name, json_: Json = False) -> None:
    """Take an MCP server out of the file."""
    from autoflow.tools.mcp_file import remove_server

    remove_server(name)
    output.emit({"name": name, "removed": True}) if json_ else output.say(f"The MCP server {name} was removed.")


def _pairs(values: list[str]) -> dict[str, str]:
    found = dict(value.partition("=")[::2] for value in values)
    if any("=" not in value for value in values):
        raise SettingsError("Write NAME=VALUE.", "For example --env 'TOKEN=${MY_TOKEN}'")
    return found


def _words(server: McpServer) -> str:
    what = server.url or " ".join((server.command or "", *server.args))
    return f"{what} (disabled)" if server.disabled else what
