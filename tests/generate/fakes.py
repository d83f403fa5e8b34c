"""A model that says what it is told, under a grammar or not, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.llm.base import Capabilities, Completion, Grammar, Message, OnToken, Options, Usage

Said = str | Completion | Exception


class Teller:
    """Answers with `said` in turn; the last one again and again."""

    def __init__(self, *said: Said, grammar: bool | None = False) -> None:
        self._said = list(said)
        self._grammar = grammar
        self.asked: list[tuple[tuple[Message, ...], Options]] = []

    @property
    def name(self) -> str:
        return "scripted:teller"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(grammar=self._grammar)

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.asked.append((tuple(messages), options))
        said = self._said[min(len(self.asked), len(self._said)) - 1]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Completion):
            if on_token:
                on_token(said.text)
            return said
        for piece in said.splitlines(keepends=True) if on_token else ():
            on_token(piece)
        held = self._grammar and isinstance(options.constraint, Grammar)
        strength = "grammar" if held else "prompt" if options.constraint else "none"
        return Completion(said, usage=Usage(100, 50, 1.5, 0.01), strength=strength)

    async def aclose(self) -> None:
        """Nothing to release."""
