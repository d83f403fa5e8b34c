"""A simulated interpreter and a simulated generator: what they answer depends on the prompt and the seed alone.

The interpreter does an aspect where the step's instruction names it: surely where the step names one, less surely the
more it names and the more earlier answers it is shown. Questions that name one aspect it mostly answers rightly. The
last step reports what it is shown as done.

The generator edits the workflow that it is shown: mostly it adds a step for one word, or rewords one. Which word: with
probability `attention` one that the prompt shows as right and missing, else any. Shown a chat, it builds on the
best-rewarded workflow half of the time (a generous guess of what a chat does), else on the last. One text in ten is
broken.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence

from autoflow.lang import parse
from autoflow.lang.edit import add_step, delete_step, update_step
from autoflow.lang.workflow import Step
from autoflow.llm.base import (
    Capabilities,
    Choice,
    Completion,
    JsonSchema,
    Message,
    OnToken,
    Options,
    Usage,
    rough_tokens,
)
from bench.simulated.landscape import ASPECTS, HINTS, TRAP

WORDS = (*ASPECTS, TRAP)
SURE, OVERLOAD, NOISE = (
    0.95,
    0.35,
    0.03,
)  # a step's luck: with one word; less for each further one; for each answer shown
RIGHT = 0.92  # questions that name one aspect
BROKEN = 0.1  # texts of the generator
_INSTRUCTION = re.compile(r"(?:Current|Last) step, [^:]*?: (.*)", re.DOTALL)
_DONE = re.compile(r"done ([a-z ]+)")
_WORD = re.compile(rf"\b({'|'.join(WORDS)})\b")


class Simulated:
    """What both have in common."""

    name = "simulated"

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(tools=True, choice="grammar", schema="grammar", grammar=False, concurrency=1)

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        prompt = "\n".join(message.content for message in messages)
        mark = hashlib.sha256(f"{self._seed} {options.seed} {options.repeat} {prompt}".encode()).hexdigest()
        text = self._answer(messages, options, random.Random(mark))
        usage = Usage(rough_tokens(len(prompt)), rough_tokens(len(text)), 0.0, 0.0)
        return Completion(text, usage=usage, strength="grammar" if options.constraint else "none")

    async def aclose(self) -> None:
        """Nothing is open."""

    def _answer(self, messages: Sequence[Message], options: Options, chance: random.Random) -> str:
        raise NotImplementedError


class SimulatedInterpreter(Simulated):
    """Carries out steps."""

    def _answer(self, messages: Sequence[Message], options: Options, chance: random.Random) -> str:
        prompt = "\n".join(message.content for message in messages)
        last = messages[-1].content
        told = _INSTRUCTION.search(last)
        instruction = (told[1] if told else last.rpartition("\n\n")[2]).partition("\nReply with")[0]
        shown = _DONE.findall(prompt)
        if isinstance(options.constraint, Choice | JsonSchema):
            return self._decide(instruction, prompt, options.constraint, chance)
        words = list(dict.fromkeys(_WORD.findall(instruction)))
        luck = SURE / (1 + OVERLOAD * max(0, len(words) - 1)) - NOISE * len(shown)
        done = [word for word in words if chance.random() < luck]
        if "Last step" in last or "Give the report" in instruction:
            done = [word for line in shown for word in line.split()] + done
        return "done " + " ".join(dict.fromkeys(done)) if done else "nothing"

    def _decide(self, question: str, prompt: str, constraint: Choice | JsonSchema, chance: random.Random) -> str:
        keys = list(constraint.choices) if isinstance(constraint, Choice) else _keys(constraint)
        words = _WORD.findall(question.partition("\n")[0])
        wanted = bool(words) and words[0] in HINTS and HINTS[words[0]] in prompt
        right = chance.random() < (RIGHT if len(set(words)) == 1 else 0.5)
        key = next((k for k in keys if k.lower() == ("yes" if wanted == right else "no")), keys[0])
        return key if isinstance(constraint, Choice) else json.dumps({"answer": "So it seems.", "branch": key})


class SimulatedGenerator(Simulated):
    """Writes and edits workflows. `attention`: in [0, 1], how often it uses what it is told."""

    def __init__(self, seed: int, attention: float) -> None:
        super().__init__(seed)
        self._attention = attention

    def _answer(self, messages: Sequence[Message], options: Options, chance: random.Random) -> str:
        prompt = "\n".join(message.content for message in messages)
        word = self._word(prompt, chance)
        if isinstance(options.constraint, JsonSchema):
            said = {"question": f"Is there something about {word}?", "second": "Give the report."}
            needed = options.constraint.schema["required"]
            return json.dumps({key: said.get(key, f"Take care of the {word}.") for key in needed})
        text = _edited(_start(messages, chance), word, chance)
        return text.replace(":::process:::", ":process:", 1) if chance.random() < BROKEN else text

    def _word(self, prompt: str, chance: random.Random) -> str:
        """One that a task needed and its answer lacks, where feedback shows such; else any."""
        missing: list[str] = []
        right: set[str] = set()
        for line in prompt.splitlines():
            kind, _, rest = line.strip().partition(":")
            if kind == "Right":
                right = set(_WORD.findall(rest))
            elif kind == "Answer":
                missing += sorted(right - set(_WORD.findall(rest)))
        return chance.choice(missing) if missing and chance.random() < self._attention else chance.choice(WORDS)


def _keys(schema: JsonSchema) -> list[str]:
    return list(schema.schema["properties"]["branch"]["enum"])


def _start(messages: Sequence[Message], chance: random.Random) -> str:
    """The workflow that is built on: in a chat the best or the last, in a prompt the present one, else a new one."""
    chat = [m.content for m in messages if m.role == "assistant"]
    if chat:
        rewards = [re.search(r"Reward: (-?[0-9.]+)", m.content) for m in messages if m.role == "user"]
        values = [float(found[1]) for found in rewards if found][-len(chat) :]
        if len(values) == len(chat) and chance.random() < 0.5:
            return chat[max(range(len(chat)), key=lambda n: values[n])]
        return chat[-1]
    present = re.search(r"The present workflow, reward [^:]*:\n(.*?)\n\n", messages[-1].content, re.DOTALL)
    if present:
        return present[1]
    words = chance.sample(WORDS, chance.randint(1, 3))
    lines = [f"S{n}:::process:::Take care of the {word}.:::next::S{n + 1}" for n, word in enumerate(words)]
    return "\n".join([*lines, f"S{len(words)}:::terminal:::Give the report.:::"])


def _edited(text: str, word: str, chance: random.Random) -> str:
    """One or two edits."""
    for _ in range(chance.choice((1, 1, 2))):
        steps = parse(text).workflow.steps
        if not steps:
            return text
        inner = [n for n, step in enumerate(steps) if step.type == "process"]
        kind = chance.choices(("add", "reword", "join", "drop"), (5, 2, 1, 1))[0]
        new = f"Take care of the {word}."
        if kind == "add" or not inner:
            text = add_step(text, chance.randint(-1, len(steps) - 2), Step("", "process", new)).text
        elif kind == "drop":
            text = delete_step(text, chance.choice(inner)).text
        else:
            at = chance.choice(inner)
            old = steps[at]
            said = new if kind == "reword" else f"{old.instruction} {new}"
            text = update_step(text, at, Step(old.name, old.type, said, old.branches)).text
        word = chance.choice(WORDS)
    return text
