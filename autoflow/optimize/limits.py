"""What a study may take, and how much of it is spent: calls, tokens, money, time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoflow.records import Totals
from autoflow.study import Split, Study, StudyBudget, StudySpec, StudyStop


def least_calls(spec: StudySpec, splits: Mapping[Split, Any], first: int) -> int:
    """The fewest calls that scoring the first candidates and a new one can take: one a run, one to propose."""
    runs = len(splits["val"]) * spec.repeats
    return (first + 1) * runs + 1


def part_of(budget: StudyBudget, spent: Totals, seconds: float, share: float) -> StudyBudget:
    """The limits within which this share, in [0, 1], of what is left now is spent. What has no limit keeps none."""

    def scaled(limit: float | None, so_far: float) -> Any:
        return None if limit is None else so_far + max(0.0, limit - so_far) * share

    calls = scaled(budget.max_calls, spent.calls)
    tokens = scaled(budget.max_tokens, spent.prompt_tokens + spent.completion_tokens)
    return budget.model_copy(
        update={
            "max_calls": None if calls is None else int(calls),
            "max_tokens": None if tokens is None else int(tokens),
            "max_cost_usd": scaled(budget.max_cost_usd, spent.cost_usd or 0.0),
            "max_time_s": scaled(budget.max_time_s, seconds),
        }
    )


def reached(budget: StudyBudget, spent: Totals, seconds: float) -> StudyStop | None:
    """The limit that was reached, if any. Money of unknown price cannot be limited."""
    tokens = spent.prompt_tokens + spent.completion_tokens
    if budget.max_calls is not None and spent.calls >= budget.max_calls:
        return "calls"
    if budget.max_tokens is not None and tokens >= budget.max_tokens:
        return "tokens"
    if budget.max_cost_usd is not None and spent.cost_usd and spent.cost_usd >= budget.max_cost_usd:
        return "cost"
    if budget.max_time_s is not None and seconds >= budget.max_time_s:
        return "time"
    return None


def limit_left_s(study: Study) -> float | None:
    """Seconds until its limit of time ends the search, >= 0, as of what was last kept; None: there is no limit."""
    limit = study.spec.budget.max_time_s
    return None if limit is None else max(0.0, limit - study.seconds)


def at_this_pace_s(study: Study, done: float, total: float) -> float | None:
    """Seconds until all of it is done, at the pace so far; pauses do not count. None: nothing can be said yet.

    Args:
        done, total: rounds, or runs of a comparison, as its job counts them. The test is not counted.
    """
    return study.seconds * (total - done) / done if study.seconds and 0 < done < total else None
