"""Tools: what a step may call besides the model.

A tool is a name, a description, a JSON schema of its arguments and a function. `@tool` makes one from a typed Python
function; MCP servers bring others. A `Toolbox` is what one run may use; `ToolContext` gives a tool the task at hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autoflow.llm.base import ToolSpec
from autoflow.records import Task, TaskInput


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know of the run it works for."""

    task: Task
    read_file: Callable[[str], bytes]  # content by sha256, for file and image inputs

    def input(self, name: str) -> TaskInput | None:
        """The input of this name (compared without regard to case), or None."""
        wanted = name.strip().casefold()
        return next((i for i in self.task.inputs if i.name.casefold() == wanted), None)


ToolFunction = Callable[[Mapping[str, Any], ToolContext], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable tool. `run` gets validated arguments and returns what the model is told, as text."""

    spec: ToolSpec
    run: ToolFunction = field(compare=False)
    source: str = "builtin"  # builtin, python:MODULE, mcp:SERVER, suite:NAME
    # Awaited when a toolbox is opened with it, as reading much data takes longer than a call may; again does nothing.
    prepare: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return self.spec.name
