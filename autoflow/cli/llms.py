"""Models and tools as the command line names them."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from autoflow.cli import output
from autoflow.errors import StorageUnavailable
from autoflow.settings import settings

if TYPE_CHECKING:
    from autoflow.llm.base import LLM
    from autoflow.records import Connection

_WITH_ADAPTERS = ("embedded", "local")
_FILES = ("scripted", "replay", "embedded", "local")


def model_name(given: str | None) -> str:
    """The model as any process can open it: the default where none is given, the paths of files absolute."""
    name = given or settings().default_model
    kind, colon, rest = name.partition(":")
    if not colon or kind not in _FILES:
        return name
    path, plus, adapter = rest, "", ""
    if kind in _WITH_ADAPTERS and not os.path.exists(rest) and "+" in rest:
        path, plus, adapter = rest.rpartition("+")
    there = os.path.isfile(path) or (kind == "local" and os.path.isfile(os.path.join(path, "config.json")))
    return f"{kind}:{os.path.abspath(path)}{plus}{adapter}" if there else name


def open_model(given: str | None) -> LLM:
    """The model of this name, or the default one. Raises SettingsError, ModelError: it cannot be had."""
    from autoflow.llm.registry import open_llm

    return open_llm(model_name(given), connections=saved_connection, on_status=_status if sys.stderr.isatty() else None)


def _status(text: str) -> None:
    """What a local model is waited for, on a line that the next one overwrites."""
    output.retell(text)


def check_model(given: str | None) -> str:
    """The model's name, after a look whether it can be opened; asks it nothing. Raises as `open_model`."""

    async def look() -> None:
        await open_model(given).aclose()

    asyncio.run(look())
    return model_name(given)


def check_tools(names: list[str]) -> None:
    """Raises UnknownTool: a name means nothing. Starts no MCP server, so their tools are not looked at."""
    from autoflow.tools import open_toolbox
    from autoflow.tools.mcp_file import list_servers
    from autoflow.tools.opening import WHOLE_SERVER

    servers = [name for name, server in list_servers().items() if not server.disabled]
    whole = {f"{WHOLE_SERVER}{server}" for server in servers}
    one = tuple(f"{server}{mark}" for server in servers for mark in (".", "__"))

    async def look() -> None:
        async with open_toolbox([name for name in names if name not in whole and not name.startswith(one)]):
            pass

    asyncio.run(look())


def saved_connection(name: str) -> Connection | None:
    """Where the database cannot be used, models that need no connection still can."""
    from autoflow.store import open_store

    try:
        return open_store().get_connection(name)
    except StorageUnavailable as error:
        output.note(f"{output.paint('warning:', 'warning')} connections cannot be read: {error}")
        return None
