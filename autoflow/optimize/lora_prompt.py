"""What a model in training is asked: role, example tasks, range of the reward, and a workflow as its first answer.

The same in each step, so that what is learned is the answer to it.
"""

from __future__ import annotations

from autoflow.optimize.base import Workshop
from autoflow.optimize.loop import canonical
from autoflow.optimize.options import LoraOptions
from autoflow.optimize.telling import example, words
from autoflow.prompts import fill, load
from autoflow.train.talk import Said


def chats(shop: Workshop, options: LoraOptions) -> tuple[tuple[Said, ...], ...]:
    """As many as the options say, each with other train tasks where there are enough."""
    return tuple(_chat(shop, options, number) for number in range(options.prompts))


def _chat(shop: Workshop, options: LoraOptions, number: int) -> tuple[Said, ...]:
    tasks = shop.suite.tasks("train")
    count = min(options.examples, len(tasks))
    shown = [tasks[(number * count + place) % len(tasks)] for place in range(count)]
    system = fill(
        load("optimize", "lora"), examples="\n".join(example(shop, task) for task in shown), vocabulary=words(shop),
        grammar=fill(load("generate", "system")) if options.grammar else "",
    )  # fmt: skip
    return (
        Said(role="system", content=system),
        Said(role="user", content=fill(load("optimize", "paper-first"))),
        Said(role="assistant", content=canonical(shop.view.candidates[0].text).strip()),
        Said(role="user", content=fill(load("optimize", "lora-next"))),
    )
