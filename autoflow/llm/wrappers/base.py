"""What all wrappers share."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.llm.base import LLM, Capabilities, Completion, Message, OnToken, Options


class Wrapper:
    """Passes everything on to `inner`."""

    def __init__(self, inner: LLM) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        return await self.inner.complete(messages, options, on_token)

    async def aclose(self) -> None:
        await self.inner.aclose()
