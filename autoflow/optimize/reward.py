"""From outcomes to a reward: one number a candidate, higher is better, and what each term gave to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

from autoflow.study import Outcome, RewardSpec

Term = Literal["score", "valid", "tokens", "steps", "seconds", "stopped", "errors", "no steps"]


def is_valid(outcome: Outcome) -> bool:
    """Whether the run reached its end with an answer that the suite can use."""
    return outcome.stop == "terminal" and outcome.parts.get("valid", 1.0) > 0


def run_terms(spec: RewardSpec, outcome: Outcome) -> dict[Term, float]:
    """What each term gives for one run; their sum is its reward. A run that stopped early has one term alone."""
    if outcome.stop == "invalid-workflow":
        return {"errors": spec.errors}
    if outcome.stop != "terminal":
        return {"stopped": spec.stopped}
    tokens = outcome.totals.prompt_tokens + outcome.totals.completion_tokens
    terms: dict[Term, float] = {
        "score": spec.score * outcome.score,
        "valid": spec.valid * is_valid(outcome),
        "tokens": -spec.tokens * tokens / 1000,
        "steps": -spec.steps * outcome.steps,
        "seconds": -spec.seconds * outcome.totals.seconds,
    }
    used = {
        "score": spec.score,
        "valid": spec.valid,
        "tokens": spec.tokens,
        "steps": spec.steps,
        "seconds": spec.seconds,
    }
    return {term: value for term, value in terms.items() if used[term]}


def text_terms(spec: RewardSpec, *, no_steps: bool) -> dict[Term, float]:
    """The reward of a text that cannot run, so that it is never run."""
    return {"no steps": spec.no_steps} if no_steps else {"errors": spec.errors}


def mean_terms(spec: RewardSpec, outcomes: Sequence[Outcome]) -> dict[Term, float]:
    """Mean of each term over tasks; repeats of a task are averaged first, so that every task counts the same.

    Raises ValueError: no outcomes, so there is nothing to average.
    """
    if not outcomes:
        raise ValueError("`outcomes` must not be empty.")
    by_task: dict[str, list[Mapping[Term, float]]] = {}
    for outcome in outcomes:
        by_task.setdefault(outcome.task, []).append(run_terms(spec, outcome))
    names = {name for runs in by_task.values() for run in runs for name in run}
    return {
        name: fmean(fmean(run.get(name, 0.0) for run in runs) for runs in by_task.values()) for name in sorted(names)
    }


def reward(spec: RewardSpec, outcomes: Sequence[Outcome]) -> float:
    """The candidate's reward on these outcomes. With the default spec: the mean score in [0, 1], failures 0.

    Raises ValueError: no outcomes.
    """
    return sum(mean_terms(spec, outcomes).values())
