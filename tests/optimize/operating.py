"""Operators at work: an honest interpreter that reads the task, a generator that fills in what it is asked for."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence

from autoflow.llm.base import (
    Capabilities,
    Choice,
    Completion,
    Constraint,
    JsonSchema,
    Message,
    OnToken,
    Options,
    Usage,
)
from autoflow.optimize.base import Counting, Workshop
from autoflow.optimize.operators import OPERATORS, Bench, Edit
from autoflow.optimize.options import InContextOptions
from autoflow.optimize.view import StudyView
from autoflow.records import Event
from autoflow.study import SPLITS, Candidate, Study, StudyBudget, StudySpec, SuiteSpec
from autoflow.suites.base import Suite
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.tools.toolbox import Toolbox

WRITTEN = """A:::process:::Do the first thing well:::next::B
B:::terminal:::Say what came of it:::
"""


class Honest:
    """Says yes where the words asked for stand in the task, writes what it is told to write, and repeats lists.

    Args:
        deaf_to: questions with these words are always answered with no.
    """

    name = "test:honest"
    capabilities = Capabilities(tools=False, choice="grammar", schema="grammar", grammar=True, concurrency=2)

    def __init__(self, deaf_to: str = "\0") -> None:
        self.calls = 0
        self._deaf_to = deaf_to

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.calls += 1
        return Completion(self._said(messages[-1].content, options.constraint), usage=Usage(10, 2, 0.0, 0.0))

    async def aclose(self) -> None:
        return

    def _said(self, prompt: str, constraint: Constraint | None) -> str:
        if isinstance(constraint, Choice):
            task, _, question = prompt.partition("\n\n")
            cue = re.search(r"(?:say|mention|ask for) (.*?)\?", question)
            yes = cue is not None and cue[1] in task and self._deaf_to not in question
            return constraint.choices[0 if yes else 1]
        if isinstance(constraint, JsonSchema):
            return json.dumps({key: f"something about {key}" for key in constraint.schema["required"]})
        copied = re.search(r"Reply with exactly these words: (.*)", prompt)
        if copied:
            return copied[1]
        if constraint is not None:
            return WRITTEN
        return "\n".join(prompt.strip().split("\n")[:-1]).strip() or "nothing"


def workshop(
    text: str, llm: object, suite: Suite | None = None, *, generator: object | None = None,
    budget: StudyBudget | None = None, **options: object,
) -> Workshop:  # fmt: skip
    """A study with one candidate, on plans unless another suite is given."""
    suite = suite or OpenAGIPlanSuite()
    spec = StudySpec(
        method="in-context", suite=SuiteSpec(name=suite.name), generator="g", interpreter="i", options=options,
        budget=budget or StudyBudget(),
    )  # fmt: skip
    splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
    view = StudyView(Study(id="st_000000000000", name="", spec=spec, splits=splits), [Candidate(number=0, text=text)])

    async def traces(candidate: int, task: str, repeat: int) -> Sequence[Event]:
        return ()

    both = Counting(generator or llm), Counting(llm)  # type: ignore[arg-type]
    return Workshop(view, suite, *both, Toolbox(), traces)


async def operated(name: str, shop: Workshop, seed: int = 0) -> Edit | None:
    """What an operator makes of the last candidate."""
    parent = shop.view.candidates[-1]
    return await OPERATORS[name](Bench(shop, parent, InContextOptions(), random.Random(seed), seed))
