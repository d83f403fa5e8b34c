"""A real MCP server for the tests, written with the SDK: `python mcp_server.py stdio|http PORT|garbage|silent`."""

from __future__ import annotations

import os
import sys
import time

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ImageContent

server = MCPServer("test")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def secret() -> str:
    """What the variable TEST_SECRET holds."""
    return os.environ.get("TEST_SECRET", "nothing")


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ToolError("the disk is on fire")


@server.tool()
def die() -> str:
    """Ends the server in the middle of the call."""
    os._exit(3)


@server.tool()
def sleep(seconds: float) -> str:
    """Takes its time."""
    time.sleep(seconds)
    return "slept"


@server.tool()
def picture() -> ImageContent:
    """A picture."""
    return ImageContent(type="image", data="AAAA", mime_type="image/png")


@server.tool(name="a name/with signs that is much longer than what the endpoints of the vendors take")
def odd() -> str:
    """Has a name that functions may not have."""
    return "odd"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stdio"]:
            server.run()
        case ["http", port]:
            server.run("streamable-http", port=int(port))
        case ["garbage"]:
            print("this is no JSON-RPC", flush=True)
            sys.exit("I cannot start: no licence")
        case ["silent"]:
            time.sleep(600)
