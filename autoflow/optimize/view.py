"""A study in memory, and everything that follows from its candidates and outcomes.

Used by the search itself, by pages and by reports, so that all of them say the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from autoflow.lang import parse
from autoflow.optimize.reward import Term, is_valid, mean_terms, text_terms
from autoflow.records import Totals
from autoflow.study import FINAL, MANUAL, PLAIN, Candidate, Outcome, Split, Study, StudyBatch


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The study as it stood after one candidate. None: not measured."""

    candidate: int
    round: int
    train: float | None  # mean reward of this candidate on the train tasks it was run on
    val: float | None  # mean score on validation, where it was run on all of it
    best: float | None  # the best validation score so far
    valid: float | None  # share of its runs that reached an end with a usable answer
    cost_usd: float | None  # spent so far in all; None: a price is unknown
    calls: int  # model calls so far in all, those from the cache included
    tokens: int


class StudyView:
    """A study with its candidates and outcomes. Grows by `add`; nothing is ever taken away."""

    def __init__(self, study: Study, candidates: Iterable[Candidate] = (), outcomes: Iterable[Outcome] = ()) -> None:
        self.study = study
        self.candidates: list[Candidate] = []
        self._outcomes: dict[int, dict[tuple[str, int], Outcome]] = defaultdict(dict)
        self._waiting: dict[tuple[int, str, int], Outcome] = {}
        self._spent = {True: Totals(), False: Totals()}  # with and without the test
        self.add(candidates, outcomes)

    def add(self, candidates: Iterable[Candidate] = (), outcomes: Iterable[Outcome] = ()) -> None:
        """Take in what is new. An outcome that is given again (rated meanwhile) replaces the one there."""
        for candidate in candidates:
            self.candidates.append(candidate)
            self._count(candidate.totals, test=False)
        for outcome in outcomes:
            self._take_outcome(outcome)

    def _take_outcome(self, outcome: Outcome) -> None:
        key, there = (outcome.task, outcome.repeat), self._outcomes[outcome.candidate]
        if key not in there:  # a rating changes what it scored, not what it took
            self._count(outcome.totals + outcome.judge, test=outcome.split == "test")
        there[key] = outcome
        waiting = (outcome.candidate, *key)
        if outcome.pending:
            self._waiting[waiting] = outcome
        else:
            self._waiting.pop(waiting, None)

    def _count(self, totals: Totals, *, test: bool) -> None:
        self._spent[True] += totals
        if not test:
            self._spent[False] += totals

    def take(self, batch: StudyBatch) -> None:
        """Take in what was just kept."""
        given = {name: getattr(batch, name) for name in ("rounds", "stop", "best", "test_uses", "seconds", "unused")}
        self.study = self.study.model_copy(update={name: value for name, value in given.items() if value is not None})
        self.add(batch.candidates, [outcome for outcome, _ in batch.outcomes])

    def outcome(self, candidate: int, task: str, repeat: int = 0) -> Outcome | None:
        return self._outcomes[candidate].get((task, repeat))

    def outcomes(self, candidate: int, split: Split | None = None) -> list[Outcome]:
        """Of one candidate, in the order in which they came."""
        found = self._outcomes[candidate].values()
        return [outcome for outcome in found if split is None or outcome.split == split]

    def searched(self, candidate: int) -> list[Outcome]:
        """Its runs on train and validation, by which all candidates are alike; all, where it ran on the test alone."""
        found = self.outcomes(candidate)
        return [o for o in found if o.split != "test"] or found

    def all_outcomes(self) -> list[Outcome]:
        return [outcome for found in self._outcomes.values() for outcome in found.values()]

    def pending(self) -> list[Outcome]:
        """Those that wait for a person's rating."""
        return list(self._waiting.values())

    def complete(self, candidate: int, split: Split) -> bool:
        """Whether it was run on every task of the split, as often as the study repeats."""
        tasks, there = self.study.splits.get(split, ()), self._outcomes[candidate]
        return bool(tasks) and all((t, r) in there for t in tasks for r in range(self.study.spec.repeats))

    def score(self, candidate: int, split: Split) -> float | None:
        """Mean score over tasks in [0, 1], higher is better; None unless it was run on the whole split."""
        if not self.complete(candidate, split):
            return None
        return fmean(self.task_scores(candidate, split).values())

    def task_scores(self, candidate: int, split: Split | None = None) -> dict[str, float]:
        """Score of each task it was run on, repeats averaged."""
        by_task: dict[str, list[float]] = defaultdict(list)
        for outcome in self.outcomes(candidate, split):
            by_task[outcome.task].append(outcome.score)
        return {task: fmean(scores) for task, scores in by_task.items()}

    def reward(self, candidate: int, split: Split, tasks: Sequence[str] | None = None) -> float | None:
        """Mean reward on the tasks of the split (or only `tasks`) that it was run on; None where that is none.

        A text that cannot run has its reward without a run.
        """
        terms = self.terms(candidate, split, tasks)
        return None if terms is None else sum(terms.values())

    def terms(self, candidate: int, split: Split, tasks: Sequence[str] | None = None) -> dict[Term, float] | None:
        """What each term of the reward gave; they add up to `reward`."""
        spec = self.study.spec.reward
        chosen = self.candidates[candidate]
        if chosen.error:
            return text_terms(spec, no_steps=not parse(chosen.text).workflow.steps)
        found = [o for o in self.outcomes(candidate, split) if tasks is None or o.task in tasks]
        return mean_terms(spec, found) if found else None

    def valid_share(self, candidate: int, split: Split | None = None) -> float | None:
        """Share of its runs that reached an end with a usable answer, in [0, 1]; 0 for a text that cannot run.

        Without a split: of the runs that the search saw.
        """
        if self.candidates[candidate].error:
            return 0.0
        found = self.outcomes(candidate, split) if split else self.searched(candidate)
        return fmean(is_valid(o) for o in found) if found else None

    def measured(self, split: Split = "val") -> list[Candidate]:
        """Candidates that were run on the whole split, best reward first; among equals the cheaper, then the older."""
        found = [c for c in self.candidates if self.complete(c.number, split)]
        return sorted(found, key=lambda c: (-(self.reward(c.number, split) or 0.0), self._calls(c.number), c.number))

    def best(self, split: Split = "val") -> Candidate | None:
        found = self.measured(split)
        return found[0] if found else None

    def best_before(self, round_: int) -> Candidate | None:
        """The best on validation of those that were there before this round."""
        return next((c for c in self.measured("val") if c.round < round_), None)

    def by_operator(self, operator: str) -> Candidate | None:
        """The first candidate that this made: MANUAL, PLAIN, ..."""
        return next((c for c in self.candidates if c.operator == operator), None)

    @property
    def manual(self) -> Candidate | None:
        return self.by_operator(MANUAL)

    @property
    def plain(self) -> Candidate | None:
        return self.by_operator(PLAIN)

    def tested(self) -> list[Candidate]:
        """Those that the sealed test is for: the best, what it has to beat, and what a trained model drew for it."""
        final = [c for c in self.candidates if c.operator in FINAL]
        found = (self.best(), self.manual, self.plain, *final)
        return list({c.number: c for c in found if c is not None}.values())

    def children(self, candidate: int) -> list[Candidate]:
        return [c for c in self.candidates if c.parent == candidate]

    def totals(self, *, test: bool = True) -> Totals:
        """What proposing, running and judging took; without the runs on the test split where `test` is False."""
        return self._spent[test] + self.study.unused

    def curve(self) -> list[CurvePoint]:
        """One point a candidate, in the order in which they were made."""
        points: list[CurvePoint] = []
        best: float | None = None
        cost: float | None = 0.0
        calls = tokens = 0
        for c in self.candidates:
            val = self.score(c.number, "val")
            best = val if best is None else best if val is None else max(best, val)
            for took in self._took(c):  # plain numbers: a record for each sum would take longer than all the rest
                calls += took.calls
                tokens += took.prompt_tokens + took.completion_tokens
                cost = None if cost is None or took.cost_usd is None else cost + took.cost_usd
            train, valid = self.reward(c.number, "train"), self.valid_share(c.number)
            points.append(CurvePoint(c.number, c.round, train, val, best, valid, cost, calls, tokens))
        return points

    def _took(self, candidate: Candidate) -> Iterator[Totals]:
        """What proposing it, its runs and their scores took."""
        yield candidate.totals
        for outcome in self.outcomes(candidate.number):
            yield outcome.totals
            yield outcome.judge

    def _calls(self, candidate: int) -> float:
        found = self.outcomes(candidate, "val")
        return fmean(o.totals.calls for o in found) if found else 0.0
