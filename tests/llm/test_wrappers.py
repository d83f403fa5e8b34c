"""Meter, budget and limit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import BudgetExceeded, ModelError, SettingsError
from autoflow.llm.base import Capabilities, Completion, Message, Options, Usage
from autoflow.llm.prices import FREE, Price
from autoflow.llm.scripted import ScriptedLLM
from autoflow.llm.wrappers import Budgeted, Limited, Metered, Wrapper
from autoflow.llm.wrappers.meter import cost_usd
from autoflow.records import Totals
from tests.llm.conftest import ASK

PRICE = Price(input=2.0, output=10.0, cached_input=0.5)
YES = [{"match": "bad", "error": "down"}, {"match": "", "reply": "yes"}]


class Using(Wrapper):
    """Says that each call used so much."""

    def __init__(self, usage: Usage) -> None:
        super().__init__(ScriptedLLM(YES))
        self.usage = usage

    async def complete(self, messages: Any, options: Options, on_token: Any = None) -> Completion:
        return replace(await self.inner.complete(messages, options, on_token), usage=self.usage)


# -- meter


def test_cost_counts_cached_prompt_tokens_at_their_own_price() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_prompt_tokens=400_000)
    assert cost_usd(usage, PRICE) == pytest.approx(0.6 * 2 + 0.4 * 0.5 + 0.1 * 10)
    assert cost_usd(usage, Price(input=2, output=10)) == pytest.approx(1 * 2 + 0.1 * 10)


def test_unknown_is_never_zero() -> None:
    known = Usage(prompt_tokens=1, completion_tokens=1)
    assert cost_usd(known, None) is None
    assert cost_usd(Usage(prompt_tokens=1), PRICE) is None
    assert cost_usd(Usage(completion_tokens=1), PRICE) is None
    assert cost_usd(Usage(), FREE) == 0.0


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_cost_is_never_negative_and_cached_tokens_never_make_it_dearer(prompt: int, answer: int, cached: int) -> None:
    usage = Usage(prompt_tokens=prompt, completion_tokens=answer, cached_prompt_tokens=cached)
    cost = cost_usd(usage, PRICE)
    whole = cost_usd(replace(usage, cached_prompt_tokens=0), PRICE)
    assert cost is not None
    assert whole is not None
    assert 0 <= cost <= whole + 1e-9


async def test_meter_adds_up_and_one_unknown_makes_the_sum_unknown() -> None:
    prices: dict[str, Price] = {"scripted:memory": PRICE}
    llm = Metered(ScriptedLLM(YES), prices.get)
    first = await llm.complete(ASK, Options())
    assert first.usage.cost_usd == pytest.approx((4 * 2 + 1 * 10) / 1e6)
    await llm.complete(ASK, Options())
    assert llm.totals.calls == 2
    assert llm.totals.cost_usd == pytest.approx(2 * (4 * 2 + 1 * 10) / 1e6)
    prices.clear()
    await llm.complete(ASK, Options())
    assert llm.totals.cost_usd is None


# -- budget


async def test_no_call_starts_beyond_the_limit_of_calls() -> None:
    llm = Budgeted(ScriptedLLM(YES), max_calls=2)
    for _ in range(2):
        await llm.complete(ASK, Options())
    with pytest.raises(BudgetExceeded) as caught:
        await llm.complete(ASK, Options())
    assert caught.value.limit == "max-calls"


async def test_calls_under_way_count_too() -> None:
    llm = Budgeted(ScriptedLLM([{"match": "", "reply": "yes", "latency_s": 0.01}]), max_calls=3)
    done = await asyncio.gather(*(llm.complete(ASK, Options()) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(one, Completion) for one in done) == 3
    assert sum(isinstance(one, BudgetExceeded) for one in done) == 7


async def test_call_that_failed_does_not_count() -> None:
    llm = Budgeted(ScriptedLLM(YES), max_calls=1)
    with pytest.raises(ModelError):
        await llm.complete([Message("user", "bad")], Options())
    assert (await llm.complete(ASK, Options())).text == "yes"


@pytest.mark.parametrize(
    ("usage", "limits", "limit"),
    [
        (Usage(prompt_tokens=80, completion_tokens=20), {"max_tokens": 100}, "max-tokens"),
        (Usage(), {"max_tokens": 4}, "max-tokens"),
        (Usage(prompt_tokens=500_000, completion_tokens=0), {"max_cost_usd": 1.0}, "max-cost"),
        (Usage(), {"max_cost_usd": 1.0}, "max-cost"),
    ],
    ids=["tokens", "tokens nobody counted", "money", "money nobody can tell"],
)
async def test_limit_is_reached_by_what_calls_used(usage: Usage, limits: dict[str, Any], limit: str) -> None:
    llm = Budgeted(Metered(Using(usage), lambda _: PRICE), **limits)
    await llm.complete(ASK, Options())
    with pytest.raises(BudgetExceeded) as caught:
        await llm.complete(ASK, Options())
    assert caught.value.limit == limit


async def test_what_was_spent_before_counts() -> None:
    llm = Budgeted(ScriptedLLM(YES), max_calls=5, spent=Totals(calls=4))
    await llm.complete(ASK, Options())
    with pytest.raises(BudgetExceeded):
        await llm.complete(ASK, Options())


async def test_call_that_runs_out_of_time_is_broken_off() -> None:
    llm = Budgeted(ScriptedLLM([{"match": "", "reply": "yes", "latency_s": 30}]), max_time_s=0.05)
    with pytest.raises(BudgetExceeded) as caught:
        await asyncio.wait_for(llm.complete(ASK, Options()), 5)
    assert caught.value.limit == "max-time"


async def test_time_before_a_pause_counts_and_nothing_starts_after_the_end() -> None:
    now = 100.0
    llm = Budgeted(ScriptedLLM(YES), max_time_s=60, spent=Totals(seconds=50), clock=lambda: now)
    await llm.complete(ASK, Options())
    now = 111.0
    with pytest.raises(BudgetExceeded, match="60 s"):
        await llm.complete(ASK, Options())


async def test_limit_of_money_needs_a_known_price_before_the_first_call() -> None:
    for llm in (ScriptedLLM(YES), Metered(ScriptedLLM(YES), lambda _: None)):
        with pytest.raises(SettingsError, match="price of `scripted:memory` is unknown"):
            Budgeted(llm, max_cost_usd=1.0)
    Budgeted(Limited(Metered(ScriptedLLM(YES), lambda _: FREE)), max_cost_usd=1.0)


# -- limit


async def test_no_more_calls_at_once_than_the_backend_takes() -> None:
    class Narrow(Wrapper):
        under_way = most = 0

        @property
        def capabilities(self) -> Capabilities:
            return Capabilities(concurrency=3)

        async def complete(self, messages: Any, options: Options, on_token: Any = None) -> Completion:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(0.001)
            self.under_way -= 1
            return await self.inner.complete(messages, options, on_token)

    backend = Narrow(ScriptedLLM(YES))
    llm = Limited(backend)
    await asyncio.gather(*(llm.complete(ASK, Options()) for _ in range(12)))
    assert backend.most == 3
