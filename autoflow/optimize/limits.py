"""What a study may take, and how much of it is spent: calls, tokens, money, time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoflow.records import Totals
from autoflow.study import Split, StudyBudget, StudySpec, StudyStop


def least_calls(spec: StudySpec, splits: Mapping[Split, Any], first: int) -> int:
    """The fewest calls that scoring the first candidates and a new one can take: one a run, one to propose."""
    runs = len(splits["val"]) * spec.repeats
    return (first + 1) * runs + 1


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
