"""Suite `openagi-plan`: the 185 objectives of OpenAGI, scored by the plan that an answer names; no tool is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoflow.metrics.plan import gold_plan, read_plan, score_plan
from autoflow.records import Task
from autoflow.suites.base import Score, Sizes, Split, SuiteTask, plain_prompt, split_tasks
from autoflow.suites.openagi_tasks import OpenAGITask, openagi_tasks
from autoflow.tools.openagi.table import TOOLS

MANUAL = Path(__file__).resolve().parents[2] / "assets" / "workflows" / "openagi-manual.core"
DEFAULT_SIZES: Sizes = {"train": 8, "val": 12, "test": 24}
TOOL_NAMES = tuple(tool.name for tool in TOOLS)


class PlanTasks:
    """What both suites of OpenAGI have in common: its tasks, and a plan as the answer.

    Args:
        tasks: those that can be scored.
        seed: of the splits, which are stratified by the kind of task.
        sizes: tasks a split.
    Raises SettingsError: more tasks are asked for than there are.
    """

    tools: Sequence[str] = ()
    vocabulary: Sequence[str] = TOOL_NAMES
    plain = plain_prompt(
        "Which models of the list are needed for the objective, and in which order? Reply with their names only."
    )

    def __init__(self, tasks: Sequence[OpenAGITask], *, seed: int, sizes: Sizes) -> None:
        self._splits = split_tasks(list(map(_suite_task, tasks)), sizes, seed, stratum=lambda t: t.tags)

    @property
    def baseline(self) -> str:
        return MANUAL.read_text("utf-8")

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        return self._splits[split]

    def expected(self, task: SuiteTask) -> str:
        assert isinstance(task.expected, OpenAGITask)
        return ", ".join(gold_plan(task.expected.plan))


class OpenAGIPlanSuite(PlanTasks):
    """Plans for the 185 objectives, and no tool run.

    Args, Raises: see `PlanTasks`.
    """

    name = "openagi-plan"

    def __init__(self, *, seed: int = 0, sizes: Sizes = DEFAULT_SIZES) -> None:
        super().__init__(openagi_tasks(), seed=seed, sizes=sizes)

    async def score(self, task: SuiteTask, answer: str) -> Score:
        assert isinstance(task.expected, OpenAGITask)
        found = score_plan(task.expected.plan, read_plan(answer))
        return Score(
            found.score,
            {"overlap": found.overlap, "exact": float(found.exact), "valid": float(found.valid)},
            self.expected(task),
        )


def _suite_task(task: OpenAGITask) -> SuiteTask:
    name = f"openagi-{task.number}"
    return SuiteTask(name, Task(id=name, objective=task.objective, listed_tools=TOOL_NAMES), (task.kind,), task)
