"""No more calls at once than a backend takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from autoflow.llm.base import LLM, Completion, Message, OnToken, Options
from autoflow.llm.wrappers.base import Wrapper


class Limited(Wrapper):
    """Lets `capabilities.concurrency` calls through at once; the others wait in order."""

    def __init__(self, inner: LLM) -> None:
        super().__init__(inner)
        self._places = asyncio.Semaphore(max(1, inner.capabilities.concurrency))

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        async with self._places:
            return await self.inner.complete(messages, options, on_token)
