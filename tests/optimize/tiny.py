"""A search small enough to be reckoned by hand: tasks of a difficulty, workflows of a skill, and a sink in memory.

A step whose instruction says `skill 3` answers right where the task says `difficulty 3` or less. So a candidate's score
is the share of tasks that are not too hard for it, and nothing depends on chance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from re import findall

from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options, Usage
from autoflow.optimize.base import Counting, Draft, Optimizer, Rules, Workshop
from autoflow.optimize.loop import Search
from autoflow.optimize.running import Runner
from autoflow.optimize.start import first_candidates
from autoflow.optimize.view import StudyView
from autoflow.records import Event, Task
from autoflow.study import SPLITS, Outcome, Split, Study, StudyBatch, StudyBudget, StudySpec, StudyStop, SuiteSpec
from autoflow.suites.base import Score, SuiteTask
from autoflow.tools.toolbox import Toolbox

DIFFICULTIES: Mapping[Split, Sequence[int]] = {"train": (1, 2, 3, 4), "val": (1, 2, 3, 4, 5), "test": (2, 4, 6)}
ID = "st_000000000000"
BROKEN = "A:::process:::skill 9:::next::Nowhere\n"


def skilled(skill: int, note: str = "") -> str:
    """A workflow of one step."""
    return f"Answer:::terminal:::Use skill {skill}. {note}".rstrip() + ":::\n"


class TinySuite:
    """The manual workflow has skill 1, the plain prompt none."""

    name, baseline, plain = "tiny", skilled(1, "By hand."), skilled(0)
    tools: Sequence[str] = ()
    vocabulary: Sequence[str] = ()

    def __init__(self, difficulties: Mapping[Split, Sequence[int]] = DIFFICULTIES, *, rated: bool = False) -> None:
        self._tasks = {split: [_task(split, n) for n in found] for split, found in difficulties.items()}
        self._rated = rated  # by a person, on validation

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        return self._tasks[split]

    def expected(self, task: SuiteTask) -> str:
        return "right"

    async def score(self, task: SuiteTask, answer: str) -> Score:
        waits = self._rated and task.id.startswith("val")
        return Score(0.0 if waits else float(answer == "right"), expected="right", pending=waits)


def _task(split: str, difficulty: int) -> SuiteTask:
    name = f"{split}-{difficulty}"
    return SuiteTask(name, Task(id=name, objective=f"Of difficulty {difficulty}, to {split}."))


class Interpreter:
    """Answers by skill and difficulty. `before` is called before each answer, with the count of calls."""

    name = "tiny:interpreter"

    def __init__(self, *, places: int = 3, cost_usd: float | None = 0.0) -> None:
        self.capabilities = Capabilities(concurrency=places)
        self.asked: list[str] = []
        self.before: Callable[[int], None] = lambda number: None
        self.hold = asyncio.Event()  # cleared: answers wait
        self.hold.set()
        self._cost_usd = cost_usd

    @property
    def calls(self) -> int:
        return len(self.asked)

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        told = "\n".join(message.content for message in messages)
        self.asked.append(told)
        self.before(len(self.asked))
        await self.hold.wait()
        await asyncio.sleep(0)
        (skill,), (difficulty,) = findall(r"skill (\d+)", told), findall(r"difficulty (\d+)", told)
        usage = Usage(100, 10, 0.0, self._cost_usd)
        return Completion("right" if int(skill) >= int(difficulty) else "wrong", usage=usage)

    async def aclose(self) -> None:
        return


class Generator(Interpreter):
    """Says `ok`; what is proposed is in the list."""

    name = "tiny:generator"

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.asked.append(messages[-1].content)
        self.before(len(self.asked))
        await self.hold.wait()
        return Completion("ok", usage=Usage(1000, 100, 0.0, self._cost_usd))


class Listed(Optimizer):
    """An optimizer that proposes what a list says for each round, after one call of the generator a draft.

    A draft is a text, or a text and the number of its parent; without one it is held against the first candidate.
    """

    def __init__(self, *rounds: Sequence[str | tuple[str, int]], rules: Rules | None = None) -> None:
        self._rounds = rounds
        self.rules = rules or Rules(minibatch=2)
        self.learned: list[list[int]] = []

    async def propose(self, workshop: Workshop, round_: int) -> list[Draft]:
        drafts = []
        for wanted in self._rounds[round_ - 1] if round_ <= len(self._rounds) else ():
            await workshop.generator.complete([Message("user", f"round {round_}")], Options())
            text, parent = wanted if isinstance(wanted, tuple) else (wanted, 0)
            drafts.append(Draft(text, parent, "listed", f"round {round_}", workshop.take()))
        return drafts

    async def learn(self, workshop: Workshop, candidates: Sequence[object]) -> None:
        self.learned.append([c.number for c in candidates])  # type: ignore[attr-defined]


class Killed(BaseException):
    """The process died."""


@dataclass
class Memory:
    """A sink that keeps batches as the store does; `fail_at`: dies instead of keeping the so-manieth (from 1)."""

    kept: list[StudyBatch] = field(default_factory=list)
    fail_at: int | None = None
    after: bool = False  # dies after it was kept
    pause: bool = False
    worked_s: float = 0.0
    told: list[str] = field(default_factory=list)

    async def keep(self, batch: StudyBatch, message: str = "") -> None:
        dies = self.fail_at == len(self.kept) + 1
        if dies and not self.after:
            raise Killed
        self.kept.append(batch)
        if dies:
            raise Killed

    def show(self, words: str) -> None:
        self.told.append(words)

    def pause_wanted(self) -> bool:
        return self.pause

    def seconds(self) -> float:
        return self.worked_s


class Tiny:
    """One study on the tiny suite. `go` carries it on from what its sink kept, as a new process does."""

    def __init__(
        self, *rounds: Sequence[str | tuple[str, int]], suite: TinySuite | None = None, rules: Rules | None = None,
        optimizer: Optimizer | None = None, seed: int = 0, repeats: int = 1, **budget: object,
    ) -> None:  # fmt: skip
        self.suite = suite or TinySuite()
        self.spec = StudySpec(
            method="paper", suite=SuiteSpec(name="tiny"), generator="tiny:g", interpreter="tiny:i", seed=seed,
            budget=StudyBudget.model_validate({"max_rounds": len(rounds)} | budget), repeats=repeats,
        )  # fmt: skip
        self.rounds, self.rules, self.optimizer = rounds, rules, optimizer
        self.interpreter, self.generator, self.sink = Interpreter(), Generator(), Memory()

    def view(self) -> StudyView:
        """As it is kept."""
        splits = {split: tuple(task.id for task in self.suite.tasks(split)) for split in SPLITS}
        study = Study(id=ID, name="Tiny", spec=self.spec, splits=splits)
        view = StudyView(study, first_candidates(self.spec, self.suite, ()))
        for batch in self.sink.kept:
            view.take(batch)
        return view

    async def go(self) -> StudyStop:
        view = self.view()

        async def traces(candidate: int, task: str, repeat: int) -> Sequence[Event]:
            kept = [x for b in self.sink.kept for x in b.outcomes]
            return next(e for o, e in kept if (o.candidate, o.task, o.repeat) == (candidate, task, repeat))

        shop = Workshop(
            view, self.suite, Counting(self.generator), Counting(self.interpreter), Toolbox(), traces, self.sink.show,
            self.sink.seconds, self.sink.pause_wanted,
        )  # fmt: skip
        runner = Runner(view, self.suite, self.interpreter, Toolbox(), self.sink)
        optimizer = self.optimizer or Listed(*self.rounds, rules=self.rules)
        return await Search(shop, optimizer, runner, self.sink).run()

    def outcomes(self) -> list[Outcome]:
        return [outcome for batch in self.sink.kept for outcome, _ in batch.outcomes]

    def runs(self, split: Split | None = None) -> dict[int, list[str]]:
        """Which tasks each candidate was run on, sorted; a run that was made twice is there twice."""
        found: dict[int, list[str]] = {}
        for o in self.outcomes():
            if split in (None, o.split):
                found.setdefault(o.candidate, []).append(o.task)
        return {number: sorted(tasks) for number, tasks in sorted(found.items())}
