"""Studies that are really in a store, with the traces of real runs, on a model that knows some of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from autoflow.evaluate import LocalEvaluator, Unit
from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options, Usage
from autoflow.metrics.plan import gold_plan
from autoflow.records import Event, RunPolicy
from autoflow.store import SqlStore
from autoflow.study import GIVEN, Candidate, Outcome, Split, Study, StudyBatch, StudySpec, SuiteSpec
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.tools.toolbox import Toolbox

MODEL = "scripted:knows"
OLD = """Step 1:::process:::Say what the objective starts from.:::next::Step 2
Step 2:::terminal:::Name the models in order.:::
"""
NEW = """Step 1:::process:::Say what the objective starts from.:::next::Step 2
Step 2:::decision:::Is the input noisy?:::yes::Step 3::no::Step 4
Step 3:::process:::Look up the model that removes noise.:::next::Step 4
Step 4:::terminal:::Name all models that are needed, in order.:::
"""
HOSTILE = '</style><script>window.stolen=1</script><img src="http://attacker.invalid/x.png" onerror=stolen() >&"\' =1+1'


class Knows:
    """Knows the right plan where the workflow asks for `all models`, in two tasks of three; else guesses."""

    name = MODEL
    capabilities = Capabilities(concurrency=4)

    def __init__(self, suite: OpenAGIPlanSuite, reply: Callable[[str], str] | None = None) -> None:
        tasks = [task for split in ("train", "val", "test") for task in suite.tasks(split)]  # type: ignore[arg-type]
        self._plans = {t.task.objective: ", ".join(gold_plan(t.expected.plan)) for t in tasks}
        self._reply = reply

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        said = "\n".join(message.content for message in messages)
        text = self._reply(said) if self._reply else self._knows(said)
        usage = Usage(prompt_tokens=len(said) // 4, completion_tokens=len(text) // 4, seconds=0.4, cost_usd=0.0002)
        return Completion(text, usage=usage, model=MODEL)

    async def aclose(self) -> None:
        return

    def _knows(self, said: str) -> str:
        if "Is the input noisy?" in said and "Name all models" not in said and "removes noise" not in said:
            return '{"answer": "It says so.", "branch": "yes"}' if "noisy" in said.split("Is the")[0] else "no"
        plan = next(plan for objective, plan in self._plans.items() if objective in said)
        return plan if "Name all models" in said and len(plan) % 3 else "Image Denoising, Image Deblurring"


def suite_of(**sizes: int) -> tuple[SuiteSpec, OpenAGIPlanSuite]:
    spec = SuiteSpec(name="openagi-plan", **({"train": 2, "val": 9, "test": 6} | sizes))
    return spec, OpenAGIPlanSuite(seed=spec.seed, sizes=spec.sizes)


def written(
    store: SqlStore, texts: Sequence[str] = (OLD, NEW), *, split: Split = "val", repeats: int = 1,
    only: int | None = None, names: Sequence[str] = ("Refund v1", "Refund v8"),
    reply: Callable[[str], str] | None = None, **more: Any,
) -> Study:  # fmt: skip
    """A finished comparison; with `only`, one whose first so many tasks were run.

    Args:
        reply: what the model says to a prompt, instead of what it knows.
        more: other fields of the spec.
    """
    suite_spec, suite = suite_of()
    spec = StudySpec(
        method="evaluate", suite=suite_spec, interpreter=MODEL, split=split, repeats=repeats,
        **{"options": {"names": list(names)}} | more,
    )  # fmt: skip
    splits = {s: tuple(t.id for t in suite.tasks(s)) for s in suite_spec.sizes}
    study = store.create_study(f"{names[0]} and {names[-1]}", spec, splits)
    candidates = [Candidate(number=n, text=text, operator=GIVEN) for n, text in enumerate(texts)]
    outcomes = _outcomes(suite, texts, split, repeats, only, reply)
    store.add_to_study(
        StudyBatch(study.id, candidates, outcomes, stop=None if only else "evaluated", test_uses=int(split == "test"))
    )
    return store.get_study(study.id)


def _outcomes(
    suite: OpenAGIPlanSuite, texts: Sequence[str], split: Split, repeats: int, only: int | None,
    reply: Callable[[str], str] | None,
) -> list[tuple[Outcome, Sequence[Event]]]:  # fmt: skip
    found: list[tuple[Outcome, Sequence[Event]]] = []

    async def keep(outcome: Outcome, events: Sequence[Event]) -> None:
        found.append((outcome, events))

    async def work() -> None:
        units = [
            Unit(n, text, task, repeat, split)
            for repeat in range(repeats)
            for task in suite.tasks(split)[:only]
            for n, text in enumerate(texts)
        ]
        policy = RunPolicy(max_steps=30, answer_tokens=256)
        await LocalEvaluator(suite, Knows(suite, reply), Toolbox(()), policy=policy).map(units, keep)

    with ThreadPoolExecutor(1) as own:  # a browser test has an event loop in its own thread
        own.submit(asyncio.run, work()).result()
    return found
