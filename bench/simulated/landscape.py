"""Tasks whose success depends on what a workflow says, and on nothing else: landscapes to compare searches on.

A task is a report that needs some of eight aspects; its objective hints at them. An answer that names an aspect has it
done. What an answer is worth differs by landscape:

    additive   each needed aspect counts, what is superfluous costs nothing: adding steps is enough
    choosy     what is superfluous costs half of what a needed one gives: a step needs a question before it
    valley     aspects work in pairs: one of a pair alone is worse than none, so the way up leads down first
    trap       the word `outline` gives 0.45 at once on every task, and then aspects count a fifth: a rise to a dead end

Whoever accepts only what is better than the best so far cannot leave `trap` and crosses `valley` by luck alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from autoflow.metrics.base import Score
from autoflow.records import Task
from autoflow.suites.base import SPLITS, Split, SuiteTask, plain_prompt

Landscape = Literal["additive", "choosy", "valley", "trap"]
LANDSCAPES: tuple[Landscape, ...] = ("additive", "choosy", "valley", "trap")
HINTS = {  # aspect -> what an objective says that needs it
    "units": "lengths in feet",
    "dates": "dates of last year",
    "names": "people who took part",
    "totals": "columns of numbers",
    "currency": "prices in yen",
    "tone": "a nervous reader",
    "language": "parts in Polish",
    "sources": "claims of others",
}
ASPECTS = tuple(HINTS)
PAIRS = (("units", "totals"), ("dates", "names"), ("currency", "language"), ("tone", "sources"))
TRAP = "outline"
SIZES: dict[Split, int] = {"train": 8, "val": 12, "test": 40}
MANUAL = """Read:::process:::Read the report with care.:::next::Units
Units:::process:::Take care of the units.:::next::Answer
Answer:::terminal:::Give the report.:::
"""


class SimulatedSuite:
    """Tasks of one landscape, by seed."""

    tools: Sequence[str] = ()
    vocabulary: Sequence[str] = ()
    baseline = MANUAL
    plain = plain_prompt("Give the report.")

    def __init__(self, landscape: Landscape, seed: int) -> None:
        self.name = f"simulated-{landscape}"
        self._landscape = landscape
        chance = random.Random(f"{landscape} {seed}")
        self._tasks = {
            split: tuple(_task(f"{split}-{n}", landscape, chance) for n in range(SIZES[split])) for split in SPLITS
        }

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        return self._tasks[split]

    def expected(self, task: SuiteTask) -> str:
        return ", ".join(task.expected)

    async def score(self, task: SuiteTask, answer: str) -> Score:
        done = set(answer.replace(",", " ").split())
        return Score(worth(self._landscape, frozenset(task.expected), done), {}, self.expected(task))


def worth(landscape: Landscape, needed: frozenset[str], done: set[str]) -> float:
    """What an answer is worth, in [0, 1]."""
    hit, superfluous = len(needed & done), len((done & set(ASPECTS)) - needed)
    if landscape == "choosy":
        return max(0.0, (hit - superfluous / 2) / len(needed))
    if landscape == "valley":
        pairs = [pair for pair in PAIRS if set(pair) <= needed]
        whole = sum(set(pair) <= done for pair in pairs)
        half = sum(len(set(pair) & done) == 1 for pair in pairs)
        return min(1.0, max(0.0, 0.3 + 0.7 * whole / len(pairs) - 0.3 * half / len(pairs)))
    if landscape == "trap" and TRAP in done:
        return 0.45 + 0.2 * hit / len(needed)
    return hit / len(needed)


def _task(name: str, landscape: Landscape, chance: random.Random) -> SuiteTask:
    if landscape == "valley":
        needed = [aspect for pair in chance.sample(PAIRS, chance.randint(1, 3)) for aspect in pair]
    else:
        needed = chance.sample(ASPECTS, chance.randint(2, 5))
    told = ", ".join(HINTS[aspect] for aspect in needed)
    objective = f"Write report {chance.randint(100, 999)} from notes with {told}."
    return SuiteTask(name, Task(id=name, objective=objective), (), tuple(needed))
