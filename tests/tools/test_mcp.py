"""MCP servers as real processes, over stdio and over streamable HTTP."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from autoflow.errors import NotFound, SettingsError, ToolFailed, ToolTimeout, UnknownTool
from autoflow.settings import settings
from autoflow.tools.mcp_client import McpConnection, exposed_name
from autoflow.tools.mcp_file import McpServer, add_server, list_servers, remove_server
from autoflow.tools.opening import open_toolbox
from autoflow.tools.toolbox import Toolbox
from tests.tools.conftest import SERVER, MakeContext


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "swordfish")


async def say(toolbox: Toolbox, context: MakeContext, name: str, arguments: str = "{}", timeout_s: float = 20) -> str:
    return (await toolbox.call(name, arguments, context(), timeout_s)).text


@pytest.mark.usefixtures("stdio_server")
async def test_stdio_server_gives_its_tools_under_names_that_endpoints_take(context: MakeContext) -> None:
    async with open_toolbox(["mcp:local"]) as toolbox:
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", spec.name) for spec in toolbox.specs)
        assert await say(toolbox, context, "local__add", '{"a": 2, "b": 3}') == "5"
        odd = next(spec.name for spec in toolbox.specs if spec.description.startswith("Has a name"))
        assert await say(toolbox, context, odd) == "odd"
        assert await say(toolbox, context, "local__secret") == "swordfish"
        assert await say(toolbox, context, "local__picture") == "[image of type image/png]"


async def test_http_server_gives_its_tools(http_address: str, context: MakeContext) -> None:
    add_server("web", McpServer(url=http_address, headers={"X-Key": "${A_KEY}"}))
    async with open_toolbox(["web.add"]) as toolbox:
        assert [spec.name for spec in toolbox.specs] == ["web__add"]
        assert await say(toolbox, context, "web__add", '{"a": 2, "b": 3}') == "5"


@pytest.mark.usefixtures("stdio_server")
async def test_failing_tool_tells_its_reason(context: MakeContext) -> None:
    async with open_toolbox(["local.fail"]) as toolbox:
        with pytest.raises(ToolFailed, match="the disk is on fire"):
            await say(toolbox, context, "local__fail")


@pytest.mark.usefixtures("stdio_server")
async def test_server_that_dies_in_a_call_fails_that_call_and_the_next_and_no_other_tool(context: MakeContext) -> None:
    async with open_toolbox(["local.die", "local.add", "calculator"]) as toolbox:
        with pytest.raises(ToolFailed, match="MCP server `local`"):
            await say(toolbox, context, "local__die")
        with pytest.raises(ToolFailed, match="MCP server `local`"):
            await say(toolbox, context, "local__add", '{"a": 1, "b": 1}')
        assert await say(toolbox, context, "calculator", '{"expression": "1+1"}') == "2"


@pytest.mark.usefixtures("stdio_server")
async def test_call_that_hangs_is_given_up_and_the_server_still_works(context: MakeContext) -> None:
    async with open_toolbox(["mcp:local"]) as toolbox:
        with pytest.raises(ToolTimeout, match=r"`local__sleep` did not return within 0\.5 s"):
            await say(toolbox, context, "local__sleep", '{"seconds": 1}', timeout_s=0.5)
        assert await say(toolbox, context, "local__add", '{"a": 1, "b": 1}') == "2"


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (McpServer(command="no-such-program-anywhere"), "did not start: .*no-such-program-anywhere"),
        (McpServer(command=sys.executable, args=(SERVER, "garbage")), "did not start"),
        (McpServer(url="http://127.0.0.1:9/mcp"), "did not start"),
        (McpServer(command="x", env={"K": "${NOT_SET_ANYWHERE}"}), "needs `NOT_SET_ANYWHERE`, which is not set"),
    ],
)
async def test_server_that_does_not_start_says_so_and_the_others_work(
    server: McpServer, words: str, context: MakeContext
) -> None:
    add_server("bad", server)
    async with open_toolbox(["bad.read", "calculator"]) as toolbox:
        assert len(toolbox.problems) == 1
        with pytest.raises(ToolFailed, match=words):
            await say(toolbox, context, "bad__read")
        assert await say(toolbox, context, "calculator", '{"expression": "1+1"}') == "2"


async def test_what_a_server_complains_of_is_in_its_log() -> None:
    add_server("bad", McpServer(command=sys.executable, args=(SERVER, "garbage")))
    async with open_toolbox(["mcp:bad"]) as toolbox:
        assert "mcp-bad.log" in toolbox.problems[0].hint
    assert "no licence" in (settings().logs / "mcp-bad.log").read_text()


async def test_silent_server_is_given_up_and_its_process_ended() -> None:
    connection = McpConnection("mute", McpServer(command=sys.executable, args=(SERVER, "silent")))
    with pytest.raises(ToolFailed, match=r"`mute` did not answer within 1 s"):
        await connection.open(timeout_s=1)
    assert connection._life is not None
    assert connection._life.done()


@pytest.mark.usefixtures("stdio_server")
async def test_cancelled_run_closes_its_servers() -> None:
    async def hold(opened: asyncio.Event) -> None:
        async with open_toolbox(["mcp:local"]):
            opened.set()
            await asyncio.sleep(60)

    opened = asyncio.Event()
    task = asyncio.create_task(hold(opened))
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [t for t in asyncio.all_tasks() if t.get_name() == "mcp local"]


@pytest.mark.usefixtures("stdio_server")
async def test_tool_that_a_server_does_not_have_is_named_before_anything_runs() -> None:
    with pytest.raises(UnknownTool, match=r"`local` has no tool `subtract`.*local__add"):
        async with open_toolbox(["local.subtract"]):
            pass


def test_names_made_alike_stay_apart() -> None:
    assert exposed_name("s", "a.b") != exposed_name("s", "a/b")
    assert len(exposed_name("s", "x" * 200)) == 64


def test_servers_are_added_listed_and_removed(home: Path) -> None:
    add_server("files", McpServer(command="npx", args=("-y", "server"), env={"KEY": "${KEY}"}))
    add_server("web", McpServer(url="https://example.org/mcp"))
    assert list(list_servers()) == ["files", "web"]
    assert "${KEY}" in (home / "mcp.json").read_text()
    remove_server("files")
    assert list(list_servers()) == ["web"]
    with pytest.raises(NotFound, match="`files`"):
        remove_server("files")


def test_server_is_replaced_only_on_request() -> None:
    add_server("web", McpServer(url="https://example.org/mcp"))
    with pytest.raises(SettingsError, match="already"):
        add_server("web", McpServer(url="https://example.org/other"))
    add_server("web", McpServer(url="https://example.org/other"), replace=True)
    assert list_servers()["web"].url == "https://example.org/other"


def test_what_other_clients_wrote_into_the_file_is_kept(home: Path) -> None:
    (home / "mcp.json").write_text('{"theme": "dark", "mcpServers": {"a": {"command": "x", "autoApprove": ["y"]}}}')
    add_server("b", McpServer(command="z"))
    text = (home / "mcp.json").read_text()
    assert "theme" in text
    assert "autoApprove" in text


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"mcpServers": []}', '{"mcpServers": {"a": {}}}', '{"mcpServers": {"a": 3}}', "\x00",
     '{"mcpServers": {"a": {"command": "x", "url": "https://y"}}}', '{"mcpServers": {"a": {"url": "ftp://y"}}}'],
)  # fmt: skip
def test_broken_file_of_servers_is_named_with_the_form_it_should_have(home: Path, text: str) -> None:
    (home / "mcp.json").write_text(text)
    with pytest.raises(SettingsError, match=r"mcp\.json.*mcpServers"):
        list_servers()


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a__b", "-a", "x" * 33, "é"])
def test_name_that_no_tool_could_bear_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be the name"):
        add_server(name, McpServer(command="x"))
