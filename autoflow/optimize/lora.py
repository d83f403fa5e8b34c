"""Method `lora`: the generator itself is trained, by REINFORCE on what its workflows earn (arXiv 2407.12821).

A round is a step of the training: the model in training draws a few workflows; each that has no error, is no copy of
the example in its prompt and is not there yet becomes a candidate and is run on all train tasks; a new best on train is
run on validation. Then the model learns from what all of its samples earned. The step is kept with the round, and the
adapter that earned most so far is a model in the list, from the first step on that beats the base model.

A text that cannot run earns less than any that can, the more the nearer it comes to one that can (`grading`): with one
penalty for all, most steps of a small model would teach nothing. A copy earns what `copied` says, and a text that is a
candidate already what that candidate earned; one that is drawn again in the same step earns that once (`shared_out`).

After the search, samples of the base model and of the best adapter are run on the sealed test (`lora_compare`). Which
adapter is best is said by the mean reward of its own samples, on train tasks alone.

Left out of the published method: a second model that repairs what was drawn (what was drawn is what is rewarded; see
`constrained`), and the value head (docs/decisions/0015).
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import ValidationError

from autoflow.errors import SettingsError
from autoflow.lang.grammar import core_grammar
from autoflow.optimize.base import Draft, Optimizer, Rules, Workshop
from autoflow.optimize.grading import Grade, grade, shared_out
from autoflow.optimize.loop import canonical
from autoflow.optimize.lora_adapter import adapter_of, publish
from autoflow.optimize.lora_base import check_base
from autoflow.optimize.lora_prompt import chats
from autoflow.optimize.lora_training import Training
from autoflow.optimize.options import LoraOptions, options_of
from autoflow.optimize.paper import INVALID_REWARD
from autoflow.records import Totals, broken_rule
from autoflow.settings import settings
from autoflow.study import (
    DRAWN,
    FINAL,
    TRAINED,
    UNTRAINED,
    Candidate,
    StudySample,
    StudySpec,
    StudyStop,
    TrainingStep,
)
from autoflow.train.best import Best, best_adapters
from autoflow.train.settings import AdapterSettings, SamplingSettings, TrainSettings
from autoflow.train.standing import prune
from autoflow.train.talk import GrammarText, Order, Sampled


@dataclass(frozen=True, slots=True)
class _Graded:
    sample: Sampled
    grade: Grade


class Lora(Optimizer):
    """The optimizer. Raises SettingsError, ModelNotFound: an option or the generator will not do."""

    def __init__(self, spec: StudySpec) -> None:
        self._spec = spec
        self._options = options_of(spec, LoraOptions)
        self._settings = train_settings(spec, self._options)
        check_base(spec.generator)
        self.rules = Rules(minibatch=0, trains=True)
        self._shop: Workshop | None = None
        self._training: Training | None = None
        self._drawn: list[_Graded] = []

    async def propose(self, workshop: Workshop, round_: int) -> list[Draft]:
        """Drawn again for a round that was begun before: a process that draws the same has nothing new then."""
        workshop.allow()
        training = self._opened(workshop)
        samples = await training.draw(round_)
        example = workshop.view.candidates[0].text
        novelty = self._options.novelty
        self._drawn = [_Graded(s, grade(s.text, example, ended=s.ended, novelty=novelty)) for s in samples]
        counted = any(c.round == round_ for c in workshop.view.candidates)
        drafts = []
        for one in self._drawn:
            totals = Totals() if counted else _totals(one.sample, training.prompt_tokens)
            if one.grade.counts:
                drafts.append(Draft(one.sample.text, None, DRAWN, f"Drawn in step {round_}.", totals))
            else:
                workshop.generator.totals += totals
        return drafts

    async def learn(self, workshop: Workshop, candidates: Sequence[Candidate]) -> TrainingStep:
        step, training = workshop.view.study.rounds + 1, self._opened(workshop)
        known = _by_text(workshop)
        found = [known.get(canonical(one.sample.text)) if one.grade.counts else None for one in self._drawn]
        earned = [self._reward(workshop, one, c) for one, c in zip(self._drawn, found, strict=True)]
        rewards = shared_out(earned, [one.sample.text for one in self._drawn], self._options.repeated)
        workshop.show(f"Step {step}: updating the adapter")
        done = await training.update(step, [one.sample for one in self._drawn], rewards)
        await asyncio.to_thread(self._publish, workshop)
        samples = [
            StudySample(**sample.model_dump(), **_became(workshop, one, c))
            for sample, one, c in zip(done.samples, self._drawn, found, strict=True)
        ]
        return TrainingStep(figures=done.figures, samples=tuple(samples), ending=done.ending)

    async def ended(self, workshop: Workshop) -> StudyStop | None:
        last = await workshop.trained(workshop.view.study.rounds - 1)
        return "collapsed" if last and last[-1].ending else None

    async def final(self, workshop: Workshop) -> list[Draft]:
        best = await asyncio.to_thread(self._publish, workshop)
        count = self._options.compare
        if best is None or not count or not workshop.view.study.splits.get("test"):
            return []
        workshop.show(f"Drawing {count} workflows each from base model and adapter, for the sealed test")
        seed = workshop.seed("compare")
        training = self._opened(workshop)
        found = await training.compare(count, best.step, seed)
        drawn = [(UNTRAINED, one) for one in found.base] + [(TRAINED, one) for one in found.trained]
        return [Draft(s.text, None, name, "", _totals(s, training.prompt_tokens)) for name, s in drawn]

    async def rehearse(self, workshop: Workshop) -> tuple[Totals, float]:
        """One step for its time alone: what it takes, and its seconds."""
        training = self._opened(workshop)
        samples = await training.draw(1)
        done = await training.update(1, samples, [0.0] * len(samples))
        totals = sum((_totals(sample, training.prompt_tokens) for sample in samples), Totals())
        return totals, done.figures.sampling_s + done.figures.update_s

    async def aclose(self) -> None:
        """Once the study has ended, what its training would go on from is removed."""
        if self._training is not None:
            await self._training.aclose()
        study = self._shop.view.study if self._shop is not None else None
        if study is not None and study.stop is not None and study.best is not None:
            await asyncio.to_thread(prune, settings().trainings / study.id)

    def _opened(self, shop: Workshop) -> Training:
        if self._training is None:
            self._shop, prompts = shop, chats(shop, self._options)
            grammar = core_grammar(2, self._options.max_steps) if self._options.constrained else None

            def order(step: int) -> Order:
                return Order(
                    model=self._spec.generator, prompts=prompts, settings=self._settings, step=step,
                    folder=str((settings().trainings / shop.view.study.id).absolute()),
                    threads=self._options.threads or settings().threads,
                    grammar=None if grammar is None else GrammarText(gbnf=grammar.gbnf, lark=grammar.lark),
                )  # fmt: skip

            self._training = Training(shop, order)
        return self._training

    def _reward(self, shop: Workshop, one: _Graded, candidate: Candidate | None) -> float:
        if not one.grade.counts:
            published = self._options.preset == "paper" and one.grade.error
            return INVALID_REWARD if published else one.grade.penalty(self._spec.reward, self._options.copied)
        found = None if candidate is None else shop.view.reward(candidate.number, "train")
        assert found is not None, "what counts was run on all train tasks"
        return found

    def _publish(self, shop: Workshop) -> Best | None:
        """The best adapter so far, as a model in the list; None while the base model itself earned most."""
        study = shop.view.study
        folder = settings().trainings / study.id
        kept = best_adapters(folder)
        if not kept or kept[0].step == 0:
            return None
        publish(study, folder, kept[0], time.time())
        return kept[0]


def train_settings(spec: StudySpec, options: LoraOptions) -> TrainSettings:
    """Raises SettingsError: the options contradict each other."""
    try:
        return TrainSettings(
            adapter=AdapterSettings(r=options.r, alpha=options.alpha, dropout=options.dropout, targets=options.targets),
            sampling=SamplingSettings(
                temperature=options.temperature, top_p=options.top_p, top_k=options.top_k,
                max_new_tokens=options.max_new_tokens,
            ),
            seed=spec.seed % 2**31, steps=max(1, spec.budget.max_rounds), group=options.group,
            accumulate=options.accumulate, micro_batch=options.micro_batch, baseline=options.baseline,
            kl_weight=options.kl_weight, learning_rate=options.learning_rate, warmup=options.warmup, half=options.half,
        )  # fmt: skip
    except ValidationError as error:
        raise SettingsError(f"The options of `lora` cannot be used: {broken_rule(error)}.") from error


async def rehearsed(spec: StudySpec, shop: Workshop) -> tuple[Totals, float]:
    """See `Lora.rehearse`; on a study that nobody keeps, of which nothing is left."""
    optimizer = Lora(spec)
    try:
        return await optimizer.rehearse(shop)
    finally:
        await optimizer.aclose()
        await asyncio.to_thread(shutil.rmtree, settings().trainings / shop.view.study.id, ignore_errors=True)


def model_of(spec: StudySpec, study_id: str) -> str | None:
    """What the study made, as users write it: `local:BASE+NAME`. None: nothing yet."""
    name = adapter_of(study_id)
    return None if name is None else f"{spec.generator}+{name}"


def _by_text(shop: Workshop) -> dict[str, Candidate]:
    """The first candidate of each text that can run."""
    runnable = (c for c in reversed(shop.view.candidates) if not c.error and c.operator not in FINAL)
    return {canonical(c.text): c for c in runnable}


def _totals(sample: Sampled, prompt_tokens: int) -> Totals:
    return Totals(calls=1, prompt_tokens=prompt_tokens, completion_tokens=sample.tokens)


def _became(shop: Workshop, one: _Graded, candidate: Candidate | None) -> dict[str, object]:
    """What is kept of a sample besides what was measured of it."""
    told: dict[str, object] = {"error": one.grade.error, "copied": one.grade.copied}
    if candidate is None:
        return told
    scores = shop.view.task_scores(candidate.number, "train")
    return told | {
        "candidate": candidate.number,
        "score": fmean(scores.values()) if scores else None,
        "reached": shop.view.valid_share(candidate.number, "train"),
    }
