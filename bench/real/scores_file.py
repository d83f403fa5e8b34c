"""What became of trainings that are studies: a file of JSON lines for all of them, a line a step.

{"run": "seed-0", "begun": "2026-11-26", "spec": {...}, "versions": {...}}
{"run": "seed-0", "step": 1, "sound": ..., "counts": ..., "runs": ..., "score": ..., "figures": {...}, "texts": [...]}
{"run": "seed-0", "stop": "rounds", "minutes": ..., "gain": {...}, "scores": {...}}            once it has ended
"""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from autoflow.optimize.lora_compare import Gain, gain
from autoflow.optimize.training_view import point_of
from autoflow.optimize.view import StudyView
from autoflow.statistics import Interval, bootstrap
from autoflow.study import Candidate, TrainingStep
from bench.real.run_file import RunFile

EVERY = 10  # all texts are kept of the first step and of each tenth
LIBRARIES = ("torch", "transformers", "peft", "xllamacpp")


class ScoresFile(RunFile):
    """One training's lines in the file that all share."""

    @property
    def ended(self) -> bool:
        return any("stop" in line for line in self.lines())

    def write(self, view: StudyView, steps: Sequence[TrainingStep]) -> None:
        """What is not there yet of what the study has come to.

        Raises ValueError: the file holds another training's steps, as where the study was lost and begun anew.
        """
        there = self.lines()
        study = view.study
        if not there:
            day = time.strftime("%Y-%m-%d", time.gmtime(study.created_at))
            versions = {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
            self.append({"begun": day, "spec": study.spec.model_dump(mode="json"), "versions": versions})
        known = {line["step"]: line["figures"]["reward_mean"] for line in there if "step" in line}
        for step in steps:
            earned = known.get(step.figures.step)
            if earned is None:
                self.append(_step(step))
            elif earned != step.figures.reward_mean:
                raise ValueError(
                    f"{self._path} holds another training as {self._run}: step {step.figures.step} differs."
                )
        if study.stop is not None and study.best is not None and not self.ended:
            self.append(_end(view))


def _step(step: TrainingStep) -> dict[str, Any]:
    point = point_of(step)
    counting = {sample.text for sample in step.samples if not sample.error and not sample.copied}
    whole = point.step == 1 or point.step % EVERY == 0
    return {
        "step": point.step, "sound": point.sound, "counts": point.counts, "runs": point.runs, "score": point.score,
        "distinct_that_count": len(counting), "figures": point.figures.model_dump(),
        "texts": [s.model_dump(include={"text", "reward", "error", "copied", "score", "reached"}) for s in step.samples]
        if whole else [],
    }  # fmt: skip


def _end(view: StudyView) -> dict[str, Any]:
    shown = {"manual": view.manual, "plain": view.plain, "best": view.best()}
    found = gain(view)
    return {
        "stop": view.study.stop, "minutes": view.study.seconds / 60, "rounds": view.study.rounds,
        "scores": {name: _scores(view, one) for name, one in shown.items() if one is not None},
        "gain": _gain(found) if found else None, "best": shown["best"].text if shown["best"] else "",
    }  # fmt: skip


def _scores(view: StudyView, one: Candidate) -> dict[str, Any]:
    scores = list(view.task_scores(one.number, "test").values())
    test = _interval(bootstrap(scores)) if scores else None
    return {"candidate": one.number, "val": view.score(one.number, "val"), "test": test}


def _gain(found: Gain) -> dict[str, Any]:
    return {
        "base": _interval(found.base.score), "trained": _interval(found.trained.score), "samples": found.base.samples,
        "base_runnable": found.base.runnable, "trained_runnable": found.trained.runnable,
        "difference": _interval(found.difference.difference), "p": found.difference.p,
    }  # fmt: skip


def _interval(found: Interval) -> dict[str, float]:
    return {"mean": found.mean, "low": found.low, "high": found.high}
