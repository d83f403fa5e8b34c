"""What became of the samples of trainings, and the file of JSON lines that keeps it, a line a step, for all of them.

{"run": "seed-0", "settings": {...}, "messages": [...]}                         how one began, with date and versions
{"run": "seed-0", "step": 1, "figures": {...}, "counts": ..., "texts": [...]}   a step
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from autoflow.lang import parse
from autoflow.optimize.grading import NOVELTY, distance, grade, structure
from autoflow.study import RewardSpec
from bench.real.run_file import RunFile

COPIED = -0.25  # the reward of a copy: above every error, below what counts
COUNTS = 0.5  # of what counts by its structure alone; up to 1 the further its instructions are from the example's
EVERY = 10  # all texts are kept of the first step and of each tenth


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of one text."""

    reward: float
    error: str  # the first; "" where there is none
    copied: bool
    structure: str = ""  # types of the steps and where they lead; of texts without errors
    distance: float = 0.0  # of the instructions from the example's, in [0, 1]; of texts without errors

    @property
    def counts(self) -> bool:
        return not self.error and not self.copied


def mark(text: str, example: str, *, ended: bool) -> Mark:
    found = grade(text, example, ended=ended)
    if found.error:
        return Mark(found.penalty(RewardSpec(), COPIED), found.error, copied=False)
    workflow = parse(text).workflow
    far = distance(workflow, parse(example).workflow)
    reward = COUNTS + (1 - COUNTS) * min(1.0, far / NOVELTY) if found.counts else COPIED
    return Mark(reward, "", found.copied, repr(structure(workflow)), far)


class LoraFile(RunFile):
    """One training's lines in the file that all share."""

    def begin(self, told: dict[str, Any]) -> None:
        """Says how the training began, where it did not yet."""
        if not self.lines():
            self.append(told)

    def add(self, figures: dict[str, Any], texts: Sequence[str], marked: Sequence[Mark]) -> None:
        """A step. One that is there already was drawn again after an interruption, to the last bit."""
        if any(line["step"] == figures["step"] for line in self.steps):
            return
        share = 1 / len(marked)
        sound = [text for text, mark in zip(texts, marked, strict=True) if mark.counts]
        self.append({
            "step": figures["step"],
            "counts": share * len(sound),
            "errors": share * sum(bool(mark.error) for mark in marked),
            "copies": share * sum(mark.copied for mark in marked),
            "distinct_that_count": len(set(sound)),
            "distance": fmean([mark.distance for mark in marked if mark.counts] or [0.0]),
            "structures": len({mark.structure for mark in marked if mark.counts}),
            "figures": figures,
            "texts": [{"text": t, **asdict(m)} for t, m in zip(texts, marked, strict=True)]
            if figures["step"] == 1 or figures["step"] % EVERY == 0 else [],
        })  # fmt: skip
