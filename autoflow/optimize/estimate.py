"""What a search will take, reckoned from a pilot: a few runs and one proposal, measured.

Answers of the pilot are in the cache, so that the search itself does not pay for them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoflow.evaluate import LocalEvaluator, Unit
from autoflow.llm.base import LLM
from autoflow.optimize.base import Counting, Workshop
from autoflow.optimize.methods import open_optimizer
from autoflow.optimize.operators.cues import parts_of
from autoflow.optimize.operators.whole import REWRITE
from autoflow.optimize.options import InContextOptions, LoraOptions, options_of
from autoflow.optimize.start import first_candidates
from autoflow.optimize.view import StudyView
from autoflow.records import Event, Record, Totals, new_id
from autoflow.study import SPLITS, Outcome, Split, Study, StudySpec
from autoflow.suites.base import Suite
from autoflow.tools.toolbox import Toolbox

PILOT_TASKS = 2  # train tasks that each of the first candidates is run on
# Of workflows of questions, as in docs/evidence/study-attempt-3.jsonl: 1,796 calls for nine parts, then 925 for nine
# drafts, on forty texts each. Now a wording is tried on tasks of train and validation, and up to twice as many changed.
WORDINGS_A_PART = 5
WORDINGS_A_DRAFT = 3


class Estimate(Record):
    """What a search will take if it goes through all of its rounds. Limits of the budget may end it sooner."""

    calls: int
    tokens: int
    cost_usd: float | None  # None: a price is unknown
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How much there is to do, at most."""

    runs: int
    proposals: int
    questions: int  # single steps that are tried out on a task


def plan(spec: StudySpec, splits: Mapping[Split, Sequence[Any]], first: int, parts: int) -> Plan:
    """Of a whole study.

    Args:
        first: candidates that are there from the start.
        parts: words of the suite's vocabulary that right answers of train tasks hold.
    """
    size = {split: len(splits.get(split, ())) * spec.repeats for split in SPLITS}
    if spec.method == "evaluate":
        return Plan(first * size[spec.split], 0, 0)
    rounds, test = spec.budget.max_rounds, min(3, first + 1) * size["test"]
    if spec.method == "lora":  # once all that is drawn counts, and none of it is a copy
        told = options_of(spec, LoraOptions)
        drawn = rounds * told.group * told.accumulate
        ground = first * (size["train"] + size["val"])
        last = test + 2 * told.compare * size["test"]
        return Plan(ground + drawn * size["train"] + rounds * size["val"] // 3 + last, rounds, 0)
    if spec.method == "paper":  # all train tasks a draft; about every third is a new best
        return Plan(first * size["val"] + (rounds + 1) * size["train"] + rounds * size["val"] // 3 + test, rounds, 0)
    options = options_of(spec, InContextOptions)
    few = min(options.minibatch * spec.repeats, size["train"])
    each = options.drafts * few + size["train"] // 2 + min(options.promote, options.drafts) * size["val"]
    texts = 3 * (len(splits.get("train", ())) + len(splits.get("val", ()))) if parts else 0
    questions = texts * (parts * WORDINGS_A_PART + rounds * options.drafts * WORDINGS_A_DRAFT)
    return Plan(first * size["val"] + rounds * each + test, rounds * options.drafts, questions)


class Pilot:
    """Measures a few runs of the first candidates and one proposal."""

    def __init__(
        self, spec: StudySpec, suite: Suite, generator: LLM | None, interpreter: LLM, toolbox: Toolbox,
        show: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._suite, self._interpreter, self._toolbox, self._show = suite, interpreter, toolbox, show
        splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
        study = Study(id=new_id("st"), name="pilot", spec=spec, splits=splits)
        given = [suite.plain] if spec.method == "evaluate" else []
        self._view = StudyView(study, first_candidates(spec, suite, given))
        self._events: dict[tuple[int, str, int], Sequence[Event]] = {}
        self._generator = generator

    async def measure(self) -> tuple[Estimate, int, Totals]:
        """The estimate, how many runs it rests on, and what was spent on it. Raises what the models raise."""
        began = time.monotonic()
        await self._run()
        runs, run_s = self._view.all_outcomes(), time.monotonic() - began
        proposing, proposal_s, once_s = Totals(), 0.0, 0.0
        if self._generator is not None:
            began = time.monotonic()
            proposing, trained_s = await self._propose(self._generator)
            took_s = time.monotonic() - began
            proposal_s = took_s if trained_s is None else trained_s
            once_s = took_s - proposal_s
        found = self._reckoned(runs, run_s, proposing, proposal_s)
        found = found.model_copy(update={"seconds": found.seconds + once_s})
        return found, len(runs), self._view.totals() + proposing

    async def _run(self) -> None:
        split: Split = "train" if self._suite.tasks("train") else self._view.study.spec.split
        tasks = self._suite.tasks(split)[:PILOT_TASKS]
        units = [Unit(c.number, c.text, t, 0, split) for c in self._view.candidates if not c.error for t in tasks]

        async def done(outcome: Outcome, events: Sequence[Event]) -> None:
            self._events[outcome.candidate, outcome.task, outcome.repeat] = events
            self._view.add((), [outcome])
            self._show(f"{len(self._events)} of {len(units)} runs")

        policy = self._view.study.spec.policy
        await LocalEvaluator(self._suite, self._interpreter, self._toolbox, policy=policy).map(units, done)

    async def _propose(self, generator: LLM) -> tuple[Totals, float | None]:
        """What one proposal takes: the whole-workflow kind, which takes most.

        Returns: of a training also the seconds of one step, without those of loading its model.
        """
        spec = self._view.study.spec
        self._show("One step" if spec.method == "lora" else "One proposal")
        if spec.method == "in-context":
            spec = spec.model_copy(update={"options": {**spec.options, "drafts": 1, "operators": [REWRITE]}})

        async def traces(candidate: int, task: str, repeat: int) -> Sequence[Event]:
            return self._events.get((candidate, task, repeat), ())

        counted = Counting(generator)
        shop = Workshop(
            self._view, self._suite, counted, Counting(self._interpreter), self._toolbox, traces, self._show
        )  # fmt: skip
        if spec.method == "lora":
            from autoflow.optimize.lora import rehearsed

            return await rehearsed(spec, shop)
        drafts = await open_optimizer(spec).propose(shop, 1)
        return sum((draft.totals for draft in drafts), shop.take()), None

    def _reckoned(self, runs: Sequence[Outcome], run_s: float, proposing: Totals, proposal_s: float) -> Estimate:
        spec, view = self._view.study.spec, self._view
        seen = {part for task in self._suite.tasks("train") for part in parts_of(self._suite, task)}
        parts = len(seen) if spec.method == "in-context" else 0
        todo = plan(spec, view.study.splits, len(view.candidates), parts)
        each = sum((o.totals + o.judge for o in runs), Totals())
        n = max(1, len(runs))
        calls = each.calls / n * todo.runs + proposing.calls * todo.proposals + todo.questions
        a_call = _tokens(each) / max(1, each.calls)
        tokens = _tokens(each) / n * todo.runs + _tokens(proposing) * todo.proposals + a_call * todo.questions
        seconds = run_s / n * todo.runs + proposal_s * todo.proposals + run_s / max(1, each.calls) * todo.questions
        cost = None
        if each.cost_usd is not None and proposing.cost_usd is not None:
            a_question = each.cost_usd / max(1, each.calls)
            cost = each.cost_usd / n * todo.runs + proposing.cost_usd * todo.proposals + a_question * todo.questions
        return Estimate(calls=round(calls), tokens=round(tokens), cost_usd=cost, seconds=seconds)


def _tokens(totals: Totals) -> int:
    return totals.prompt_tokens + totals.completion_tokens
