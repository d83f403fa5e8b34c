"""The seam of optimizers: what the one search loop asks of each, and what it gives them to work with."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from autoflow.errors import BudgetExceeded
from autoflow.llm.base import LLM, Completion, Message, OnToken, Options
from autoflow.llm.wrappers.base import Wrapper
from autoflow.llm.wrappers.meter import totals_of
from autoflow.optimize.limits import part_of, reached
from autoflow.optimize.running import Halted
from autoflow.optimize.view import StudyView
from autoflow.records import Event, Totals
from autoflow.study import STUDY_STOP_WORDS, Candidate, StudyBudget, StudyStop, TrainingStep
from autoflow.suites.base import Suite
from autoflow.tools.toolbox import Toolbox

T = TypeVar("T")
Traces = Callable[[int, str, int], Awaitable[Sequence[Event]]]  # of candidate, task, repeat
Trained = Callable[[int], Awaitable[Sequence[TrainingStep]]]  # the steps that are kept, after this one


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate to be, as an optimizer proposes it."""

    text: str
    parent: int | None = None
    operator: str = ""
    note: str = ""
    totals: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class Rules:
    """How the loop treats the drafts of a method."""

    minibatch: int  # train tasks on which a draft must better its parent and the best to see more; 0: see `Paper`
    strict: bool = True  # better than both, not only as good
    promote: int | None = None  # drafts of a round that go on to validation, at most, best gains first; None: all
    unseen: frozenset[str] = frozenset()  # operators for what no train task needs: as good as both is enough
    trains: bool = False  # each round is a step of a training: also one without a draft is learned from, and one that a
    # crash cut short is proposed again, as what was proposed is more than its drafts


async def _untrained(after: int) -> Sequence[TrainingStep]:
    return ()


class Counting(Wrapper):
    """Counts what is asked of the model, from one `take` to the next.

    Args:
        allowed: asked before each call; raises BudgetExceeded where nothing more may be spent.
    """

    def __init__(self, inner: LLM, allowed: Callable[[], None] = lambda: None) -> None:
        super().__init__(inner)
        self.totals = Totals()
        self.allowed = allowed

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.allowed()
        completion = await self.inner.complete(messages, options, on_token)
        self.totals += totals_of(completion.usage)
        return completion

    def take(self) -> Totals:
        taken, self.totals = self.totals, Totals()
        return taken


@dataclass
class Workshop:
    """What an optimizer works with in one study."""

    view: StudyView
    suite: Suite
    generator: Counting
    interpreter: Counting  # to try a single step out
    toolbox: Toolbox
    traces: Traces
    show: Callable[[str], None] = lambda words: None  # what it is doing, for whoever watches
    seconds: Callable[[], float] = lambda: 0.0  # worked on the study so far
    pause_wanted: Callable[[], bool] = lambda: False  # then no further call is begun
    trained: Trained = _untrained
    handed: Totals = field(default_factory=Totals)  # taken for drafts that are not yet kept
    known: dict[object, Any] = field(default_factory=dict)  # see `once`

    def __post_init__(self) -> None:
        self.generator.allowed = self.interpreter.allowed = self.allow

    def chance(self, *about: object) -> random.Random:
        """Chance that is the same whenever the study comes to this point again."""
        return random.Random(f"{self.view.study.spec.seed} {' '.join(map(str, about))}")  # noqa: S311  (no secret)

    def once(self, about: object, make: Callable[[], T]) -> T:
        """What follows from the tasks alone, which do not change: worked out at the first time."""
        if about not in self.known:
            self.known[about] = make()
        found: T = self.known[about]
        return found

    def seed(self, *about: object) -> int:
        """A seed for a model, by the same rule."""
        return self.chance(*about).getrandbits(31)

    def take(self) -> Totals:
        """What was asked of both models since the last time."""
        taken = self.generator.take() + self.interpreter.take()
        self.handed += taken
        return taken

    def spent(self) -> Totals:
        """By the study so far, what is not yet kept included; without the test."""
        return self.view.totals(test=False) + self.handed + self.generator.totals + self.interpreter.totals

    def allowance(self, share: float) -> Allowance:
        """This share, in [0, 1], of what the study may still take."""
        return Allowance(self, self.view.study.spec.budget).share(share)

    def allow(self) -> None:
        """Raises BudgetExceeded: a limit of the study is reached. Halted: a person wants a pause."""
        if self.pause_wanted():
            raise Halted
        limit = reached(self.view.study.spec.budget, self.spent(), self.seconds())
        if limit is not None:
            raise BudgetExceeded(f"max-{limit}", STUDY_STOP_WORDS[limit])


@dataclass(frozen=True)
class Allowance:
    """A part of the budget of a study, so that one proposal does not take all of it."""

    shop: Workshop
    budget: StudyBudget

    @property
    def left(self) -> bool:
        return reached(self.budget, self.shop.spent(), self.shop.seconds()) is None

    def share(self, part: float) -> Allowance:
        """This part, in [0, 1], of what is left of it now."""
        return Allowance(self.shop, part_of(self.budget, self.shop.spent(), self.shop.seconds(), part))


class Optimizer(Protocol):
    """Proposes candidates, and may learn from how they fared."""

    rules: Rules

    async def propose(self, workshop: Workshop, round_: int) -> list[Draft]:
        """Drafts of this round; may be none. Called again for the same round after a crash: the same comes of it.

        Raises BudgetExceeded. ModelError: a model is gone, and the study waits for it; or the generator refuses to
        answer, and the study ends with what it has.
        """
        ...

    async def learn(self, workshop: Workshop, candidates: Sequence[Candidate]) -> TrainingStep | None:
        """After they were run. What must last is kept by the optimizer itself, but for what it returns.

        Returns: where it trains, the step, which is kept with the round.
        """
        ...

    async def ended(self, workshop: Workshop) -> StudyStop | None:
        """Why no further round is of use, as far as the optimizer knows."""
        return None

    async def final(self, workshop: Workshop) -> list[Draft]:
        """After the search, before the test is opened: drafts that are run on the test alone, whatever they are like.

        They may be copies of each other. Not called again once they are kept.
        """
        return []

    async def aclose(self) -> None:
        """Let go of what it holds. It is not used afterwards."""
        return
