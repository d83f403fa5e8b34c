"""A task, its context, and MCP servers as real processes."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from autoflow.errors import NotFound
from autoflow.records import Task, TaskInput
from autoflow.tools.base import ToolContext
from autoflow.tools.mcp_file import McpServer, add_server

SERVER = str(Path(__file__).parent / "mcp_server.py")
MakeContext = Callable[..., ToolContext]


@pytest.fixture
def context() -> MakeContext:
    """`context(note="text", "report.txt"=b"...")`: a task with these inputs."""

    def make(**inputs: str | bytes) -> ToolContext:
        files = {sha256(data).hexdigest(): data for data in inputs.values() if isinstance(data, bytes)}

        def read(wanted: str) -> bytes:
            if wanted not in files:
                raise NotFound(f"There is no file {wanted}.")
            return files[wanted]

        made = tuple(_input(name, value) for name, value in inputs.items())
        return ToolContext(Task(id="tk_000000000000", objective="Test.", inputs=made), read)

    return make


def _input(name: str, value: str | bytes) -> TaskInput:
    if isinstance(value, str):
        return TaskInput(name=name, text=value)
    return TaskInput(name=name, kind="file", sha256=sha256(value).hexdigest(), filename=f"{name}.txt", size=len(value))


@pytest.fixture
def stdio_server() -> None:
    add_server("local", McpServer(command=sys.executable, args=(SERVER, "stdio"), env={"TEST_SECRET": "${A_KEY}"}))


@pytest.fixture(scope="session")
def http_address() -> Iterator[str]:
    """A server over streamable HTTP, at a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, SERVER, "http", str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()
