"""`autoflow evaluate`: a workflow on the tasks of a suite, scored."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autoflow.cli import output
from autoflow.cli.files import read_text
from autoflow.cli.options import File, Json, Model, Ray
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.evaluate import MakeEvaluator
    from autoflow.llm.base import LLM
    from autoflow.llm.wrappers.budget import Budgeted
    from autoflow.metrics.kinds import ScorerKind
    from autoflow.records import Event, RunPolicy, Totals
    from autoflow.statistics import Interval
    from autoflow.study import Outcome, Split, SuiteSpec
    from autoflow.suites.base import Suite

CUT = ("max-calls", "max-cost")  # stop reasons of runs that the limits of the whole evaluation cut off
_SUITE = "openagi-plan, reasoning, the id or name of a saved suite, or a table as CSV or JSONL."
Size = Annotated[int | None, typer.Option(min=0, help="Tasks in this split.", show_default="the suite's usual")]


def register(app: typer.Typer) -> None:
    app.command()(evaluate)


def evaluate(
    file: File,
    suite: Annotated[str, typer.Option("--suite", metavar="SUITE", help=_SUITE)],
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Which of its tasks.")] = "val",
    model: Model = None,
    judge: Annotated[str | None, typer.Option(metavar="MODEL", help="Scores, where the suite has a judge.")] = None,
    tasks: Annotated[int | None, typer.Option(min=1, help="Only the first so many.", show_default="all")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs a task, each with another seed.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 0,
    train: Size = None,
    val: Size = None,
    test: Size = None,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps visited, a run.")] = 30,
    answer_tokens: Annotated[int, typer.Option(min=1, help="Completion tokens a call may take.")] = 256,
    max_calls: Annotated[int | None, typer.Option(min=1, help="Model calls in all.", show_default="no limit")] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="US dollars in all.", show_default="no limit")] = None,
    ray: Ray = None,
    json_: Json = False,
) -> int:
    """Run a workflow on the tasks of a suite and score the answers. Exit 1 where no run reached a terminal.

    Runs that a limit cut off are left out: they say nothing about the workflow.
    """
    from autoflow.records import RunPolicy
    from autoflow.suites.registry import spec_of, title_of

    text = read_text(file)
    sizes: dict[Split, int | None] = {"train": train, "val": val, "test": test}
    spec = spec_of(suite, seed, {name: size for name, size in sizes.items() if size is not None}, only=split)
    policy = RunPolicy(max_steps=max_steps, answer_tokens=answer_tokens)
    work = _Work(text, spec, split, tasks, repeats, policy, max_calls, max_usd, ray)
    outcomes, name = asyncio.run(work.carry_out(model, judge))
    told = {**_summary(outcomes), "stopped": work.stopped}
    if json_:
        called = {"suite": title_of(spec, _saved()), "spec": spec.model_dump(), "split": split, "seed": seed}
        output.emit({**called, "model": name, **told, "runs": _runs(outcomes)})
    else:
        output.say(_table(told))
    if work.stopped:
        output.note(work.stopped)
    return output.FINE if any(o.stop == "terminal" for o in outcomes) else output.FAILED


def _saved() -> Any:
    """Finds saved suites; opens the database only where one is asked for."""

    def find(suite_id: str) -> Any:
        from autoflow.store import open_store

        return open_store().get_suite(suite_id)

    return find


@dataclass(slots=True)
class _Work:
    """What is to be done, and why it ended early where it did."""

    text: str
    spec: SuiteSpec
    split: Split
    limit: int | None  # tasks
    repeats: int
    policy: RunPolicy
    max_calls: int | None
    max_usd: float | None
    ray: str | None
    stopped: str = ""

    async def carry_out(self, model: str | None, judge: str | None) -> tuple[list[Outcome], str]:
        """The outcomes, and what the model is called. Raises BudgetExceeded: not one run could be finished."""
        from autoflow.cli.llms import open_model
        from autoflow.suites.registry import open_suite, scorer_of

        _check_judge(scorer_of(self.spec, _saved()), judge)
        async with AsyncExitStack() as stack:
            llm = await stack.enter_async_context(aclosing(open_model(model)))
            judging = await stack.enter_async_context(aclosing(open_model(judge))) if judge else None
            limited = [self._limited(each) for each in (llm, judging) if each is not None]
            suite = open_suite(self.spec, saved=_saved(), judge=limited[1] if judge else None)
            make = await self._evaluators(stack, suite, limited, (model, judge))
            return await self._run(suite, limited, make), llm.name

    async def _evaluators(
        self, stack: AsyncExitStack, suite: Suite, limited: Sequence[Budgeted], names: tuple[str | None, str | None]
    ) -> MakeEvaluator:
        """What carries out the runs: this process, or a cluster, whose carriers open models and tools themselves."""
        from autoflow.cli.llms import model_name, saved_connection
        from autoflow.evaluate import LocalEvaluator
        from autoflow.tools import open_toolbox

        if self.ray is None:
            toolbox = await stack.enter_async_context(open_toolbox(tuple(suite.tools)))
            return lambda go_on: LocalEvaluator(suite, limited[0], toolbox, policy=self.policy, go_on=go_on)
        from autoflow.cluster.opening import cluster_for

        model, judge = model_name(names[0]), model_name(names[1]) if names[1] else ""
        on_cluster = cluster_for(
            self.ray, self.spec, limited[0], model, judge, self.policy, saved=_saved(), connections=saved_connection
        )
        return await stack.enter_async_context(on_cluster)

    def _limited(self, llm: LLM) -> Budgeted:
        from autoflow.llm.wrappers.budget import Budgeted

        return Budgeted(llm, max_calls=self.max_calls, max_cost_usd=self.max_usd)

    async def _run(self, suite: Suite, limited: Sequence[Budgeted], make: MakeEvaluator) -> list[Outcome]:
        from autoflow.errors import BudgetExceeded
        from autoflow.evaluate import Unit

        chosen = suite.tasks(self.split)[: self.limit]
        if not chosen:
            raise SettingsError(f"The split `{self.split}` has no tasks.", f"Give it some: --{self.split} 12")
        progress = _Progress(len(chosen) * self.repeats)
        units = (Unit(0, self.text, task, n, self.split) for n in range(self.repeats) for task in chosen)
        try:
            await make(lambda: not self._spent(limited, progress.totals)).map(units, progress.done)
        except BudgetExceeded as error:  # of the judge; what is scored by then counts
            self.stopped = str(error)
        found = [o for o in progress.outcomes if o.stop not in CUT]
        if len(found) < progress.total:
            limit = self.stopped or f"The limit of {self._limit_words()} was reached."
            self.stopped = f"{limit} {len(found)} of {progress.total} runs were finished."
        if not found:
            raise BudgetExceeded("max-calls", self.stopped)
        return sorted(found, key=lambda o: (o.repeat, o.task))

    def _spent(self, limited: Sequence[Budgeted], finished: Totals) -> bool:
        """Whether a limit is reached by all models together. Of what a cluster has under way nobody here knows."""
        spent = [finished] if self.ray else [llm.totals for llm in limited]
        calls = sum(totals.calls for totals in spent)
        cost = sum(totals.cost_usd or 0.0 for totals in spent)
        out_of_calls = self.max_calls is not None and calls >= self.max_calls
        return out_of_calls or (self.max_usd is not None and cost >= self.max_usd)

    def _limit_words(self) -> str:
        calls = f"{self.max_calls:,} calls" if self.max_calls is not None else ""
        return " or ".join(filter(None, (calls, f"{self.max_usd:g} US dollars" if self.max_usd is not None else "")))


def _check_judge(kind: ScorerKind | None, judge: str | None) -> None:
    """Raises SettingsError: the suite needs a judge, or a person."""
    if kind is None:
        return
    if kind.needs_judge and not judge:
        raise SettingsError("The answers of this suite are scored by a judge.", "Name its model: --judge MODEL")
    if kind.name == "person":
        raise SettingsError(
            "The answers of this suite are rated by a person, which a command cannot wait for.",
            "Start a study on it: its answers wait on the page Optimize.",
        )


class _Progress:
    """The outcomes so far, told on a line that the next one overwrites."""

    def __init__(self, total: int) -> None:
        from autoflow.records import Totals

        self.outcomes: list[Outcome] = []
        self.total = total
        self.totals = Totals()  # what they took, with what scoring them took
        self._began = time.monotonic()

    async def done(self, outcome: Outcome, _: Sequence[Event]) -> None:
        self.outcomes.append(outcome)
        self.totals += outcome.totals + outcome.judge
        count = len(self.outcomes)
        if sys.stderr.isatty():
            left = (time.monotonic() - self._began) / count * (self.total - count)
            mean = sum(o.score for o in self.outcomes) / count
            output.retell(f"{count} of {self.total} runs, score {mean:.3f}, about {left:,.0f} s left")


def _summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    from autoflow.records import Totals

    names = sorted({name for o in outcomes for name in o.parts})
    totals = sum((o.totals for o in outcomes), Totals())
    return {
        "score": _interval([o.score for o in outcomes], outcomes),
        "parts": {n: sum(o.parts.get(n, 0.0) for o in outcomes) / len(outcomes) for n in names},
        "terminal": sum(o.stop == "terminal" for o in outcomes) / len(outcomes),
        "usage": totals.model_dump(),
        "judge": sum((o.judge for o in outcomes), Totals()).model_dump(),
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
    if told["judge"]["calls"]:
        lines += [f"judge     {output.plural(told['judge']['calls'], 'call')}, not among those above"]
    return "\n".join(lines)
