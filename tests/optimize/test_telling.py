"""What a generator is told of runs that went wrong."""

from __future__ import annotations

from autoflow.optimize.telling import feedback
from autoflow.study import Outcome
from tests.optimize.operating import Honest, workshop


async def test_what_a_suite_says_of_one_answer_comes_before_what_it_says_of_the_task() -> None:
    shop = workshop("", Honest())
    one, other = shop.suite.tasks("train")[:2]
    outcomes = [
        Outcome(candidate=0, task=one.id, split="train", score=0.2, stop="terminal", expected="Broken: budget"),
        Outcome(candidate=0, task=other.id, split="train", score=0.3, stop="max-steps"),
    ]  # fmt: skip
    shop.view.add(outcomes=outcomes)
    told = await feedback(shop, 0, 2)
    assert "Right: Broken: budget" in told
    assert f"Right: {shop.suite.expected(other)[:40]}" in told
