"""What AutoFlow says of every fault of tools, of MCP servers, and of what a model does in a run; and the table of it.

`python -m tests.tools.faults` writes the table of the docs from what is really said; a test keeps the two in step.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from autoflow.errors import AutoFlowError
from autoflow.records import Task, TaskInput
from autoflow.settings import settings
from autoflow.tools import Toolbox, ToolContext, local_tools, open_toolbox, tool
from autoflow.tools.builtin import BUILTIN
from autoflow.tools.mcp_client import McpConnection
from autoflow.tools.mcp_file import McpServer, add_server, list_servers
from autoflow.tools.openagi import availability
from autoflow.tools.openagi.images import to_png
from autoflow.tools.travel.database import TABLES
from autoflow.tools.travel.search import travel_tools
from tests.interpret.fakes import FORK, LINE, Reply, calls, flow, run, said
from tests.suites.travel import opened as opened_database
from tests.tools.openagi.files import Files
from tests.tools.openagi.test_images import bomb

TABLE = Path(__file__).parents[2] / "docs" / "errors-tools.md"
SERVER = str(Path(__file__).parent / "mcp_server.py")
ONE = flow("Sum|terminal|Add the numbers.")


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fetch() -> str:
    """Fails."""
    raise ConnectionError("no route to host")


@tool
async def wait() -> str:
    """Never returns."""
    await asyncio.sleep(60)
    return ""


INPUTS = (
    TaskInput(name="mail", text="Where is my money?"),
    TaskInput(name="photo", kind="file", sha256="0" * 64, filename="photo.png"),
)
CONTEXT = ToolContext(Task(id="tk_000000000000", objective="", inputs=INPUTS), lambda _: b"\x89PNG")
BOX = Toolbox([*BUILTIN, add, fetch, wait])
PHOTO = Image.radial_gradient("L").convert("RGB")


async def call(name: str, arguments: str = "{}", timeout_s: float = 0.05) -> str:
    return (await BOX.call(name, arguments, CONTEXT, timeout_s if name == "wait" else 20)).text


async def mcp(server: McpServer, tool_: str = "", timeout_s: float = 20) -> str:
    connection = McpConnection("files", server)
    try:
        await connection.open(timeout_s)
        return await connection.call(tool_, {})
    finally:
        await connection.close()


async def ran(*replies: Reply, workflow: object = ONE, **policy: object) -> str:
    """How a run stopped, or what it warned of."""
    done = await run(workflow, *replies, tools=[add, fetch], **policy)  # type: ignore[arg-type]
    if done.result.stop != "terminal":
        return f"(The run stops: {done.result.stop}.) {done.result.error} {done.result.hint}".strip()
    warned = [f"{e.data['message']} {e.data['hint']}".strip() for e in done.of("warning")]
    return f"(The run goes on.) {' '.join(warned)}".strip()


async def looked_at(content: bytes | Image.Image, name: str = "photo") -> str:
    context = Files().context(photo=content)
    async with open_toolbox(["openagi.image_denoising"]) as box:
        return (await box.call("openagi__image_denoising", json.dumps({"image": name}), context, 20)).text


async def missing(name: str) -> str:
    async with open_toolbox([name]) as box:
        return f"(The run warns, and goes on.) {box.problems[0]}"


async def opened(*names: str) -> str:
    async with open_toolbox(names):
        return "(It opens.)"


def module(name: str, content: str) -> None:
    (settings().home / f"{name}.py").write_text(content)


async def discovered(content: str | None) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(settings().home))
        patch.setenv("AUTOFLOW_TOOLS", "my_tools")
        settings.cache_clear()
        sys.modules.pop("my_tools", None)
        if content is not None:
            module("my_tools", content)
        return str(len(local_tools()))


async def travel(name: str, row: str = "", **arguments: str) -> str:
    """A search in the invented database, with this row added to its restaurants."""
    root = settings().home / "database"
    database = opened_database(root)
    if row:
        file, columns, _ = TABLES["restaurants"]
        (root / file).write_text(f"{','.join(columns)}\n{row}\n")
    return (await Toolbox(travel_tools(database)).call(name, json.dumps(arguments), CONTEXT, 20)).text


async def servers(text: str) -> str:
    settings().mcp_file.write_text(text)
    return str(list_servers())


async def added(name: str) -> None:
    add_server(name, McpServer(command="x"))


BROKEN = calls(("fetch", "{}"))
LOCAL = McpServer(command=sys.executable, args=(SERVER, "stdio"))

FAULTS: dict[str, Callable[[], Awaitable[object]]] = {
    "the model calls a tool that is not there": lambda: call("substract"),
    "tool arguments that are no JSON": lambda: call("add", "2 and 3"),
    "tool arguments that are no object": lambda: call("add", "[2, 3]"),
    "a tool argument is missing": lambda: call("add", '{"a": 2}'),
    "a tool argument has the wrong type": lambda: call("add", '{"a": "two", "b": 3}'),
    "a tool raises": lambda: call("fetch"),
    "a tool does not return": lambda: call("wait"),
    "arithmetic that is none": lambda: call("calculator", '{"expression": "import os"}'),
    "arithmetic that grows without bound": lambda: call("calculator", '{"expression": "9**9**9"}'),
    "a time zone that does not exist": lambda: call("current_date", '{"timezone": "Mars"}'),
    "an input that the task does not have": lambda: call("read_file", '{"name": "/etc/passwd"}'),
    "a file that is no text": lambda: call("read_file", '{"name": "photo"}'),
    "a tool is asked for a picture that is not there": lambda: looked_at(PHOTO, "../../etc/passwd"),
    "an input that is no picture": lambda: looked_at(b"hello"),
    "a picture that is cut off": lambda: looked_at(to_png(PHOTO)[:5000]),
    "a picture that says to have more pixels than memory": lambda: looked_at(bomb(60_000, 60_000)),
    "an expert tool that works with the hub alone, without it": lambda: missing("openagi.image_captioning"),
    "an input that is no JSON": lambda: call("json_query", '{"expression": "a", "input": "mail"}'),
    "a trip to a city that is not in the database": lambda: travel("restaurant_search", city="Elmfort"),
    "a date of a flight in another form": lambda: travel(
        "flight_search", origin="Orran", destination="Elmford", date="March 16th"
    ),
    "a file of the travel database that is damaged": lambda: travel(
        "restaurant_search", "A,Elmford,free,Tea,1", city="Orran"
    ),
    "the task asks for a tool that does not exist": lambda: opened("sing"),
    "a module of tools that cannot be imported": lambda: discovered(None),
    "a module without a tool": lambda: discovered("x = 1"),
    "two tools of one name": lambda: discovered(
        "from autoflow.tools import tool\n@tool\ndef calculator() -> str: ...\n"
    ),
    "an MCP server whose program is not there": lambda: mcp(McpServer(command="no-such-program")),
    "an MCP server at whose address nothing answers": lambda: mcp(McpServer(url="http://127.0.0.1:9/mcp")),
    "an MCP server that says nothing": lambda: mcp(McpServer(command=sys.executable, args=(SERVER, "silent")), "", 0.5),
    "an MCP server that dies during a call": lambda: mcp(LOCAL, "die"),
    "an MCP tool that fails": lambda: mcp(LOCAL, "fail"),
    "an MCP server that needs a key that is not set": lambda: mcp(McpServer(command="x", env={"K": "${FILES_KEY}"})),
    "a file of MCP servers that is no JSON": lambda: servers("{"),
    "an MCP server with neither a command nor an address": lambda: servers('{"mcpServers": {"files": {}}}'),
    "an MCP server with a name that no tool could bear": lambda: added("my files"),
    "a decision that the model does not make": lambda: ran("Maybe", workflow=FORK),
    "the same, with a default branch": lambda: ran("Maybe", "Maybe", "Done.", workflow=FORK, default_branch="No"),
    "a tool that keeps failing": lambda: ran(BROKEN),
    "a model that calls tools without end": lambda: ran(calls(*[("add", '{"a": 1, "b": 1}')] * 10), "2"),
    "empty or null content": lambda: ran(""),
    "half a JSON as a decision": lambda: ran('{"answer": "it', '{"branch": "Ye', workflow=FORK),
    "a reply that repeats itself without end": lambda: ran(lambda m, o: _endless()),
    "a limit of money, and a price that nobody knows": lambda: ran(said("5", cost_usd=None), max_cost_usd=1),
    "a workflow that never ends": lambda: ran("x", workflow=LINE, max_steps=1),
    "a limit of calls": lambda: ran("x", workflow=LINE, max_calls=1),
    "a limit of tokens": lambda: ran("x", workflow=LINE, max_tokens=5),
    "a limit of money": lambda: ran(said("x", cost_usd=0.02), workflow=LINE, max_cost_usd=0.01),
    "a workflow with errors": lambda: ran("x", workflow=flow("A|process|Go on.|next>C", "B|terminal|End.")),
}


def _endless():  # type: ignore[no-untyped-def]
    from autoflow.llm.base import Completion

    return Completion("and so on, " * 50, finish="length")


async def told(fault: str) -> str:
    """What is said of a fault, in a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFLOW_HOME", folder)
        patch.setattr(availability, "hub_answers", lambda: False)
        settings.cache_clear()
        try:
            said_ = str(await FAULTS[fault]())
        except AutoFlowError as error:
            said_ = str(error)
        finally:
            settings.cache_clear()
        return said_.replace(folder, "/home/me/autoflow").replace("\n", " ").replace("|", "\\|")


def table(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"| {fault} | {said_} |\n" for fault, said_ in rows)
    head = "<!-- Written by `python -m tests.tools.faults`; a test keeps it in step. -->\n\n"
    return f"{head}| What happens | What AutoFlow says |\n|---|---|\n{lines}"


async def _all() -> list[tuple[str, str]]:
    return [(fault, await told(fault)) for fault in FAULTS]


if __name__ == "__main__":
    TABLE.write_text(table(asyncio.run(_all())), "utf-8")
