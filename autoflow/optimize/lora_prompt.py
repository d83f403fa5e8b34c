"""What a model in training is asked: a workflow is shown as its own answer to some tasks, one for another is wanted.

The same chat in each step, so that what is learned is the answer to it. It is kept short: every token of it is read in
each step, and small models are led astray by what they need not know. A grammar helps those that can read one. To the
smallest the example is shown twice: a repeated form is what they go on with.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.llm.base import Message
from autoflow.optimize.base import Workshop
from autoflow.optimize.loop import canonical
from autoflow.optimize.options import LoraOptions
from autoflow.optimize.telling import OBJECTIVE, cut
from autoflow.prompts import fill, load
from autoflow.suites.base import asked
from autoflow.train.talk import Said


def chats(shop: Workshop, options: LoraOptions) -> tuple[tuple[Said, ...], ...]:
    """As many as the options say, each with other train tasks where there are enough."""
    return tuple(_of(shop, options, number) for number in range(options.prompts))


def _of(shop: Workshop, options: LoraOptions, number: int) -> tuple[Said, ...]:
    tasks, count = shop.suite.tasks("train"), options.examples + 1
    told = [cut(asked(tasks[(number * count + place) % len(tasks)]), OBJECTIVE) for place in range(count)]
    example = canonical(shop.view.candidates[0].text)
    words = shop.suite.vocabulary if options.grammar else ()
    steps = str(options.wanted_steps or "")
    messages = chat(example, told[:1], shown=told[1:], steps=steps, vocabulary=words, grammar=options.grammar)
    return tuple(Said(role=message.role, content=message.content) for message in messages)


def chat(
    example: str,
    tasks: Sequence[str],
    *,
    shown: Sequence[str],
    steps: str = "",
    vocabulary: Sequence[str] = (),
    grammar: bool = False,
) -> list[Message]:
    """Messages for a model's chat template.

    Args:
        example: a workflow, told as the answer to each of the tasks `shown`.
        tasks: that a workflow is wanted for; one of them, or some that stand for all.
        steps: how many the workflow should have, in words such as `three`; empty: not said.
        vocabulary: words that answers to the tasks are made of; empty: left out.
        grammar: explain the language, and not only show it.
    """
    system = fill(
        load("optimize", "lora"), grammar=fill(load("generate", "system")) if grammar else "",
        vocabulary=f"Words that the answers are made of: {', '.join(vocabulary)}" if vocabulary else "",
    )  # fmt: skip
    turns = [(Message("user", _wish([task], "")), Message("assistant", example.strip())) for task in shown]
    return [
        Message("system", system.strip()),
        *(message for turn in turns for message in turn),
        Message("user", _wish(tasks, steps)),
    ]


def _wish(tasks: Sequence[str], steps: str) -> str:
    told = f"this task: {tasks[0]}" if len(tasks) == 1 else "\n".join(["these tasks:", *(f"- {t}" for t in tasks)])
    return fill(load("optimize", "lora-task"), tasks=told, length=f" of {steps} steps" if steps else "").strip()
