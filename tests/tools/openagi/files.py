"""A store of files in memory, contexts of a run that has some, and a machine without the hub."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest

from autoflow.errors import NotFound
from autoflow.records import PictureRef, Task, TaskInput
from autoflow.settings import settings
from autoflow.tools.base import ToolContext
from autoflow.tools.openagi import calling, experts
from autoflow.tools.openagi.images import Picture, to_png


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Expert tools work by what packages ship, whatever this machine reaches."""
    monkeypatch.setenv("AUTOFLOW_OFFLINE", "1")
    known = (settings, experts.hub_answers, calling._experts)
    for cached in known:
        cached.cache_clear()
    yield
    for cached in known:
        cached.cache_clear()


class Files:
    """As the store keeps them: by the hash of their content."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def add(self, data: bytes, *, name: str, filename: str, media_type: str) -> TaskInput:
        mark = sha256(data).hexdigest()
        self.kept[mark] = data
        kind = "image" if media_type.startswith("image/") else "file"
        made = {"name": name, "kind": kind, "sha256": mark, "filename": filename, "media_type": media_type}
        return TaskInput.model_validate(made)

    def read(self, mark: str) -> bytes:
        if mark not in self.kept:
            raise NotFound(f"There is no file of the hash {mark}.", "Give the file to the task again.")
        return self.kept[mark]

    def context(self, *made: PictureRef, **inputs: str | bytes | Picture) -> ToolContext:
        """`context(photo=picture, mail="text", broken=b"...")`."""
        items = tuple(self._input(name, value) for name, value in inputs.items())
        return ToolContext(Task(id="tk_000000000000", objective="Test.", inputs=items), self.read, self.add, made)

    def _input(self, name: str, value: str | bytes | Picture) -> TaskInput:
        if isinstance(value, str):
            return TaskInput(name=name, text=value)
        data = value if isinstance(value, bytes) else to_png(value)
        return self.add(data, name=name, filename=f"{name}.png", media_type="image/png")
