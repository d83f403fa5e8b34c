"""What a study may take, and parts of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.optimize.limits import at_this_pace_s, limit_left_s, part_of, reached
from autoflow.records import Totals
from autoflow.study import Study, StudyBudget, StudySpec, SuiteSpec

_amounts = st.integers(min_value=1, max_value=10**9)
_shares = st.floats(min_value=0, max_value=1)


def test_half_of_what_is_left_of_each_limit() -> None:
    budget = StudyBudget(max_calls=1_000, max_tokens=10_000, max_cost_usd=3.0, max_time_s=60.0)
    spent = Totals(calls=200, prompt_tokens=1_500, completion_tokens=500, cost_usd=1.0)
    part = part_of(budget, spent, 20.0, 0.5)
    assert (part.max_calls, part.max_tokens, part.max_cost_usd, part.max_time_s) == (600, 6_000, 2.0, 40.0)
    assert part.max_rounds == budget.max_rounds
    assert part_of(StudyBudget(), spent, 20.0, 0.5) == StudyBudget()


@given(limit=_amounts, spent=_amounts, share=_shares)
def test_a_part_is_never_more_than_the_whole_and_never_less_than_what_is_spent(
    limit: int, spent: int, share: float
) -> None:
    part = part_of(StudyBudget(max_calls=limit), Totals(calls=spent), 0.0, share).max_calls
    assert part is not None
    assert spent <= part <= max(limit, spent)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_and_all(share: float) -> None:
    part = part_of(StudyBudget(max_calls=10), Totals(calls=4), 0.0, share)
    assert (reached(part, Totals(calls=4), 0.0) is None) == (share == 1.0)
    assert reached(part, Totals(calls=10), 0.0) == "calls"


def _worked(seconds: float, limit: float | None) -> Study:
    spec = StudySpec(
        method="paper", suite=SuiteSpec(name="tiny"), interpreter="tiny:i", budget=StudyBudget(max_time_s=limit)
    )
    return Study(id="st_x", name="Tiny", spec=spec, splits={}, seconds=seconds)


@pytest.mark.parametrize(("limit", "left"), [(None, None), (100.0, 40.0), (60.0, 0.0), (50.0, 0.0)])
def test_a_limit_of_time_is_counted_from_what_was_worked(limit: float | None, left: float | None) -> None:
    assert limit_left_s(_worked(60.0, limit)) == left


@pytest.mark.parametrize(
    ("seconds", "done", "total", "left"),
    [(60.0, 3, 10, 140.0), (60.0, 0, 10, None), (0.0, 3, 10, None), (60.0, 10, 10, None), (60.0, 3, 0, None)],
)
def test_the_pace_is_that_of_what_was_done(seconds: float, done: float, total: float, left: float | None) -> None:
    assert at_this_pace_s(_worked(seconds, None), done, total) == left
