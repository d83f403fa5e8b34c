"""Trying a single step out on train tasks, with the interpreter and the prompt that it will have in a run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from autoflow.interpret import bare, prompting
from autoflow.interpret.branches import read_branch
from autoflow.interpret.prompting import Prompts
from autoflow.interpret.replies import visible
from autoflow.interpret.state import Answer
from autoflow.lang.marks import read_marks
from autoflow.lang.workflow import Step
from autoflow.llm.base import Choice, Options
from autoflow.optimize.base import Workshop
from autoflow.optimize.operators.questions import Question, terminal
from autoflow.suites.base import SuiteTask


async def answers_yes(shop: Workshop, question: Question, tasks: Sequence[SuiteTask]) -> list[bool]:
    """What the interpreter answers to a question about each task, as the decision of a run would be asked."""
    return list(await asyncio.gather(*(_asked(shop, question, task) for task in tasks)))


async def _asked(shop: Workshop, question: Question, task: SuiteTask) -> bool:
    keys = [question.yes, question.no]
    reply = await _reply(shop, question.step, task, (), Choice(tuple(keys)))
    yes = read_branch(reply, keys) == question.yes
    return yes and (question.also is None or await _asked(shop, question.also, task))


async def ends_with(shop: Workshop, ending: str, results: Sequence[str], task: SuiteTask) -> str:
    """What a terminal of this instruction answers, after steps that wrote `results`."""
    said = [Answer(n + 1, part, part, None) for n, part in enumerate(results)]
    return await _reply(shop, terminal(ending), task, list(reversed(said)), None)


async def _reply(
    shop: Workshop, step: Step, task: SuiteTask, answers: Sequence[Answer], constraint: Choice | None
) -> str:
    marks = read_marks(step.instruction)[1]
    parts = bare.parts(Prompts(), task.task, step, marks, answers, shown={}, as_json=False)
    policy = shop.view.study.spec.policy
    options = Options(
        temperature=policy.temperature, seed=policy.seed, max_tokens=policy.answer_tokens, constraint=constraint,
        label=f"trying `{step.name}` out",
    )  # fmt: skip
    return visible((await shop.interpreter.complete(prompting.messages(parts), options)).text)
