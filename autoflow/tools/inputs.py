"""The inputs of the task as text, for the tools that read them."""

from __future__ import annotations

from autoflow.errors import StoreError, ToolArgumentError, ToolFailed
from autoflow.records import TaskInput
from autoflow.tools.base import ToolContext


def named(name: str, context: ToolContext) -> TaskInput:
    """The input of this name, or of this file name. Raises ToolArgumentError: there is none."""
    wanted = name.strip().casefold()
    by_file = (i for i in context.task.inputs if i.filename and i.filename.casefold() == wanted)
    found = context.input(name) or next(by_file, None)
    if found is None:
        names = ", ".join(f"`{item.name}`" for item in context.task.inputs) or "none"
        raise ToolArgumentError(f"The task has no input `{name}`.", f"Its inputs are: {names}.")
    return found


def text_of(item: TaskInput, context: ToolContext) -> str:
    """The text that an input holds. Raises ToolFailed: it is no text in UTF-8, or its file is gone."""
    if item.kind == "text":
        return item.text
    if item.sha256 is None:
        raise ToolFailed(f"The file of the input `{item.name}` is missing.")
    try:
        data = context.read_file(item.sha256)
    except (StoreError, OSError) as error:
        raise ToolFailed(f"The input `{item.name}` cannot be read: {error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ToolFailed(f"The input `{item.name}` is no text in UTF-8 (byte {error.start:,}).") from error
    if "\0" in text:
        raise ToolFailed(f"The input `{item.name}` is no text: it holds binary data.")
    return text
