"""How good a plan is by the constraints of TravelPlanner.

The score of a run is in [0, 1], higher is better:

    score = filled * passed / asked

passed, asked  constraints: the eight of common sense and those hard ones that the query asks for. As in the benchmark,
               a hard one counts as passed only where the plan lacks no information and names nothing that is not in the
               database: what is not there costs nothing and breaks no rule.
filled         share of what the days of the trip need that the plan says at all. Without it a plan of nothing but "-"
               would keep six of the eight, as it repeats no restaurant, and a search would soon find that.

An answer that holds no plan scores 0. A plan that passes finally scores 1, and no other does. Parts, of which the means
over runs are the benchmark's figures:

delivered          1 where the answer holds a plan
commonsense micro  share of the eight that pass;      commonsense macro  1 where all do
hard micro         share of those asked that pass;    hard macro         1 where all do
final              1 where all pass

The mean of `hard micro` weighs each query alike, where the benchmark weighs each constraint alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoflow.metrics.base import Score
from autoflow.suites.travelplanner_commonsense import COMMONSENSE, filled
from autoflow.suites.travelplanner_hard import HARD, asked
from autoflow.suites.travelplanner_plan import read_plan
from autoflow.suites.travelplanner_queries import Query
from autoflow.suites.travelplanner_trip import Trip
from autoflow.tools.travel.database import TravelDatabase

PARTS = ("delivered", "commonsense micro", "commonsense macro", "hard micro", "hard macro", "final")
GATES = ("within sandbox", "complete information")  # what hard constraints need to mean anything
LONGEST_REASONS = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a plan, by constraint; None where it passes."""

    commonsense: Mapping[str, str | None]
    hard: Mapping[str, str | None]
    filled: float  # in [0, 1]

    @property
    def broken(self) -> dict[str, str]:
        return {name: wrong for name, wrong in {**self.commonsense, **self.hard}.items() if wrong is not None}

    @property
    def score(self) -> float:
        both = {**self.commonsense, **self.hard}
        return self.filled * (len(both) - len(self.broken)) / len(both)

    @property
    def parts(self) -> dict[str, float]:
        micro, macro = zip(*map(_rates, (self.commonsense, self.hard)), strict=True)
        return dict(zip(PARTS, (1.0, micro[0], macro[0], micro[1], macro[1], min(macro)), strict=True))


def judge(trip: Trip) -> Verdict:
    """Raises SettingsError: a file of the database is damaged."""
    commonsense = {name: constraint(trip) for name, constraint in COMMONSENSE.items()}
    gate = next((name for name in GATES if commonsense[name] is not None), None)
    hard = {name: f"not looked at without {gate}" if gate else HARD[name](trip) for name in asked(trip.query)}
    return Verdict(commonsense, hard, filled(trip))


def score_answer(query: Query, answer: str, database: TravelDatabase) -> Score:
    """Of the answer of a run; what is wrong with it stands in `expected`, as there is no one right plan."""
    days = read_plan(answer)
    if days is None:
        return Score(0.0, dict.fromkeys(PARTS, 0.0), f"A plan as a JSON list of days: {query.wishes}.")
    verdict = judge(Trip(query, days, database))
    return Score(verdict.score, verdict.parts, _in_words(query, verdict))


def _rates(constraints: Mapping[str, str | None]) -> tuple[float, float]:
    """Micro and macro."""
    passed = sum(wrong is None for wrong in constraints.values())
    return passed / len(constraints), float(passed == len(constraints))


def _in_words(query: Query, verdict: Verdict) -> str:
    broken = verdict.broken
    if not broken:
        return f"{query.wishes}: all kept."
    reasons = "; ".join(f"{name}: {wrong}" for name, wrong in broken.items())
    return f"Broken: {reasons[:LONGEST_REASONS]}. Asked: {query.wishes}."
