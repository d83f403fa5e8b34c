"""`autoflow evaluate`: a workflow on the tasks of a suite, scored."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autoflow.cli import output
from autoflow.cli.files import read_text
from autoflow.cli.options import File, Json, Model

if TYPE_CHECKING:
    from autoflow.records import Event
    from autoflow.statistics import Interval
    from autoflow.study import Outcome
    from autoflow.suites.base import Suite


def register(app: typer.Typer) -> None:
    app.command()(evaluate)


def evaluate(
    file: File,
    suite: Annotated[str, typer.Option("--suite", metavar="SUITE", help="openagi-plan.")],
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Which of its tasks.")] = "val",
    model: Model = None,
    tasks: Annotated[int | None, typer.Option(min=1, help="Only the first so many.", show_default="all")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs a task, each with another seed.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 0,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps visited, a run.")] = 30,
    answer_tokens: Annotated[int, typer.Option(min=1, help="Completion tokens a call may take.")] = 256,
    json_: Json = False,
) -> int:
    """Run a workflow on the tasks of a suite and score the answers. Exit 1 where no run reached a terminal."""
    from autoflow.records import RunPolicy
    from autoflow.study import SuiteSpec
    from autoflow.suites.registry import open_suite

    text = read_text(file)
    opened = open_suite(SuiteSpec(name=suite, seed=seed))
    policy = RunPolicy(max_steps=max_steps, answer_tokens=answer_tokens)
    outcomes, name = asyncio.run(_evaluate(text, opened, split, model, tasks, repeats, policy))
    told = _summary(outcomes)
    if json_:
        output.emit({"suite": suite, "split": split, "seed": seed, "model": name, **told, "runs": _runs(outcomes)})
    else:
        output.say(_table(told))
    return output.FINE if any(o.stop == "terminal" for o in outcomes) else output.FAILED


async def _evaluate(
    text: str, suite: Suite, split: Any, model: str | None, limit: int | None, repeats: int, policy: Any
) -> tuple[list[Outcome], str]:
    from autoflow.cli.llms import open_model
    from autoflow.evaluate import LocalEvaluator, Unit
    from autoflow.tools import open_toolbox

    chosen = suite.tasks(split)[:limit]
    progress = _Progress(len(chosen) * repeats)
    async with open_toolbox(()) as toolbox, aclosing(open_model(model)) as llm:
        units = (Unit(0, text, task, repeat, split) for repeat in range(repeats) for task in chosen)
        await LocalEvaluator(suite, llm, toolbox, policy=policy).map(units, progress.done)
        return sorted(progress.outcomes, key=lambda o: (o.repeat, o.task)), llm.name


class _Progress:
    """The outcomes so far, told on a line that the next one overwrites."""

    def __init__(self, total: int) -> None:
        self.outcomes: list[Outcome] = []
        self._total = total
        self._began = time.monotonic()

    async def done(self, outcome: Outcome, _: Sequence[Event]) -> None:
        self.outcomes.append(outcome)
        count = len(self.outcomes)
        if sys.stderr.isatty():
            left = (time.monotonic() - self._began) / count * (self._total - count)
            mean = sum(o.score for o in self.outcomes) / count
            output.retell(f"{count} of {self._total} runs, score {mean:.3f}, about {left:,.0f} s left")


def _summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    from autoflow.records import Totals

    names = sorted({name for o in outcomes for name in o.parts})
    totals = sum((o.totals for o in outcomes), Totals())
    return {
        "score": _interval([o.score for o in outcomes], outcomes),
        "parts": {n: sum(o.parts.get(n, 0.0) for o in outcomes) / len(outcomes) for n in names},
        "terminal": sum(o.stop == "terminal" for o in outcomes) / len(outcomes),
        "usage": totals.model_dump(),
    }


def _interval(values: Sequence[float], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Over tasks: repeats of one task are averaged first."""
    from autoflow.statistics import bootstrap

    by_task = defaultdict(list)
    for value, outcome in zip(values, outcomes, strict=True):
        by_task[outcome.task].append(value)
    found: Interval = bootstrap([sum(v) / len(v) for v in by_task.values()])
    return {"mean": found.mean, "low": found.low, "high": found.high, "tasks": len(by_task)}


def _runs(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {"task": o.task, "repeat": o.repeat, "score": o.score, "parts": o.parts, "stop": o.stop, "answer": o.answer,
         "error": o.error, "steps": o.steps, "usage": o.totals.model_dump()}
        for o in outcomes
    ]  # fmt: skip


def _table(told: dict[str, Any]) -> str:
    score, usage = told["score"], told["usage"]
    lines = [f"score     {score['mean']:.3f}  (95 % interval {score['low']:.3f} to {score['high']:.3f}, "
             f"{score['tasks']} tasks)"]  # fmt: skip
    lines += [f"{name:<9} {value:.3f}" for name, value in told["parts"].items()]
    lines += [f"terminal  {told['terminal']:.3f}  (share of runs that reached their end)"]
    lines += [f"calls     {usage['calls']:,} ({usage['cached']:,} from the cache)"]
    return "\n".join(lines)
