"""How far something with a known end is, drawn while it goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from autoflow.cli import output

if TYPE_CHECKING:
    from autoflow.llm.download import Progress

WIDTH = 30  # characters


class Bar:
    """Draws progress on standard error: a bar on a terminal, else a line at each tenth."""

    def __init__(self) -> None:
        self._tenth = -1

    def __call__(self, progress: Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        told = f"{share:4.0%} of {progress.total / 1e6:,.0f} MB  {progress.message}"
        if sys.stderr.isatty():
            filled = round(WIDTH * share)
            output.retell(f"[{'#' * filled}{'.' * (WIDTH - filled)}] {told[:80]}")
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            output.note(told)
