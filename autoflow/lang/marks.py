"""Marks at the end of an instruction: what the step gets to see, and whether a decision gives a reason.

    Is the image noisy? [sees: task] [no reason]

A step sees everything unless it says otherwise. One that does is asked in as few words as possible; where tools can be
called every step sees everything all the same. The words of `[sees: ...]`, separated by commas:

    task          the objective and its inputs
    tools         the list of tools
    answers       what the steps so far answered
    results       the same without decisions: only what was written
    last          only the last answer
    observations  what tools gave
    nothing       the instruction alone

A small model is led astray by what it need not see. Marks are part of the instruction, so they move, rename and compare
with their step, and other readers of CoRE take them as words. What is not exactly a mark is left as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

SEEN = ("task", "tools", "answers", "results", "last", "observations")
_MARK = re.compile(r"\s*\[\s*(?:sees\s*:\s*(?P<seen>[a-z, ]{1,80})|(?P<flag>no reason))\s*\]\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marks:
    """What the marks of a step say."""

    sees: frozenset[str] | None = None  # words of SEEN; None: everything
    reason: bool = True  # a decision says why before it chooses

    def shows(self, what: str) -> bool:
        return self.sees is None or what in self.sees


@lru_cache(maxsize=4096)
def read_marks(instruction: str) -> tuple[str, Marks]:
    """The instruction without its marks, and what they say. Of two marks of a kind the last counts."""
    seen: frozenset[str] | None = None
    reason = True
    text = instruction
    while (found := _MARK.search(text)) and text[: found.start()].strip():
        if found["flag"]:
            reason = False
        else:
            words = _words(found["seen"])
            if words is None:
                break
            seen = words if seen is None else seen
        text = text[: found.start()]
    return text, Marks(seen, reason)


def with_marks(instruction: str, marks: Marks) -> str:
    """The instruction with these marks in place of its own."""
    text, _ = read_marks(instruction)
    if marks.sees is not None:
        text += f" [sees: {', '.join(word for word in SEEN if word in marks.sees) or 'nothing'}]"
    return text if marks.reason else f"{text} [no reason]"


def _words(text: str) -> frozenset[str] | None:
    """None: one of them means nothing here, so this is no mark."""
    words = [" ".join(word.split()).casefold() for word in text.split(",")]
    if words == ["nothing"]:
        return frozenset()
    return frozenset(words) if all(word in SEEN for word in words) else None
