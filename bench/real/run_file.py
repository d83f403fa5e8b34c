"""A file of JSON lines that several runs of an experiment share; each names its run. Lines are added, never changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class RunFile:
    """The lines of one run."""

    def __init__(self, path: Path, run: str) -> None:
        self._path, self._run = path, run

    def lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        found = (json.loads(line) for line in self._path.read_text("utf-8").splitlines() if line)
        return [line for line in found if line["run"] == self._run]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "step" in line]

    def append(self, line: dict[str, Any]) -> None:
        """In one write, as other runs may be writing too."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab", buffering=0) as file:
            file.write((json.dumps({"run": self._run, **line}) + "\n").encode("utf-8", "surrogatepass"))
