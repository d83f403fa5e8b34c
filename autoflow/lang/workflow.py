"""The workflow itself: steps, branches, comments. Immutable, compared by content, never by position."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

StepType = Literal["process", "decision", "terminal"]
STEP_TYPES: tuple[StepType, ...] = ("process", "decision", "terminal")


_FEW_MARKS = 32  # combining marks in a row that cost nothing to order, and more than any script needs


def fold(text: str) -> str:
    """The form in which names, keys and targets are compared: NFC, casefold, one space for runs of white space."""
    if text.isascii():  # nothing to normalize: four times as fast
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFC", _composed(text).casefold()).split())


def _composed(text: str) -> str:
    """NFC in linear time. `unicodedata` takes quadratic time on combining marks out of order: long runs are sorted."""
    if len(text) > _FEW_MARKS:
        text = _mark_runs().sub(_sorted_marks, text)
    return unicodedata.normalize("NFC", text)


def _sorted_marks(run: re.Match[str]) -> str:
    """The marks in the canonical order, which keeps those of one class in theirs."""
    marks = run[0]
    for mark in set(marks):
        marks = marks.replace(mark, unicodedata.normalize("NFD", mark))
    return "".join(sorted(marks, key=unicodedata.combining))


@lru_cache(maxsize=1)
def _mark_runs() -> re.Pattern[str]:
    """Runs of characters that move in the canonical order: all of their decomposition are combining marks."""
    characters = map(chr, range(0x300, 0x20000))  # there are none beyond
    marks = "".join(c for c in characters if unicodedata.combining(unicodedata.normalize("NFD", c)[0]))
    return re.compile(f"[{marks}]{{{_FEW_MARKS},}}")


def is_next(key: str) -> bool:
    """Whether a key means `next`, in whatever case."""
    return key == "next" or fold(key) == "next"


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a step goes on: for a process `Branch("next", target)`."""

    key: str
    target: str  # a step's name, as written


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `type` is a plain string because a workflow with errors may hold a word that is no type."""

    name: str
    type: str
    instruction: str
    branches: tuple[Branch, ...] = ()
    line: int = field(default=0, compare=False)  # 1-based, 0 where it came from no text

    @property
    def is_terminal(self) -> bool:
        return self.type == "terminal"


@dataclass(frozen=True, slots=True)
class Comment:
    """A blank line, a `#` line or prose, kept before step number `before` (0-based, len(steps): end)."""

    text: str
    before: int


@dataclass(frozen=True)
class Workflow:
    """Steps in order (the first is the entry) and the comments between them."""

    steps: tuple[Step, ...] = ()
    comments: tuple[Comment, ...] = ()

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Folded name -> position of the first step of that name."""
        found: dict[str, int] = {}
        for position, step in enumerate(self.steps):
            found.setdefault(fold(step.name), position)
        return found

    @property
    def entry(self) -> Step:
        """The first step. Raises IndexError on a workflow without steps."""
        return self.steps[0]

    def find(self, name: str) -> Step | None:
        """The step that a target means, or None."""
        position = self.index.get(fold(name))
        return None if position is None else self.steps[position]
