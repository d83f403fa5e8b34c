"""The one search loop: propose, try, select; the same for every optimizer.

    round 0   the manual workflow and the plain prompt are run on validation: they are always in the pool
    round n   the optimizer proposes drafts; each is run on a few train tasks beside its parent and the best; those that
              do better are run on all train tasks, and those that still do better on all of validation; all of it is
              kept, so that a search goes on where it was stopped
    the end   the best on validation, the manual workflow, the plain prompt, and where a generator was trained what it
              writes and what it wrote before, are run once on the sealed test set

What is kept decides what happens next: the loop asks its view what is missing, and never remembers anything else. So a
study that was killed at any moment comes to the same end as one that was not.

The budget counts everything but the test. It is looked at before each run: what is under way is finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from autoflow.errors import GONE, BudgetExceeded, ModelError
from autoflow.lang import format_workflow, parse
from autoflow.optimize.base import Draft, Optimizer, Workshop
from autoflow.optimize.limits import reached
from autoflow.optimize.running import Halted, Runner, Sink
from autoflow.optimize.start import first_error
from autoflow.optimize.view import StudyView
from autoflow.records import Totals
from autoflow.study import FINAL, Candidate, Study, StudyBatch, StudyStop

PERFECT = 1.0 - 1e-9


class Search:
    """One study, carried on from wherever it is."""

    def __init__(self, workshop: Workshop, optimizer: Optimizer, runner: Runner, sink: Sink) -> None:
        self._shop = workshop
        self._view = workshop.view
        self._optimizer = optimizer
        self._runner = runner
        self._sink = sink

    async def run(self) -> StudyStop:
        """Search to the end; returns why it ended.

        A generator that refuses to answer ends it with what there is. Raises Halted; ModelError: a model is gone, and
        the study can be carried on when it is back; what the sink raises.
        """
        stop = self._study.stop
        if stop is None and self._study.test_uses:  # once the test is open, nothing is searched any more
            stop = await self._ended() or "generator-error"
        stop = stop or await self._search()
        await self._final()
        await self._test()
        best = self._view.best()
        number = best.number if best else None
        await self._keep(StudyBatch(self._study.id, stop=stop, best=number), "Done")
        return stop

    @property
    def _study(self) -> Study:
        return self._view.study

    async def _search(self) -> StudyStop:
        given = self._of_round(0)
        if not self._study.rounds:
            self._sink.show(f"Before the first round: measuring {len(given)} on validation")
        stop = await self._runner.run(given, "val", 0)
        while stop is None:
            if self._sink.pause_wanted():
                raise Halted
            number = self._study.rounds + 1
            begun = self._of_round(number)  # before a crash or a pause: it is gone through to its end
            stop = (None if begun else await self._ended()) or await self._round(number)
        return stop

    def _of_round(self, number: int) -> list[Candidate]:
        return [c for c in self._view.candidates if c.round == number and c.operator not in FINAL]

    async def _ended(self) -> StudyStop | None:
        """Why no further round begins."""
        budget, study = self._study.spec.budget, self._study
        best = self._view.best()
        perfect = best is not None and (self._view.score(best.number, "val") or 0.0) >= PERFECT
        if perfect and not self._optimizer.rules.trains:  # one perfect sample is no trained model yet
            return "perfect"
        if told := await self._optimizer.ended(self._shop):
            return told
        if study.rounds >= budget.max_rounds:
            return "rounds"
        if budget.patience is not None and best is not None and study.rounds - best.round >= budget.patience:
            return "patience"
        return reached(budget, self._view.totals(test=False), self._sink.seconds())

    async def _round(self, number: int) -> StudyStop | None:
        """One round; the limit that cut it short, if any."""
        rules = self._optimizer.rules
        if rules.trains or not self._of_round(number):
            stop = await self._ground(number) or await self._drafted(number)
            if stop is not None:
                return stop
        drafts = self._of_round(number)
        self._sink.show(f"Round {number}: trying {len(drafts)} on train tasks")
        few, all_ = self._minibatch(number), list(self._study.splits["train"])
        stop = await self._try(drafts, number, few)
        if stop is None:
            promising = self._promising(drafts, few)
            stop = await self._try(promising, number, all_) if len(few) < len(all_) else None
        if stop is None:
            promising = self._promising(promising, all_)
            self._sink.show(f"Round {number}: {len(promising)} of {len(drafts)} go on to validation")
            stop = await self._runner.run(promising, "val", number)
        if stop is None:
            step = await self._optimizer.learn(self._shop, drafts)
            steps = () if step is None else (step,)
            await self._keep(StudyBatch(self._study.id, rounds=number, steps=steps), f"Round {number} done")
        return stop

    async def _drafted(self, number: int) -> StudyStop | None:
        """The candidates of a round; why there are none, where that ends the search."""
        self._sink.show(f"Round {number}: proposing")
        try:
            await self._propose(number)
        except BudgetExceeded:
            limit = reached(self._study.spec.budget, self._shop.spent(), self._sink.seconds())
            await self._keep_proposals(number, (), self._shop.handed)
            return limit or "calls"
        except GONE:
            raise  # it may come back: the study waits for that, and its test stays sealed
        except ModelError as error:
            self._sink.show(f"The generator could not answer: {error}")
            return "generator-error"
        return None

    async def _propose(self, number: int) -> None:
        """New candidates, kept all at once: a crash leaves all of them or none."""
        known = {canonical(c.text) for c in self._view.candidates}
        fresh: list[Candidate] = []
        refused = Totals()
        for draft in await self._optimizer.propose(self._shop, number):
            mark = canonical(draft.text)
            if mark not in known:  # a duplicate would only be measured again
                known.add(mark)
                fresh.append(_candidate(len(self._view.candidates) + len(fresh), number, draft))
            else:
                refused += draft.totals
        self._shop.handed = Totals()
        done = not fresh and not self._optimizer.rules.trains
        await self._keep_proposals(number, fresh, refused, done=done)

    async def _keep_proposals(
        self, number: int, fresh: Sequence[Candidate], refused: Totals, *, done: bool = False
    ) -> None:
        """What was proposed, and what went into proposals that came to nothing.

        A round of nothing new is `done` with that, or a crash would have it proposed and counted once more.
        """
        unused = self._study.unused + refused + self._shop.take()
        self._shop.handed = Totals()
        rounds = number if done else None
        await self._keep(StudyBatch(self._study.id, candidates=fresh, unused=unused, rounds=rounds), f"Round {number}")

    async def _ground(self, number: int) -> StudyStop | None:
        """What proposals build on is seen on train tasks first: where it fails is what they are told."""
        best, rules = self._view.best(), self._optimizer.rules
        tried = [best] if rules.minibatch and best else self._view.candidates[:1]
        if rules.trains:  # what is drawn may be a copy of any of these
            tried = self._of_round(0)
        return await self._runner.run(tried, "train", number, self._minibatch(number))

    async def _try(self, drafts: Sequence[Candidate], number: int, tasks: Sequence[str]) -> StudyStop | None:
        """Drafts and what they are held against on train tasks."""
        rivals = {r.number for c in drafts if not c.error for r in self._rivals(c)}
        tried = [self._view.candidates[n] for n in sorted(rivals)] if self._optimizer.rules.minibatch else []
        return await self._runner.run([*tried, *drafts], "train", number, tasks)

    def _minibatch(self, number: int) -> list[str]:
        tasks, size = self._study.splits["train"], self._optimizer.rules.minibatch
        if not 0 < size < len(tasks):
            return list(tasks)
        return self._shop.chance("minibatch", number).sample(list(tasks), size)

    def _promising(self, drafts: Sequence[Candidate], tasks: Sequence[str]) -> list[Candidate]:
        """Those worth more runs: by what they gained on the same tasks, best first."""
        rules = self._optimizer.rules
        runnable = [c for c in drafts if not c.error]
        if not rules.minibatch:
            return self._new_bests(runnable)
        gains = {c.number: self._gain(c, tasks) for c in runnable}
        lax = {c.number for c in runnable if not rules.strict or c.operator in rules.unseen}
        passing = [c for c in runnable if gains[c.number] > 0 or (gains[c.number] == 0 and c.number in lax)]
        passing.sort(key=lambda c: (-gains[c.number], c.number))
        return passing[: rules.promote]

    def _gain(self, draft: Candidate, tasks: Sequence[str]) -> float:
        """Reward on these train tasks, above the better of its rivals on the same tasks."""
        mine = self._view.reward(draft.number, "train", tasks)
        theirs = [self._view.reward(rival.number, "train", tasks) for rival in self._rivals(draft)]
        assert mine is not None
        return mine - max(reward for reward in theirs if reward is not None)

    def _rivals(self, draft: Candidate) -> list[Candidate]:
        """Its parent, and the best so far: to better a bad parent is no reason yet for a full validation."""
        best = self._view.best_before(draft.round) or self._view.candidates[0]
        parent = best if draft.parent is None else self._view.candidates[draft.parent]
        return [parent] if parent == best else [parent, best]

    def _new_bests(self, drafts: Sequence[Candidate]) -> list[Candidate]:
        """The published rule: what is a new best on train is measured further."""
        first = drafts[0].number if drafts else 0
        earlier = [self._view.reward(c.number, "train") for c in self._view.candidates[:first]]
        best = max((reward for reward in earlier if reward is not None), default=float("-inf"))
        found = []
        for draft in drafts:
            mine = self._view.reward(draft.number, "train")
            if mine is not None and mine > best:
                found.append(draft)
                best = mine
        return found

    async def _final(self) -> None:
        """What the optimizer wants to have tested besides: kept all at once, and asked for once."""
        if self._study.test_uses or any(c.operator in FINAL for c in self._view.candidates):
            return
        drafts = await self._optimizer.final(self._shop)
        if drafts:
            first, rounds = len(self._view.candidates), self._study.rounds
            fresh = [_candidate(first + place, rounds, draft) for place, draft in enumerate(drafts)]
            await self._keep_proposals(rounds, fresh, Totals())

    async def _test(self) -> None:
        """Open the sealed test set, once: the best, the manual workflow, the plain prompt, and final drafts."""
        view = self._view
        if not self._study.splits.get("test") or view.best() is None:
            return
        if not self._study.test_uses:
            await self._keep(StudyBatch(self._study.id, test_uses=1), "Opening the test set")
        self._sink.show("The sealed test, once")
        await self._runner.run(view.tested(), "test", self._study.rounds)

    async def _keep(self, batch: StudyBatch, message: str) -> None:
        """With the time that it took: a round in which nothing could run has taken some, too."""
        batch = replace(batch, seconds=self._sink.seconds())
        await self._sink.keep(batch, message)
        self._view.take(batch)


@lru_cache(maxsize=8192)  # each round looks at all texts there are
def canonical(text: str) -> str:
    """Texts that are written alike but for white space and comments are one."""
    workflow = parse(text).workflow
    return format_workflow(type(workflow)(workflow.steps)) if workflow.steps else " ".join(text.split())


def _candidate(number: int, round_: int, draft: Draft) -> Candidate:
    return Candidate(
        number=number, round=round_, text=draft.text, parent=draft.parent, operator=draft.operator, note=draft.note,
        error=first_error(draft.text), totals=draft.totals,
    )  # fmt: skip


async def score_given(view: StudyView, runner: Runner, sink: Sink) -> StudyStop:
    """Method `evaluate`: every given workflow on every task of the split."""
    study = view.study
    if study.spec.split == "test" and not study.test_uses:
        await sink.keep(StudyBatch(study.id, test_uses=1), "Opening the test set")
    stop = await runner.run(view.candidates, study.spec.split, 0) or "evaluated"
    best = view.best(study.spec.split)
    await sink.keep(StudyBatch(study.id, stop=stop, best=best.number if best else None), "Done")
    return stop
