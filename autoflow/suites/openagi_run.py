"""Suite `openagi`: plans are carried out by expert models on pictures and texts, and what comes out is scored.

The score of a task is the mean over its samples of the task's metric, in [0, 1], higher is better: ViT score for
pictures, BERTScore for texts, CLIP score for pictures of texts, by the models of the paper where the hub is there, as
are the tools (NAFNet in place of Restormer); else by parts that packages ship, under their own names. What is not of
the asked type scores 0. A plan that names no tool gives back what the task is about. A tool that fails ends its plan;
what was made before is scored. A model that cannot be loaded or reached says nothing about a plan: then there is no
score, but its error.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal
from weakref import WeakValueDictionary

from autoflow.errors import SettingsError
from autoflow.metrics.base import Score
from autoflow.metrics.plan import gold_plan, read_plan, score_plan
from autoflow.records import Totals
from autoflow.suites.base import Sizes, SuiteTask
from autoflow.suites.openagi import PlanTasks
from autoflow.suites.openagi_tasks import OpenAGITask, openagi_tasks
from autoflow.suites.sizes import fit_sizes
from autoflow.tools.openagi.dataflow import Executed, execute
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.images import Picture, as_shown
from autoflow.tools.openagi.table import TOOLS
from autoflow.tools.openagi.values import Sample, Value, outputs, type_of

Samples = Callable[[OpenAGITask], list[Sample]]
Key = tuple[int, tuple[str, ...]]  # number of a task, plan
Metric = Literal["vit-score", "efficientnet-cosine", "bertscore", "bertscore-minilm", "clip-score"]
TASKS_KEPT = 16  # whose samples stay in memory
PLANS_KEPT = 10_000  # whose scores do


@dataclass(frozen=True, slots=True)
class Metrics:
    """Which metric scores which kind of output."""

    pictures: Metric
    texts: Metric
    drawings: Metric | None  # pictures made of texts; None: there is none

    def of(self, task: OpenAGITask) -> Metric | None:
        if task.kind == "text-image":
            return self.drawings
        return self.pictures if task.plan.output_type == "image" else self.texts


HUB = Metrics("vit-score", "bertscore", "clip-score")
OFFLINE = Metrics("efficientnet-cosine", "bertscore-minilm", None)


class OpenAGISuite(PlanTasks):
    """Those of the 185 tasks whose right plan can be carried out and scored here.

    Args:
        experts: the tools.
        metrics: see `HUB` and `OFFLINE`.
        samples: of a task; it may have none, then the task is left out.
        sizes: of the splits; where there are fewer tasks, about the same shares of them.
    Raises SettingsError: fewer than two tasks are left.
    """

    name = "openagi"

    def __init__(
        self, experts: OpenAGIExperts, metrics: Metrics, samples: Samples, *, sizes: Sizes, seed: int = 0
    ) -> None:
        self._experts = experts
        self._metrics = metrics
        self._samples = samples
        self._kept: OrderedDict[int, list[Sample]] = OrderedDict()
        self._reading = threading.Lock()  # of samples: threads ask for them
        self._scores: OrderedDict[Key, Score] = OrderedDict()
        self._working: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()  # as long as somebody waits
        there = {tool.name for tool in TOOLS if experts.available(tool.name).provider}
        self.runnable = [t for t in openagi_tasks() if set(gold_plan(t.plan)) <= there and metrics.of(t) is not None]
        super().__init__(self.runnable, seed=seed, sizes=fit_sizes(len(self.runnable), sizes))

    async def score(self, task: SuiteTask, answer: str) -> Score:
        assert isinstance(task.expected, OpenAGITask)
        return await self.score_plan(task.expected, read_plan(answer))

    async def score_plan(self, task: OpenAGITask, plan: Sequence[str]) -> Score:
        """Of one plan; the same plan on the same task is carried out once, however many ask. Who asks later is told the
        same score, and no spending again.

        Raises: see `judge`.
        """
        key = (task.number, tuple(plan))
        async with self._working.setdefault(key, asyncio.Lock()):
            if key in self._scores:
                return self._scores[key]
            score = await self._worked_out(task, plan)
            self._scores[key] = replace(score, totals=Totals())
            while len(self._scores) > PLANS_KEPT:
                self._scores.popitem(last=False)
            return score

    async def execute(self, task: OpenAGITask, plan: Sequence[str]) -> Executed:
        """What each tool makes of the samples of the task."""
        return await execute(plan, self.samples(task), self._experts)

    def samples(self, task: OpenAGITask) -> list[Sample]:
        """Raises SettingsError: it has none, or they cannot be read."""
        with self._reading:
            found = self._kept.pop(task.number, None) or self._samples(task)
            if not found:
                raise SettingsError(f"Task {task.number} has no samples.", "Choose another folder of data.")
            self._kept[task.number] = found  # the last used last
            while len(self._kept) > TASKS_KEPT:
                self._kept.popitem(last=False)
            return found

    async def _worked_out(self, task: OpenAGITask, plan: Sequence[str]) -> Score:
        experts, spending = self._experts.counted()
        done, figures = await self.judge(task, plan, experts)
        symbolic = score_plan(task.plan, plan)
        parts = {"valid": float(symbolic.valid), "plan": symbolic.score, "failed": float(bool(done.failed))}
        parts |= {name: fmean(values) for name, values in figures.items() if name != "score"}
        took = spending.totals if spending else Totals()
        return Score(fmean(figures["score"]), parts, ", ".join(gold_plan(task.plan)), totals=took)

    async def judge(
        self, task: OpenAGITask, plan: Sequence[str], experts: OpenAGIExperts | None = None
    ) -> tuple[Executed, Mapping[str, list[float]]]:
        """What became of a plan, and its figures, one a sample: `score`; of pictures restored also `psnr` and `ssim`.

        Raises ModelNotFound: a model of a metric is not on this machine, or that of a tool cannot be loaded. Other
        ModelError: the model that a tool asks is gone. BudgetExceeded: it may take no more.
        """
        samples = await asyncio.to_thread(self.samples, task)
        done = await execute(plan, samples, experts or self._experts)
        made = outputs(done.outputs, task.plan.output_type)
        right = [sample.expected for sample in samples]
        metric = self._metrics.of(task)
        assert metric is not None
        figures = {"score": await asyncio.to_thread(_scored, metric, made, right)}
        if task.plan.output_type == "image" and type_of(right[0]) == "image":
            figures |= await asyncio.to_thread(_alike, made, right)
        return done, figures


def _scored(metric: Metric, made: Sequence[Value | None], right: Sequence[Value]) -> list[float]:
    """One a sample; 0 for what is not of the asked type."""
    pairs = [(_fit(value), _fit(wanted)) for value, wanted in zip(made, right, strict=True) if value is not None]
    found = iter(_metric(metric)(pairs))
    return [0.0 if value is None else next(found) for value in made]


def _metric(name: Metric) -> Callable[[Sequence[tuple[Value, Value]]], list[float]]:
    from autoflow.metrics import bertscore, pictures

    if name in ("bertscore", "bertscore-minilm"):
        model = bertscore.model_of(name)
        return lambda pairs: [f1 for f1, _, _ in model.scores([(str(one), str(other)) for one, other in pairs])]
    found = {
        "vit-score": pictures.vit_score, "efficientnet-cosine": pictures.efficientnet_cosine,
        "clip-score": pictures.clip_score,
    }  # fmt: skip
    return found[name]


def _alike(made: Sequence[Value | None], right: Sequence[Value]) -> dict[str, list[float]]:
    """PSNR (at most 60 dB, so that equal pictures do not make a mean infinite) and SSIM; 0 for what is no picture."""
    from autoflow.metrics.pictures import psnr, ssim

    pairs = [None if a is None else (_fit(a), _fit(b)) for a, b in zip(made, right, strict=True)]
    return {
        "psnr": [0.0 if pair is None else min(60.0, psnr(*pair)) for pair in pairs],  # type: ignore[arg-type]
        "ssim": [0.0 if pair is None else ssim(*pair) for pair in pairs],  # type: ignore[arg-type]
    }


def _fit(value: Value) -> Value:
    """Pictures as they are shown: tools may have enlarged them."""
    return as_shown(value) if isinstance(value, Picture) else value
