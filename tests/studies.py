"""Studies as a search leaves them, written straight into a store: for what shows, compares and exports them.

Nothing here runs a model. Scores rise with the rounds, some texts cannot run, some runs stop early, and every run has
its events, so that each part of a page has something to show.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autoflow.interpret.events import event
from autoflow.lang import has_errors, parse
from autoflow.lang.workflow import Step
from autoflow.optimize.view import StudyView
from autoflow.records import Event, StopReason, Totals
from autoflow.store import SqlStore
from autoflow.study import (
    GIVEN,
    MANUAL,
    PLAIN,
    SPLITS,
    Candidate,
    Outcome,
    RewardSpec,
    Split,
    Study,
    StudyBatch,
    StudyBudget,
    StudySpec,
    SuiteSpec,
)
from autoflow.suites.base import SuiteTask
from autoflow.suites.openagi import OpenAGIPlanSuite

SIZES: dict[Split, int] = {"train": 6, "val": 10, "test": 12}
EDITS = ("ask about one degradation", "say it in other words", "split a step", "drop a step", "reorder")
LINES = (
    "Blur:::process:::Is the input blurry? Say yes or no.:::next::",
    "Noise:::process:::Does the task say that the input is noisy? Say yes or no.:::next::",
    "Language:::process:::In which language must the answer be?:::next::",
    "Order:::process:::Repairs come first. Write the models in that order.:::next::",
)


@dataclass
class Writer:
    """Writes one study, round by round, as a worker does."""

    store: SqlStore
    study: Study
    suite: OpenAGIPlanSuite
    chance: random.Random
    pending: bool = False  # validation waits for a person's rating
    candidates: list[Candidate] = field(default_factory=list)

    def begin(self) -> None:
        """Round 0: the manual workflow and the plain prompt."""
        for operator, text in ((MANUAL, self.suite.baseline), (PLAIN, self.suite.plain)):
            self.add(self._candidate(text, operator=operator, round=0))

    def round(self, number: int, drafts: int = 2) -> None:
        for place in range(drafts):
            self.add(self._edited(number, place))
        self.store.add_to_study(StudyBatch(self.study.id, rounds=number, seconds=40.0 * number))

    def end(self) -> None:
        """Choose the best and open the test set."""
        chosen = self.view().best()
        best = chosen.number if chosen else 0
        for number in dict.fromkeys((best, 0, 1)):
            self.store.add_to_study(StudyBatch(self.study.id, outcomes=list(self.runs(number, "test"))))
        self.store.add_to_study(StudyBatch(self.study.id, stop="rounds", best=best, test_uses=1))

    def view(self) -> StudyView:
        """The study as it is in the store."""
        outcomes = [outcome for _, outcome in self.store.study_outcomes(self.study.id)]
        return StudyView(self.store.get_study(self.study.id), self.store.study_candidates(self.study.id), outcomes)

    def add(self, candidate: Candidate) -> None:
        """The candidate with its runs on train and validation; a text that cannot run has none."""
        self.candidates.append(candidate)
        runs: list[tuple[Outcome, Sequence[Event]]] = []
        if not candidate.error:
            runs = [*self.runs(candidate.number, "train"), *self.runs(candidate.number, "val")]
        self.store.add_to_study(StudyBatch(self.study.id, candidates=[candidate], outcomes=runs))

    def runs(self, number: int, split: Split) -> Iterator[tuple[Outcome, Sequence[Event]]]:
        candidate = self.candidates[number]
        for task in self.suite.tasks(split):
            yield self._run(candidate, task, split)

    def _candidate(self, text: str, *, operator: str, round: int, parent: int | None = None) -> Candidate:
        read = parse(text)
        error = read.errors[0].message if has_errors(read.diagnostics) else ""
        proposed = Totals(calls=1, prompt_tokens=900, completion_tokens=120, seconds=2.0) if round else Totals()
        return Candidate(
            number=len(self.candidates), round=round, text=text, parent=parent, operator=operator, error=error,
            note="" if round == 0 else f"Two of the worst tasks forgot something: {operator}.", totals=proposed,
        )  # fmt: skip

    def _edited(self, number: int, place: int) -> Candidate:
        """A child of a runnable candidate with one more step in front; each fifth one has an error."""
        runnable = [c for c in self.candidates if not c.error]
        parent = runnable[0] if len(runnable) < 3 else runnable[-1 - self.chance.randrange(2)]
        name, rest = LINES[(number + place) % len(LINES)].split(":::", 1)
        first = parse(parent.text).workflow.steps[0]
        target = "Nowhere" if len(self.candidates) % 5 == 4 else first.name
        text = f"{name} {number}.{place}:::{rest}{target}\n{parent.text}"
        operator = EDITS[(number + place) % len(EDITS)]
        return self._candidate(text, operator=operator, round=number, parent=parent.number)

    def _run(self, candidate: Candidate, task: SuiteTask, split: Split) -> tuple[Outcome, Sequence[Event]]:
        steps = parse(candidate.text).workflow.steps
        luck = random.Random(f"{self.study.spec.seed} {candidate.number} {task.id}")
        stop: StopReason = "terminal" if luck.random() > 0.08 else "max-steps"
        level = {MANUAL: 0.34, PLAIN: 0.52}.get(candidate.operator, 0.42 + 0.05 * min(candidate.round, 8))
        score = round(min(1.0, max(0.0, luck.gauss(level, 0.22))), 2) if stop == "terminal" else 0.0
        tokens = 120 * len(steps)
        outcome = Outcome(
            candidate=candidate.number, task=task.id, split=split, round=candidate.round, score=score, stop=stop,
            answer="Image Denoising, Image Deblurring", expected="Image Deblurring, Object Detection",
            error="" if stop == "terminal" else "The limit of 30 steps was reached.", steps=len(steps),
            totals=Totals(calls=len(steps), prompt_tokens=tokens, completion_tokens=8 * len(steps), seconds=1.5),
            parts={"valid": 1.0}, pending=self.pending and split == "val" and stop == "terminal", at=time.time(),
        )  # fmt: skip
        return outcome, trace(steps, task)


def trace(steps: Sequence[Step], task: SuiteTask) -> list[Event]:
    """The events of a straight walk through the steps."""
    events, now = [], time.time()
    for visit, step in enumerate(steps, start=1):
        name, kind = step.name, step.type
        parts = [
            {"source": "objective", "role": "user", "text": task.task.objective},
            {"source": "step", "role": "user", "text": step.instruction},
        ]
        figures = {"prompt_tokens": 120, "completion_tokens": 8, "seconds": 0.5, "cost_usd": 0.0}
        said = "yes" if kind == "decision" else "Image Denoising, Image Deblurring"
        reply = {"tool_calls": [], "finish": "stop", "strength": "none", "model": "m", "cached": False, "attempts": 1}
        events += [
            event("step_entered", visit, now, step=name, type=kind, instruction=step.instruction),
            event("prompt", visit, now, call=1, parts=parts, tools=[], constraint=None),
            event("reply", visit, now, call=1, text=said, purpose="step", reasoning="", **reply, **figures),
            event("step_finished", visit, now, step=name, type=kind, answer=said,
                  branch="yes" if kind == "decision" else None, next=None, calls=1, tools=[], **figures),
        ]  # fmt: skip
    return events


def new_study(
    store: SqlStore, name: str = "Plans for images", *, seed: int = 0, rounds: int = 5, recorded: str = "",
    pending: bool = False, workflow_id: str | None = None, tasks_seed: int | None = None,
    generator: str = "scripted:writer", interpreter: str = "scripted:reader",
) -> Writer:  # fmt: skip
    """A study that has not begun; the writer takes it on."""
    dealt = seed if tasks_seed is None else tasks_seed
    suite = OpenAGIPlanSuite(seed=dealt, sizes=SIZES)
    spec = StudySpec(
        method="in-context", suite=SuiteSpec(name="openagi-plan", seed=dealt, **SIZES), generator=generator,
        interpreter=interpreter, reward=RewardSpec(valid=0.1, tokens=0.02), seed=seed,
        budget=StudyBudget(max_rounds=rounds, patience=4),
    )  # fmt: skip
    splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
    study = store.create_study(name, spec, splits, workflow_id=workflow_id, recorded=recorded)
    return Writer(store, study, suite, random.Random(seed), pending)


def finished_study(store: SqlStore, name: str = "Plans for images", *, rounds: int = 5, **more: object) -> Study:
    """A study that went all its rounds."""
    writer = new_study(store, name, rounds=rounds, **more)  # type: ignore[arg-type]
    writer.begin()
    for number in range(1, rounds + 1):
        writer.round(number)
    writer.end()
    return store.get_study(writer.study.id)


def given_study(store: SqlStore, texts: Sequence[str], name: str = "Given workflows") -> Study:
    """Given texts scored on validation, nothing searched."""
    writer = new_study(store, name, rounds=0)
    for text in texts:
        writer.add(writer._candidate(text, operator=GIVEN, round=0))
    store.add_to_study(StudyBatch(writer.study.id, stop="evaluated"))
    return store.get_study(writer.study.id)
