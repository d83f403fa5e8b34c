"""What calls take and cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from autoflow.llm.base import LLM, Completion, Message, OnToken, Options, Usage
from autoflow.llm.prices import Price
from autoflow.llm.wrappers.base import Wrapper
from autoflow.records import Totals

PriceOf = Callable[[str], Price | None]


class Metered(Wrapper):
    """Writes the cost into each answer's usage, and adds up what all calls took.

    Args:
        inner: the model.
        price_of: the price of a model, by the name that the endpoint answers with ("" before the first answer).
    """

    def __init__(self, inner: LLM, price_of: PriceOf) -> None:
        super().__init__(inner)
        self._price_of = price_of
        self.totals = Totals()

    @property
    def price_known(self) -> bool:
        """Whether a limit of money can be kept, as far as can be told before the first answer."""
        return self._price_of("") is not None

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        completion = await self.inner.complete(messages, options, on_token)
        usage = completion.usage
        if not usage.cached:
            usage = replace(usage, cost_usd=cost_usd(usage, self._price_of(completion.model)))
        self.totals += totals_of(usage)
        return replace(completion, usage=usage)


def cost_usd(usage: Usage, price: Price | None) -> float | None:
    """What a call cost in US dollars. None: the price or the tokens are unknown."""
    if price is not None and price.free:
        return 0.0
    if price is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    cached = min(usage.cached_prompt_tokens, usage.prompt_tokens)
    cached_price = price.input if price.cached_input is None else price.cached_input
    fresh = usage.prompt_tokens - cached
    return (fresh * price.input + cached * cached_price + usage.completion_tokens * price.output) / 1e6


def totals_of(usage: Usage) -> Totals:
    """One call, as a sum of one."""
    unknown = usage.prompt_tokens is None or usage.completion_tokens is None
    return Totals(
        calls=1,
        cached=int(usage.cached),
        prompt_tokens=usage.prompt_tokens or 0,
        completion_tokens=usage.completion_tokens or 0,
        cost_usd=usage.cost_usd,
        seconds=usage.seconds,
        unknown_tokens=int(unknown),
    )
