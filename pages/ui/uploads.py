"""Files that a person gives as inputs of a task."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from typing import Protocol

from autoflow.records import TaskInput
from pages.ui import services

MAX_NAME = 200


class Upload(Protocol):
    """What Streamlit gives of a file; its name and type are what a browser said."""

    name: str
    type: str

    def getvalue(self) -> bytes: ...


def kept(file: Upload, given: Sequence[TaskInput]) -> TaskInput:
    """The file as an input, in the store, under a name that none of the others bears. Raises StoreError: too large."""
    filename = base_name(file.name)
    kind = file.type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    name = free_name(filename, given)
    return services.store().add_file(file.getvalue(), name=name, filename=filename, media_type=kind)


def base_name(name: str) -> str:
    """The last part of what may be a path, on one line."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(c for c in last if c.isprintable()).strip(" .")[-MAX_NAME:] or "file"


def free_name(wanted: str, given: Sequence[TaskInput]) -> str:
    """`wanted`, with a number where another input already bears it (compared without regard to case)."""
    taken = {item.name.casefold() for item in given}
    names = (wanted, *(f"{wanted[: MAX_NAME - 4]} {n}" for n in range(2, 1000)))
    return next(name for name in names if name.casefold() not in taken)
