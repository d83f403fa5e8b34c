"""Tools: what a step may call besides the model.

A tool is a name, a description, a JSON schema of its arguments and a function. `@tool` makes one from a typed Python
function; MCP servers bring others. A `Toolbox` is what one run may use; `ToolContext` gives a tool the task at hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from autoflow.llm.base import ToolSpec
from autoflow.records import PictureRef, Task, TaskInput, Totals


class AddFile(Protocol):
    """Keeps a file by the hash of its content, as `Store.add_file` does."""

    def __call__(self, data: bytes, *, name: str, filename: str, media_type: str) -> TaskInput: ...


def no_store(data: bytes, *, name: str, filename: str, media_type: str) -> TaskInput:
    raise FileNotFoundError(f"There is no file store in this run, so {name} cannot be kept.")


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know of the run it works for."""

    task: Task
    read_file: Callable[[str], bytes]  # content by sha256, for file and image inputs
    add_file: AddFile = no_store
    made: tuple[PictureRef, ...] = ()  # pictures that tools made earlier in this run

    def input(self, name: str) -> TaskInput | None:
        """The input of this name (compared without regard to case), or None."""
        wanted = name.strip().casefold()
        return next((i for i in self.task.inputs if i.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gives back that has more to say than a text."""

    text: str  # what the model is told
    by: str = ""  # what did the work, where a tool can be done by several: `offline: non-local means`
    took: tuple[PictureRef, ...] = ()
    made: tuple[PictureRef, ...] = ()
    totals: Totals | None = None  # of the calls to a language model, where it made some


ToolFunction = Callable[[Mapping[str, Any], ToolContext], Awaitable[str | ToolResult]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable tool. `run` gets validated arguments and returns what the model is told, as text."""

    spec: ToolSpec
    run: ToolFunction = field(compare=False)
    source: str = "builtin"  # builtin, openagi, python:MODULE, mcp:SERVER, suite:NAME
    unavailable: str = ""  # why it cannot be used on this machine, and what to get
    # Awaited when a toolbox is opened with it, as reading much data takes longer than a call may; again does nothing.
    prepare: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return self.spec.name
