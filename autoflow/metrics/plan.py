"""The plan score of OpenAGI tasks: how much of a task a chain of expert tools would get done, without running them.

A plan is carried out on symbols. A value is an image with the degradations that are still in it, or a text with its
language and whether words are missing; each tool takes what it can use and gives what it makes. Goals are one
for each degradation that the objective names, one for the kind of output, one for German.

    score = max(0, (achieved - harmed - superfluous / 2) / goals), in [0, 1], higher is better

The gold plan scores 1, the empty plan 0. Facts: OpenAGI (arXiv 2304.04370) and the sentences of its 185 tasks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from autoflow.tools.openagi.table import BY_NAME, DEGRADATIONS, RESTORERS, TOOLS, Output, Tool, Type

Language = Literal["English", "German"]
ORDER_WEIGHT = 0.5  # of a goal: what the order of the restorations is worth in all
_ALIASES = {
    "text-to-image generation": "Text to Image Generation",
    "text-to-image": "Text to Image Generation",
    "text to image": "Text to Image Generation",
    "machine translation (english to german)": "Machine Translation",
    "image super-resolution": "Image Super Resolution",
    "super resolution": "Image Super Resolution",
    "super-resolution": "Image Super Resolution",
    "colourization": "Colorization",
    "image colorization": "Colorization",
    "image deblur": "Image Deblurring",
    "image denoise": "Image Denoising",
    "image caption": "Image Captioning",
    "fill-mask": "Fill Mask",
    "mask filling": "Fill Mask",
    "vqa": "Visual Question Answering",
}
_NAMES = {tool.name.lower(): tool.name for tool in TOOLS} | _ALIASES
_LONGEST_FIRST = sorted(_NAMES, key=len, reverse=True)  # `Visual Question Answering` holds the name of another tool
_ANY = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in _LONGEST_FIRST)
_NAME = re.compile(rf"(?<!\w)(?:{_ANY})(?!\w)", re.IGNORECASE)


def read_plan(answer: str) -> tuple[str, ...]:
    """The tools that an answer names, in order of appearance; a tool that is named twice stands there twice."""
    return tuple(_NAMES[" ".join(found.group().lower().split())] for found in _NAME.finditer(answer))


@dataclass(frozen=True, slots=True)
class PlanTask:
    """What an objective gives and asks."""

    image: tuple[str, ...] | None  # degradations of the image, in the order of their making; None: no image is given
    texts: tuple[bool, ...]  # of each text given: whether it is clozed
    output: Output
    german: bool = False

    @property
    def goals(self) -> int:
        return len(self.image or ()) + sum(self.texts) + 1 + self.german

    @property
    def input_type(self) -> Type:
        return "text" if self.image is None else "image"

    @property
    def output_type(self) -> Type:
        return "image" if self.output in ("regular image", "generated image") else "text"

    @property
    def tool(self) -> str | None:
        """The tool that gives the asked kind of output; None: restoring is all there is to do."""
        if self.output == "answer":
            return "Question Answering" if self.image is None else "Visual Question Answering"
        return next((tool.name for tool in TOOLS if tool.makes == self.output), None)


def gold_plan(task: PlanTask) -> tuple[str, ...]:
    """Every degradation undone, the last made first; the task's tool; the translation."""
    plan = [RESTORERS[name] for name in reversed(task.image or ())]
    plan += [RESTORERS["clozed"]] * sum(task.texts)
    plan += [task.tool] if task.tool else []
    plan += ["Machine Translation"] if task.german and task.output != "translation" else []
    return tuple(plan)


@dataclass(frozen=True, slots=True)
class PlanScore:
    """How a plan fared."""

    score: float  # in [0, 1], higher is better
    achieved: float  # goals, less what a wrong order of restorations costs
    harmed: int  # tools that did damage
    superfluous: int  # tools that did nothing, or could not be used
    goals: int
    valid: bool  # tools that chain from the task's input to its output
    exact: bool  # the gold plan itself
    overlap: float  # Jaccard index with the gold plan, both as sets, in [0, 1]


def score_plan(task: PlanTask, plan: Sequence[str]) -> PlanScore:
    """Carry out the plan on symbols. Raises KeyError: a name that no tool has; `read_plan` gives none."""
    tools, gold = [BY_NAME[name] for name in plan], gold_plan(task)
    state = _State(task)
    for tool in tools:
        state.apply(tool)
    achieved = state.achieved()
    valid = (
        bool(tools) and not state.broken and task.input_type in tools[0].takes and tools[-1].gives == task.output_type
    )
    return PlanScore(
        score=max(0.0, (achieved - state.harmed - state.superfluous / 2) / task.goals) if tools else 0.0,
        achieved=achieved,
        harmed=state.harmed,
        superfluous=state.superfluous,
        goals=task.goals,
        valid=valid,
        exact=tuple(plan) == gold,
        overlap=len(set(plan) & set(gold)) / len(set(plan) | set(gold)),
    )


@dataclass(slots=True)
class _Text:
    clozed: bool = False
    german: bool = False


@dataclass(slots=True)
class _State:
    """What there is while a plan is carried out."""

    task: PlanTask
    images: list[set[str]] = field(default_factory=list)  # the degradations that are still in each
    texts: list[_Text] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)  # degradations of the image, in the order of their removal
    filled: int = 0
    kind: bool = False  # the asked kind of output was made
    used: bool = False  # any tool could be used
    harmed: int = 0
    superfluous: int = 0
    broken: bool = False  # a tool found nothing of its type: nothing after it can run

    def __post_init__(self) -> None:
        self.images = [] if self.task.image is None else [set(self.task.image)]
        self.texts = [_Text(clozed=clozed) for clozed in self.task.texts]

    def apply(self, tool: Tool) -> None:
        """One tool; where it does not find what it takes, the plan ends."""
        if self.broken or not self._finds(tool):
            self.broken = True
            self.superfluous += 1
            return
        self.used = True
        if tool.mends == "clozed":
            self._fill()
        elif tool.mends:
            self._mend(tool.mends)
        elif tool.makes == "translation":
            self._translate()
        else:
            self._turn(tool)

    def achieved(self) -> float:
        """Goals that were reached; restorations in a wrong order are worth a little less."""
        kind = self.kind or (self.task.output == "regular image" and self.used and bool(self.images))
        german = self.task.german and bool(self.texts) and self.texts[-1].german and self.kind
        pairs = list(combinations([DEGRADATIONS.index(name) for name in self.mended], 2))
        wrong = sum(first < second for first, second in pairs) / len(pairs) if pairs else 0.0
        return len(self.mended) + self.filled + kind + german - ORDER_WEIGHT * wrong

    def _finds(self, tool: Tool) -> bool:
        return len(self.images) >= tool.takes.count("image") and len(self.texts) >= tool.takes.count("text")

    def _fill(self) -> None:
        clozed = next((text for text in self.texts if text.clozed), None)
        if clozed is None:
            self.superfluous += 1
        else:
            clozed.clozed = False
            self.filled += 1

    def _mend(self, degradation: str) -> None:
        if degradation in self.images[-1]:
            self.images[-1].remove(degradation)
            self.mended.append(degradation)
        else:
            self.superfluous += 1

    def _translate(self) -> None:
        """Harm where English is asked; of use where it gives what the task asks in German, and that once.

        Where the translation is what the task asks, missing words stay missing in it for good.
        """
        text, wanted = self.texts[-1], self.task.output == "translation"
        if not self.task.german:
            self.harmed += 1
        elif text.german or not (wanted or self.kind):
            self.superfluous += 1
        else:
            self.kind = True
            text.clozed = text.clozed and not wanted
        text.german = True

    def _turn(self, tool: Tool) -> None:
        """A tool that turns what it takes into something else; what was not mended before stays in it for good."""
        if tool.name != self.task.tool or self.kind:
            self.harmed += 1
        else:
            self.kind = True
        for kind in tool.takes:
            (self.images if kind == "image" else self.texts).pop()
        if tool.gives == "image":
            self.images.append(set())
        else:
            self.texts.append(_Text())
