"""Limits that a run, a generation or a study must keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from autoflow.errors import BudgetExceeded, SettingsError
from autoflow.llm.base import LLM, Completion, Message, OnToken, Options, rough_tokens
from autoflow.llm.wrappers.base import Wrapper
from autoflow.llm.wrappers.meter import Metered, totals_of
from autoflow.records import Totals


class Budgeted(Wrapper):
    """Starts no call once a limit is reached, and breaks off a call that runs out of time.

    A limit of tokens or money may be overshot by the calls under way when it is reached: nobody knows before what an
    answer will take. Where an endpoint does not count tokens, characters / 4 stand in for them, for the limit only.

    Args:
        inner: the model.
        max_calls, max_tokens, max_cost_usd, max_time_s: None is no limit; tokens are those of prompts and answers.
        spent: what was taken before, by the part of a run that came before a pause, say.
        clock: seconds; the time limit counts from here on.
    Raises SettingsError: a limit of money for a model whose price is unknown.
    """

    def __init__(
        self,
        inner: LLM,
        *,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost_usd: float | None = None,
        max_time_s: float | None = None,
        spent: Totals | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(inner)
        if max_cost_usd is not None and not _price_known(inner):
            raise SettingsError(
                f"The price of `{inner.name}` is unknown, so a limit of {max_cost_usd:g} US dollars cannot be kept.",
                "Write its price into prices.json of the data folder, or leave the limit out.",
            )
        self._max_calls, self._max_tokens = max_calls, max_tokens
        self._max_cost_usd, self._max_time_s = max_cost_usd, max_time_s
        self.totals = spent or Totals()
        self._tokens = self.totals.prompt_tokens + self.totals.completion_tokens
        self._under_way = 0
        self._clock = clock
        self._started = clock() - self.totals.seconds

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self._check()
        self._under_way += 1
        try:
            async with asyncio.timeout(self._time_left()) as limit:
                completion = await self.inner.complete(messages, options, on_token)
        except TimeoutError:
            if limit.expired():
                raise self._out_of_time() from None
            raise
        finally:
            self._under_way -= 1
        self._count(messages, completion)
        return completion

    def _check(self) -> None:
        """Raises BudgetExceeded: no further call may start."""
        calls = self.totals.calls + self._under_way
        if self._max_calls is not None and calls >= self._max_calls:
            raise BudgetExceeded("max-calls", f"The limit of {self._max_calls} model calls was reached.")
        if self._max_tokens is not None and self._tokens >= self._max_tokens:
            raise BudgetExceeded("max-tokens", f"{self._tokens:,} tokens were taken; {self._max_tokens:,} are allowed.")
        cost = self.totals.cost_usd
        if self._max_cost_usd is not None and cost is None:
            raise BudgetExceeded(
                "max-cost", "The cost of a call could not be told, so the limit of money cannot be kept any longer."
            )
        if self._max_cost_usd is not None and cost is not None and cost >= self._max_cost_usd:
            raise BudgetExceeded("max-cost", f"{cost:.4f} US dollars were spent; {self._max_cost_usd:g} are allowed.")
        left = self._time_left()
        if left is not None and left <= 0:
            raise self._out_of_time()

    def _time_left(self) -> float | None:
        return None if self._max_time_s is None else self._max_time_s - (self._clock() - self._started)

    def _out_of_time(self) -> BudgetExceeded:
        return BudgetExceeded("max-time", f"The time limit of {self._max_time_s:g} s was reached.")

    def _count(self, messages: Sequence[Message], completion: Completion) -> None:
        usage = completion.usage
        self.totals += totals_of(usage)
        prompt, answer = usage.prompt_tokens, usage.completion_tokens
        self._tokens += rough_tokens(sum(len(m.content) for m in messages)) if prompt is None else prompt
        self._tokens += rough_tokens(len(completion.text)) if answer is None else answer


def _price_known(llm: LLM) -> bool:
    while isinstance(llm, Wrapper):
        if isinstance(llm, Metered):
            return llm.price_known
        llm = llm.inner
    return False
