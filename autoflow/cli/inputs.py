"""`--input NAME=TEXT` and `--input NAME=@FILE`."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from autoflow.cli.files import read_bytes
from autoflow.errors import SettingsError
from autoflow.records import TaskInput, broken_rule

MAX_FILE_BYTES = 25 * 2**20  # what the store keeps
MAX_TEXT_BYTES = 100_000  # a text file up to here is shown to the model; a larger one is a file for tools to read
Keep = Callable[[bytes, str, str, str], TaskInput]  # content, name, file name, media type


def parse_inputs(values: Sequence[str], keep: Keep) -> tuple[TaskInput, ...]:
    """The inputs that the options name, in their order.

    `NAME=@FILE` reads a file: text of up to 100,000 bytes becomes a text input, everything else is given to `keep`.
    `NAME=@@TEXT` is the text `@TEXT`.

    Raises SettingsError: no `=`, no name, a name twice, or a file that cannot be read.
    """
    found: dict[str, TaskInput] = {}
    for value in values:
        name, separator, content = value.partition("=")
        name = name.strip()
        if not separator or not name:
            raise SettingsError(f"`--input {value[:80]}` names no input.", "Write NAME=TEXT or NAME=@FILE.")
        if name.casefold() in found:
            raise SettingsError(f"The input `{name}` is given twice.", "Give each input a name of its own.")
        found[name.casefold()] = _one(name, content, keep)
    return tuple(found.values())


def kind_only(data: bytes, name: str, filename: str, media_type: str) -> TaskInput:
    """Keeps nothing: for a generator, which sees names and kinds only."""
    kind = "image" if media_type.startswith("image/") else "file"
    return TaskInput.model_validate({"name": name, "kind": kind, "filename": filename, "media_type": media_type})


def _one(name: str, content: str, keep: Keep) -> TaskInput:
    try:
        if not content.startswith("@") or content.startswith("@@"):
            return TaskInput(name=name, text=content.removeprefix("@"))
        path = content[1:]
        data = read_bytes(path, MAX_FILE_BYTES)
        filename = os.path.basename(path)
        media_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        text = None if media_type.startswith("image/") else _text(data)
        if text is None:
            return keep(data, name, filename, media_type)
        return TaskInput(name=name, text=text, filename=filename, media_type="text/plain", size=len(data))
    except ValidationError as error:
        raise SettingsError(f"The input `{name[:80]}` cannot be used: {broken_rule(error)}.") from error


def _text(data: bytes) -> str | None:
    """The content as text, or None where it is long or no text."""
    if len(data) > MAX_TEXT_BYTES or b"\x00" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
