"""Which MCP servers there are: the file `mcp.json` of the data folder, in the form that MCP clients share.

    {"mcpServers": {"files": {"command": "npx", "args": ["-y", "server-filesystem", "/data"], "env": {"KEY": "${KEY}"}},
                    "search": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}}}}

`${NAME}` is looked up in the environment or the secrets file when a server is started, so that no key is in this
file. A server starts a program, so this file is changed by hand or from the command line, never from a page.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autoflow.errors import NotFound, SettingsError, StorageUnavailable, ToolFailed
from autoflow.records import Json, broken_rule
from autoflow.settings import secret, settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_REFERENCE = re.compile(r"\$\{(\w+)\}")


class McpServer(BaseModel):
    """One server: a program that is started (stdio), or an address (streamable HTTP)."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # other clients keep notes of their own in the file

    command: str | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    cwd: str | None = None
    url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    type: str | None = None  # stdio, http; some clients write it
    disabled: bool = False

    @model_validator(mode="after")
    def _is_one_of_two(self) -> McpServer:
        if (self.command is None) == (self.url is None):
            raise ValueError("a server has either a `command` or a `url`")
        if self.type == "sse":
            raise ValueError("the transport `sse` is no longer part of MCP; use the server's streamable HTTP address")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError("the `url` begins with http:// or https://")
        return self

    def resolved(self, name: str) -> McpServer:
        """With every `${NAME}` replaced by its value. Raises ToolFailed: one of them is not set."""

        def value(found: re.Match[str]) -> str:
            known = secret(found[1])
            if known is None:
                raise ToolFailed(
                    f"The MCP server `{name}` needs `{found[1]}`, which is not set.",
                    f"Set it in the environment, or in {settings().home / 'secrets.toml'}.",
                )
            return known

        def fill(text: str) -> str:
            return _REFERENCE.sub(value, text)

        return self.model_copy(
            update={
                "args": tuple(fill(a) for a in self.args),
                "env": {k: fill(v) for k, v in self.env.items()},
                "url": fill(self.url) if self.url else None,
                "headers": {k: fill(v) for k, v in self.headers.items()},
            }
        )


def list_servers() -> dict[str, McpServer]:
    """All servers of the file, by name; none where there is no file. Raises SettingsError: it cannot be read."""
    return {name: _server(name, fields) for name, fields in _read().get("mcpServers", {}).items()}


def add_server(name: str, server: McpServer, *, replace: bool = False) -> None:
    """Write a server into the file.

    Raises SettingsError: the name is none, or it is taken and `replace` is not set. StorageUnavailable.
    """
    if not _NAME.fullmatch(name) or "__" in name:
        raise SettingsError(
            f"`{name}` cannot be the name of an MCP server.",
            "Take up to 32 letters, digits, - and single _, with a letter or digit in front.",
        )
    content = _read()
    servers = content.setdefault("mcpServers", {})
    if name in servers and not replace:
        raise SettingsError(f"There is an MCP server `{name}` already.", "Remove it first, or add it with --replace.")
    servers[name] = server.model_dump(mode="json", exclude_defaults=True)
    _write(content)


def remove_server(name: str) -> None:
    """Take a server out of the file. Raises NotFound; SettingsError; StorageUnavailable."""
    content = _read()
    if content.get("mcpServers", {}).pop(name, None) is None:
        raise NotFound(f"There is no MCP server `{name}`.", f"The file is {settings().mcp_file}.")
    _write(content)


def _read() -> Json:
    path = settings().mcp_file
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"The file of MCP servers {path} cannot be read: {error}.", _form()) from error
    if not isinstance(content, dict) or not isinstance(content.get("mcpServers", {}), dict):
        raise SettingsError(f"The file of MCP servers {path} has another form.", _form())
    return content


def _form() -> str:
    return 'Its form is {"mcpServers": {"NAME": {"command": "...", "args": []}}}.'


def _server(name: str, fields: object) -> McpServer:
    try:
        return McpServer.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "".join(f"`{part}`: " for part in first["loc"][:1])
        raise SettingsError(
            f"The MCP server `{name}` in {settings().mcp_file} is not right: {where}{broken_rule(error)}.", _form()
        ) from error


def _write(content: Json) -> None:
    """Whole or not at all, and for its owner's eyes only: commands and addresses may tell much."""
    path: Path = settings().mcp_file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".mcp-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)
        os.replace(name, path)
    except OSError as error:
        raise StorageUnavailable(f"The file {path} cannot be written: {error}.", "Look at its folder.") from error
