"""Evidence that the plain prompt, which searches are held against, is no straw man: other wordings of it, measured.

The 19 tasks are those of train and validation of split seed 1 of `openagi-plan` that are not in the sealed test of
split seed 3. No sealed test is touched. Answers are kept, so that the same command goes on where it was stopped.

    python bench/evidence_plain.py        writes docs/evidence/plain.md
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ.setdefault("AUTOFLOW_SERVER_DIR", str(ROOT / ".cache" / "server"))
os.environ["AUTOFLOW_HOME"] = str(ROOT / ".cache" / "evidence")  # the shipped prompts, whatever the user's own are
sys.path.insert(0, str(ROOT))

from autoflow.evaluate import LocalEvaluator, Unit  # noqa: E402
from autoflow.llm.base import LLM, Message, Options  # noqa: E402
from autoflow.llm.download import get_model  # noqa: E402
from autoflow.llm.registry import open_llm  # noqa: E402
from autoflow.llm.wrappers.cache import always_cached  # noqa: E402
from autoflow.metrics.plan import read_plan, score_plan  # noqa: E402
from autoflow.records import Event, RunPolicy  # noqa: E402
from autoflow.statistics import Interval, bootstrap  # noqa: E402
from autoflow.study import Outcome  # noqa: E402
from autoflow.suites.base import SuiteTask, plain_prompt  # noqa: E402
from autoflow.suites.openagi import TOOL_NAMES, OpenAGIPlanSuite  # noqa: E402
from autoflow.suites.openagi_tasks import OpenAGITask  # noqa: E402
from autoflow.tools.toolbox import Toolbox  # noqa: E402

MODEL = "qwen2.5-coder-1.5b"
REPORT = ROOT / "docs" / "evidence" / "plain.md"
SUITE = OpenAGIPlanSuite(seed=1)
SEALED = {task.id for task in OpenAGIPlanSuite(seed=3).tasks("test")}
TASKS = [task for split in ("train", "val") for task in SUITE.tasks(split) if task.id not in SEALED]
STEPS = (  # workflows of one step
    "Which of the tools are needed for the objective, in the order of their use? Reply with their names, separated by "
    "commas.",
    "List the tools that are needed for the objective, in order, separated by commas. Name only those that are needed.",
    "Write the sequence of tools that turns the input into the output. Reply with the names of the tools only, "
    "separated by commas.",
    "First the models of the list that repair the input, then the one that does the task, last a translation if one is "
    "asked for. Reply with their names only, in order.",
)
_COMMAS, _LINES = ", ".join(TOOL_NAMES), "\n".join(f"- {name}" for name in TOOL_NAMES)
MESSAGES: dict[str, Callable[[str], list[Message]]] = {  # without any workflow
    "the list, then the task": lambda task: [
        Message("user", f"Tools: {_COMMAS}.\n\nTask: {task}\n\nWhich tools are needed, in order? Reply with a "
                "comma-separated list of tool names only."),
    ],
    "the list as system prompt": lambda task: [
        Message("system", f"You plan which expert models to use, in order, to solve a task. Available models: "
                f"{_COMMAS}. Reply with a comma-separated list of model names only."),
        Message("user", task),
    ],
    "the task, then a model a line": lambda task: [
        Message("user", f"{task}\n\nChoose from these models:\n{_LINES}\n\nReply with the names of the models that are "
                "needed, in order, separated by commas."),
    ],
    "a model a line, a numbered list asked for": lambda task: [
        Message("user", f"Available tools:\n{_LINES}\n\nObjective: {task}\n\nWrite the plan as a numbered list of tool "
                "names, nothing else."),
    ],
}  # fmt: skip


def plan_of(task: SuiteTask) -> OpenAGITask:
    assert isinstance(task.expected, OpenAGITask)
    return task.expected


async def as_workflow(llm: LLM, text: str) -> list[float]:
    """Plan scores, in no order."""
    scores: list[float] = []

    async def done(outcome: Outcome, events: Sequence[Event]) -> None:
        scores.append(outcome.score)

    evaluator = LocalEvaluator(SUITE, llm, Toolbox(), policy=RunPolicy(max_steps=40, answer_tokens=128))
    await evaluator.map((Unit(0, text, task) for task in TASKS), done)
    return scores


async def as_messages(llm: LLM, made: Callable[[str], list[Message]]) -> list[float]:
    scores = []
    for task in TASKS:
        reply = await llm.complete(made(task.task.objective), Options(temperature=0, seed=0, max_tokens=128))
        scores.append(score_plan(plan_of(task).plan, read_plan(reply.text)).score)
    return scores


def line(kind: str, words: str, found: Interval) -> str:
    return f"| {kind} | {words} | {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}] |"


async def main() -> int:
    await get_model(MODEL)
    llm = always_cached(open_llm(f"embedded:{MODEL}"))
    lines: list[str] = []
    try:
        own = SUITE.plain
        for kind, text in (("the suite's own", own), *(("one step", plain_prompt(words)) for words in STEPS)):
            words = text.split(":::")[2]
            lines.append(line(kind, words, bootstrap(sorted(await as_workflow(llm, text)))))
            print(lines[-1], flush=True)
        for words, made in MESSAGES.items():
            lines.append(line("messages alone", words, bootstrap(sorted(await as_messages(llm, made)))))
            print(lines[-1], flush=True)
    finally:
        await llm.aclose()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    head = (
        "# Wordings of the plain prompt\n\n"
        f"`python bench/evidence_plain.py`, {day}. {MODEL} (Q4_K_M, CPU), temperature 0, seed 0; {len(TASKS)} tasks of "
        "`openagi-plan` (train and validation of split seed 1 that are not in the sealed test of split seed 3). Plan "
        "score, mean with 95 % interval (BCa bootstrap over tasks).\n\n| what | wording | plan score |\n|---|---|---|\n"
    )
    REPORT.write_text(head + "\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
