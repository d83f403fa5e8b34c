"""Studies that train their generator, as such a training leaves them, written straight into a store.

No model learns here. Samples begin as prose, then parse, then are copies of the example, then workflows that run and
score.
"""

from __future__ import annotations

import math
import random
from statistics import fmean, pstdev

from autoflow.lang import parse
from autoflow.store import SqlStore
from autoflow.study import (
    SPLITS,
    Study,
    StudyBatch,
    StudyBudget,
    StudySample,
    StudySpec,
    SuiteSpec,
    TrainingStep,
)
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.train.figures import StepFigures
from tests.studies import SIZES, Writer

GENERATOR = "local:smollm2-135m"
PROSE = "Sure! Here is a workflow for the task:\n\n1. Look at the picture.\n2. Mend it.\n"
BROKEN = "Step 1:::process:::Look at the input.:::next::Step 2\nStep 2:::decision:::Is it blurry?:::Yes::Step 9\n"


class Training(Writer):
    """Writes one training, step by step, as a worker does."""

    def train(self, step: int, group: int = 8, ending: str = "", **figures: float) -> TrainingStep:
        """One step. `figures` take the place of what it would have measured."""
        samples = [self._sample(step) for _ in range(group)]
        rewards = [s.reward for s in samples]
        numbers = {
            "step": step, "reward_mean": fmean(rewards), "reward_best": max(rewards),
            "reward_spread": pstdev(rewards), "kl": 0.006 * step, "entropy": 1.6 * math.exp(-step / 60) + 0.2,
            "length": fmean(s.tokens for s in samples), "ended": fmean(s.ended for s in samples),
            "distinct": len({s.text for s in samples}), "gradient_norm": 0.4 + self.chance.random(),
            "learning_rate": 1e-3 * min(1.0, step / 10), "drift": 2e-5, "tokens_per_s": 96.0, "sampling_s": 21.0,
            "reward_s": 12.0, "update_s": 9.0, "seconds": 42.0, "peak_memory_bytes": 2_400_000_000,
        }  # fmt: skip
        figures_of_step = StepFigures.model_validate(numbers | figures)
        made = TrainingStep(figures=figures_of_step, samples=tuple(samples), ending=ending)
        self.store.add_to_study(StudyBatch(self.study.id, rounds=step, seconds=42.0 * step, steps=[made]))
        return made

    def _sample(self, step: int) -> StudySample:
        """The further the training, the further it gets."""
        luck = self.chance.gauss(step / 14, 0.8)
        ended = self.chance.random() < 0.75 + 0.2 * math.tanh(step / 20)
        if luck < 0.5:
            return self._told(PROSE + f"{self.chance.randrange(99)}.", -1.0, ended, error="There is no step.")
        if luck < 1.2:
            error = "branch `Yes` goes to `Step 9`, which does not exist"
            return self._told(BROKEN + f"# {self.chance.randrange(30)}\n", -0.7, ended, error=error)
        if luck < 1.7:
            return self._told(self.suite.baseline, -0.3, True, copied=True)
        return self._ran(step)

    def _told(self, text: str, reward: float, ended: bool, **more: object) -> StudySample:
        numbers = {"text": text, "reward": reward, "advantage": 0.1, "tokens": len(text) // 4, "ended": ended}
        return StudySample.model_validate(numbers | more)

    def _ran(self, step: int) -> StudySample:
        """A workflow of its own: a candidate with its runs, or one that was there before."""
        known = [c for c in self.candidates if c.round]
        if known and self.chance.random() < 0.5:
            candidate = self.chance.choice(known[-6:])
        else:
            first = parse(self.suite.baseline).workflow.steps[0]
            opening = f"Look {step}.{len(self.candidates)}:::process:::Say what is wrong with the input.:::next::"
            text = f"{opening}{first.name}\n{self.suite.baseline}"
            candidate = self._candidate(text, operator="sampled while training", round=step, parent=0)
            self.add(candidate)
        view = self.view()
        score, reached = view.score(candidate.number, "train") or 0.0, view.valid_share(candidate.number, "train")
        return self._told(candidate.text, score, True, candidate=candidate.number, score=score, reached=reached)

    def end_early(self, words: str) -> None:
        """As a training that has collapsed."""
        last = self.store.training_steps(self.study.id)[-1].step
        self.train(last + 1, ending=words)
        self.store.add_to_study(StudyBatch(self.study.id, stop="collapsed"))


def new_training(
    store: SqlStore, name: str = "Fine-tuned plans", *, steps: int = 40, seed: int = 0, **options: object
) -> Training:
    """A training that is to take so many steps, with its first candidates; the writer takes it on."""
    suite = OpenAGIPlanSuite(seed=seed, sizes=SIZES)
    spec = StudySpec(
        method="lora", suite=SuiteSpec(name="openagi-plan", seed=seed, **SIZES), generator=GENERATOR,
        interpreter="embedded:smollm2-135m", seed=seed, budget=StudyBudget(max_rounds=steps), options=options,
    )  # fmt: skip
    splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
    made = Training(store, store.create_study(name, spec, splits), suite, random.Random(seed))
    made.begin()
    return made


def trained_study(store: SqlStore, name: str = "Fine-tuned plans", *, steps: int = 12, **more: object) -> Study:
    """A training that went all its steps."""
    writer = new_training(store, name, steps=steps, **more)  # type: ignore[arg-type]
    for number in range(1, steps + 1):
        writer.train(number)
    writer.end()
    return store.get_study(writer.study.id)
