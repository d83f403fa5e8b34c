"""What an operator of method `in-context` is: one way to make a workflow out of another."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property

from autoflow.lang import parse
from autoflow.lang.workflow import Workflow
from autoflow.optimize.base import Workshop
from autoflow.optimize.options import InContextOptions
from autoflow.study import Candidate


@dataclass(frozen=True)
class Bench:
    """A parent on the bench, with what works on it."""

    shop: Workshop
    parent: Candidate
    options: InContextOptions
    chance: random.Random
    seed: int  # for a model

    @cached_property
    def workflow(self) -> Workflow:
        return parse(self.parent.text).workflow


@dataclass(frozen=True, slots=True)
class Edit:
    """What came of it."""

    text: str
    note: str = ""
    from_scratch: bool = False  # nothing of the parent is in it
    parent: int | None = None  # where it was made out of another candidate than the one on the bench


# Returns None where there is nothing that it could do to this parent. Raises what the models raise.
Operator = Callable[[Bench], Awaitable[Edit | None]]
