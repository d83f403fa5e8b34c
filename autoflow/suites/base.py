"""The seam between tasks and everything that runs them: what is asked, in which split, and how an answer is scored."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from autoflow.errors import SettingsError
from autoflow.metrics.base import Score
from autoflow.records import Task
from autoflow.study import SPLITS, Split
from autoflow.tools.base import Tool

__all__ = [
    "PROPOSED", "SPLITS", "Score", "Sizes", "Split", "Suite", "SuiteTask", "asked", "in_words", "plain_prompt",
    "split_tasks",
]  # fmt: skip
Sizes = Mapping[Split, int]
PROPOSED = "proposed by a model"  # begins the tag of such a task
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SuiteTask:
    """One task of a suite."""

    id: str  # the same in every process and at every time
    task: Task  # what a run is given
    tags: tuple[str, ...] = ()
    expected: Any = None  # for scoring alone: no model that is measured may see it


class Suite(Protocol):
    """Tasks in three disjoint splits: train gives feedback, validation selects, test is scored once, at the end."""

    @property
    def name(self) -> str: ...

    @property
    def baseline(self) -> str:
        """The manual workflow, CoRE text; empty where there is none."""
        ...

    @property
    def plain(self) -> str:
        """One step that asks for the answer: the plain prompt that every workflow must beat. See `plain_prompt`."""
        ...

    @property
    def tools(self) -> Sequence[str | Tool]:
        """Callable tools that every run is offered: names of tools that are there, or tools that the suite brings."""
        ...

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words that answers are made of, where answers are lists of given words; else empty."""
        ...

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        """In an order that never changes."""
        ...

    def expected(self, task: SuiteTask) -> str:
        """What would be right, in words, empty where nobody can say. Feedback on train tasks; no run may see it."""
        ...

    async def score(self, task: SuiteTask, answer: str) -> Score:
        """Of the answer of a run that reached a terminal; other runs score 0 unasked.

        What it raises costs that run its score, and is kept with it.
        """
        ...


def asked(task: SuiteTask) -> str:
    """Objective and inputs in one text, for whoever judges an answer or looks for what tasks differ in."""
    inputs = [f"{given.name}:\n{given.text}" for given in task.task.inputs]
    return "\n\n".join([task.task.objective, *inputs])


def in_words(task: SuiteTask) -> str:
    """What tells the task from others, in one text: that a model proposed it, where one did; inputs; objective.

    The inputs come first: rows of a table often share one objective, and lists cut what is long.
    """
    inputs = [f"{given.name}: {given.text}" for given in task.task.inputs if given.text.strip()]
    words = " · ".join([*inputs, task.task.objective])
    mark = next((tag for tag in task.tags if tag.startswith(PROPOSED)), "")
    return f"({mark}) {words}" if mark else words


def plain_prompt(instruction: str = "Do what the objective asks. Give the answer only.") -> str:
    """A workflow of one step."""
    return f"Answer:::terminal:::{instruction}:::\n"


def split_tasks(
    tasks: Sequence[T], sizes: Sizes, seed: int, *, stratum: Callable[[T], Hashable] = lambda _: 0
) -> dict[Split, tuple[T, ...]]:
    """Disjoint splits by seed, each with about the same share of every stratum. Tasks may be anything that means one.

    Raises SettingsError: more tasks are asked for than there are.
    """
    wanted = sum(sizes.get(split, 0) for split in SPLITS)
    if wanted > len(tasks):
        raise SettingsError(f"The splits ask for {wanted} tasks, but there are {len(tasks)}.", "Ask for fewer.")
    mixed = _interleaved(tasks, random.Random(seed), stratum)  # noqa: S311  (chance, no secret)
    found, at = {}, 0
    for split in SPLITS:
        size = sizes.get(split, 0)
        found[split] = tuple(mixed[at : at + size])
        at += size
    return found


def _interleaved(tasks: Sequence[T], chance: random.Random, stratum: Callable[[T], Hashable]) -> list[T]:
    """Shuffled so that any stretch holds the strata in about their shares of the whole."""
    strata: dict[Hashable, list[T]] = defaultdict(list)
    for task in tasks:
        strata[stratum(task)].append(task)
    placed = []
    for members in strata.values():
        chance.shuffle(members)
        shift = chance.random()
        placed += [((n + shift) / len(members), chance.random(), task) for n, task in enumerate(members)]
    return [task for _, _, task in sorted(placed, key=lambda place: place[:2])]
