"""What a model in training is asked: a workflow is shown as its own answer to some tasks, one for another is wanted.

The same chat in each step, so that what is learned is the answer to it. It is kept short: every token of it is read in
each step, and small models are led astray by what they need not know. A grammar helps those that can read one. To the
smallest the example is shown twice: a repeated form is what they go on with.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.llm.base import Message
from autoflow.prompts import fill, load


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
