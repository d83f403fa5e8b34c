"""What a model in training is asked: role, example tasks, and a workflow as the answer that it gave first.

The same chat in each step, so that what is learned is the answer to it. It is kept short: every token of it is read in
each step, and small models are led astray by what they need not know. A grammar helps those that can read one.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.llm.base import Message
from autoflow.prompts import fill, load


def chat(example: str, tasks: Sequence[str], *, vocabulary: Sequence[str] = (), grammar: bool = False) -> list[Message]:
    """Messages for a model's chat template.

    Args:
        example: a workflow, shown as the model's own first answer.
        tasks: of the tasks that workflows are tried on, each a line or a few.
        vocabulary: words that answers to the tasks are made of; empty: left out.
        grammar: explain the language, and not only show it.
    """
    system = fill(
        load("optimize", "lora"), examples="\n".join(f"- {task}" for task in tasks),
        vocabulary=f"Words that the answers are made of: {', '.join(vocabulary)}" if vocabulary else "",
        grammar=fill(load("generate", "system")) if grammar else "",
    )  # fmt: skip
    return [
        Message("system", system.strip()),
        Message("user", fill(load("optimize", "lora-first"))),
        Message("assistant", example.strip()),
        Message("user", fill(load("optimize", "lora-next"))),
    ]
