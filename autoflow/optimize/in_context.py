"""Method `in-context`: rewrites and small edits, each tried on a few tasks beside its parent; chance kept alive.

Each round makes a few drafts. For each, an operator is chosen (hopeful ones first, once each; then every second draft
is written anew as a whole, and the others are edits by the operator that gained most so far) and a parent: mostly the
best, else drawn from the front of candidates that are best on at least one validation task, or, now and then, from all
that ran, so that a step down does not end a line. Drafts that are better than their parent and than the best on the
same train tasks may go on to validation.

What it does otherwise than the published method, and why: a bounded, chosen history (GEPA, arXiv 2507.19457, AFlow,
arXiv 2410.10762, and arXiv 2510.06711 measured that all of it harms), feedback from the steps of the worst tasks,
edits that a small model only has to fill or to choose, duplicates refused, restarts.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from autoflow.errors import BudgetExceeded, SettingsError
from autoflow.metrics.kinds import near
from autoflow.optimize.base import Draft, Optimizer, Rules, Workshop
from autoflow.optimize.operators import HOPE, HOPES, OPERATORS, UNSEEN, Bench, Edit
from autoflow.optimize.operators.whole import REWRITE
from autoflow.optimize.options import InContextOptions, options_of
from autoflow.optimize.view import StudyView
from autoflow.study import Candidate, StudySpec

TRIES = 8  # operators that are tried for one draft, where some find nothing to do
ANYBODY = 0.25  # share of parents drawn from all that ran
NEAR = 0.1  # among these, a reward that is so much lower makes a parent e times as unlikely
BEST = 0.5  # share of parents that are the best on validation
REWRITES = 0.5  # share of drafts that are written anew as a whole, which is all that the published method does
BY_CHANCE = 0.15  # of the others, share of operators that are drawn whatever they gained
ERROR_GAIN = -0.5  # what counts as the gain of a text that cannot run


class InContext(Optimizer):
    """The default optimizer. Raises SettingsError: an option means nothing, or breaks its rule."""

    def __init__(self, spec: StudySpec) -> None:
        self._options = options_of(spec, InContextOptions)
        self._operators = self._options.operators or tuple(OPERATORS)
        for name in self._operators:
            if name not in OPERATORS:
                raise SettingsError(f"There is no operator `{name}`.", near(name, OPERATORS))
        self.rules = Rules(self._options.minibatch, promote=self._options.promote, unseen=UNSEEN)

    async def propose(self, workshop: Workshop, round_: int) -> list[Draft]:
        tried = Counter(c.operator for c in workshop.view.candidates)
        drafts: list[Draft] = []
        for slot in range(self._options.drafts):
            try:
                draft = await self._draft(workshop, round_, slot, tried)
            except BudgetExceeded:
                if drafts:
                    break  # what there is is kept; the loop sees the limit itself
                raise
            if draft is not None:
                tried[draft.operator] += 1
                drafts.append(draft)
        return drafts

    async def learn(self, workshop: Workshop, candidates: Sequence[Candidate]) -> None:
        """Gains are read from what is kept."""

    async def _draft(self, shop: Workshop, round_: int, slot: int, tried: Mapping[str, int]) -> Draft | None:
        """The first operator that finds something to do."""
        chance = shop.chance("draft", round_, slot)
        left = list(self._operators)
        gains = operator_gains(shop.view)
        for attempt in range(min(TRIES, len(left))):
            operator = _chosen(left, tried, gains, chance)
            left.remove(operator)
            parent = _parent(shop.view, chance)
            shop.show(f"Round {round_}: {operator}")
            seed = shop.seed("draft", round_, slot, attempt)
            edit = await OPERATORS[operator](Bench(shop, parent, self._options, chance, seed))
            if edit is not None:
                return _draft_of(edit, operator, parent, shop)
        return None


def operator_gains(view: StudyView) -> dict[str, list[float]]:
    """What the drafts of each operator gained over their parents on the train tasks that both were run on."""
    found: dict[str, list[float]] = defaultdict(list)
    for candidate in view.candidates:
        if candidate.round > 0:
            gain = gain_of(view, candidate)
            if gain is not None:
                found[candidate.operator].append(gain)
    return found


def gain_of(view: StudyView, candidate: Candidate) -> float | None:
    """Reward above that of its parent (without one: of the best then), on the train tasks of both; None: none."""
    if candidate.error:
        return ERROR_GAIN
    parent = candidate.parent
    if parent is None:
        best = view.best_before(candidate.round)
        parent = best.number if best else 0
    mine, theirs = view.task_scores(candidate.number, "train"), view.task_scores(parent, "train")
    both = [task for task in mine if task in theirs]
    if not both:
        return None
    return (view.reward(candidate.number, "train", both) or 0.0) - (view.reward(parent, "train", both) or 0.0)


def _chosen(
    left: Sequence[str], tried: Mapping[str, int], gains: Mapping[str, Sequence[float]], chance: random.Random
) -> str:
    """Hopeful ones first, once each; then whole rewrites half of the time, else what gained most, or any."""
    untried = [name for name in left if name in HOPES and not tried.get(name)]
    if untried:
        return untried[0]
    if REWRITE in left and chance.random() < REWRITES:
        return REWRITE
    if chance.random() < BY_CHANCE:
        return chance.choice(list(left))
    return max(left, key=lambda name: _promise(HOPES.get(name, HOPE), gains.get(name, ())))


def _promise(hope: float, gains: Sequence[float]) -> float:
    """Mean of what an operator gained, the hope counting as one try, and losses as 0: a bad draft is soon dropped."""
    return (hope + sum(max(0.0, gain) for gain in gains)) / (1 + len(gains))


def _parent(view: StudyView, chance: random.Random) -> Candidate:
    """From all that ran now and then, else the best, or one of the front."""
    ran = [c for c in view.candidates if not c.error and view.outcomes(c.number)]
    weights, best, drawn = front(view), view.best(), chance.random()
    if drawn < ANYBODY or not weights or best is None:
        return _anybody(view, ran or view.candidates[:1], chance)
    if drawn < ANYBODY + BEST:
        return best
    numbers = sorted(weights)
    return view.candidates[chance.choices(numbers, [weights[n] for n in numbers])[0]]


def _anybody(view: StudyView, ran: Sequence[Candidate], chance: random.Random) -> Candidate:
    """By chance, the likelier the nearer it comes to the best on train tasks: the way up may lead down a little."""
    rewards = [view.reward(c.number, "train") for c in ran]
    best = max((reward for reward in rewards if reward is not None), default=0.0)
    weights = [math.exp(((best - 1.0 if r is None else r) - best) / NEAR) for r in rewards]
    return chance.choices(list(ran), weights)[0]


def front(view: StudyView) -> dict[int, int]:
    """Candidates that no other one beats on at least one validation task, and on how many each is best."""
    measured = view.measured("val")
    found: Counter[int] = Counter()
    scores = {c.number: view.task_scores(c.number, "val") for c in measured}
    for task in view.study.splits.get("val", ()):
        best = max((s[task] for s in scores.values()), default=0.0)
        if best > 0:  # a task that nobody can do says nothing about parents
            found.update(number for number, s in scores.items() if s[task] >= best)
    return dict(found)


def _draft_of(edit: Edit, operator: str, parent: Candidate, shop: Workshop) -> Draft:
    made_of = parent.number if edit.parent is None else edit.parent
    return Draft(edit.text, None if edit.from_scratch else made_of, operator, edit.note, shop.take())
