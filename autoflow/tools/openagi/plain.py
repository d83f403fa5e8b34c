"""Experts made of functions, and experts that ask the language model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autoflow.errors import ToolError, ToolFailed
from autoflow.llm.base import LLM, Message, Options
from autoflow.prompts import fill, load
from autoflow.tools.openagi.base import Provider
from autoflow.tools.openagi.values import Value
from autoflow.tools.threads import in_thread

ANSWER_TOKENS = 96


@dataclass(frozen=True)
class Plain:
    """An expert that is a function of one input."""

    tool: str
    part: str
    function: Callable[..., Value] = field(compare=False)
    provider: Provider = "offline"

    async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
        return await in_thread(lambda: [self._one(values) for values in batch], self.tool)

    def _one(self, values: tuple[Value, ...]) -> Value:
        try:
            return self.function(*values)
        except ToolError:
            raise
        except Exception as error:  # the parts are other people's code
            raise ToolFailed(f"`{self.tool}` ({self.part}) failed: {type(error).__name__}: {error}"[:500]) from error


@dataclass(frozen=True)
class Asking:
    """An expert that is a prompt: `prompts/NAME.md`, whose placeholders are `first` and, of two inputs, `second`."""

    tool: str
    llm: LLM = field(compare=False)
    prompt: str
    provider: Provider = "offline"

    @property
    def part(self) -> str:
        return self.llm.name

    async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
        return list(await asyncio.gather(*(self._one(values) for values in batch)))

    async def _one(self, values: tuple[Value, ...]) -> Value:
        texts = dict(zip(("first", "second"), map(str, values), strict=False))
        asked = fill(load("tools", self.prompt), **texts)
        options = Options(temperature=0.0, seed=0, max_tokens=ANSWER_TOKENS, label=self.tool)
        reply = await self.llm.complete([Message("user", asked)], options)
        return reply.text.strip()
