"""The seam of expert tools: a batch of inputs in, a batch of outputs out, whoever provides the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from autoflow.tools.openagi.values import Value

# the paper's models, and free ones where the paper's may not be used or cannot be had; or parts that packages ship
Provider = Literal["hub", "offline"]


class Expert(Protocol):
    """One tool by one provider; safe to share between asyncio tasks."""

    @property
    def tool(self) -> str:
        """Its name in the benchmark, such as `Image Denoising`."""
        ...

    @property
    def provider(self) -> Provider: ...

    @property
    def part(self) -> str:
        """What does the work, by its own name: a model or an algorithm. Never the name of what it stands in for."""
        ...

    async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
        """One output for each input, in the same order. The same batch gives the same outputs.

        Raises ToolNotLoaded: its model cannot be loaded. ToolFailed: it failed on this batch, with the reason.
        ModelError: the language model that it asks cannot answer.
        """
        ...


class Experts(Protocol):
    """Where a plan finds its tools."""

    def find(self, tool: str) -> Expert:
        """Raises ToolFailed: it is not available here; the hint says what to get."""
        ...
