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

from dataclasses import dataclass

SEEN = ("task", "tools", "answers", "results", "last", "observations")
_LONGEST = 120  # characters between the brackets; more is no mark


@dataclass(frozen=True, slots=True)
class Marks:
    """What the marks of a step say."""

    sees: frozenset[str] | None = None  # words of SEEN; None: everything
    reason: bool = True  # a decision says why before it chooses

    def shows(self, what: str) -> bool:
        return self.sees is None or what in self.sees


def read_marks(instruction: str) -> tuple[str, Marks]:
    """The instruction without its marks, and what they say. Of two marks of a kind the last counts.

    An instruction of marks alone keeps the first of them as its text. Takes linear time: goes through once, from the
    end.
    """
    seen: frozenset[str] | None = None
    reason = True
    least = len(instruction) - len(instruction.lstrip())  # where its first word begins
    end = len(instruction)
    while (place := _last(instruction, end)) is not None and place[0] > least:
        word, _, rest = " ".join(instruction[place[0] + 1 : place[1]].split()).casefold().partition(":")
        if word == "no reason" and not rest:
            reason = False
        elif word.rstrip() == "sees" and (words := _words(rest)) is not None:
            seen = words if seen is None else seen
        else:
            break
        end = _stripped(instruction, place[0])
    return instruction[:end], Marks(seen, reason)


def _last(text: str, end: int) -> tuple[int, int] | None:
    """Where the brackets at the end of `text[:end]` open and close; None: it does not end in brackets."""
    close = _stripped(text, end) - 1
    if close < 0 or text[close] != "]":
        return None
    start = text.rfind("[", max(0, close - _LONGEST), close)
    return None if start < 0 else (start, close)


def _stripped(text: str, end: int) -> int:
    """The end of `text[:end]` without the white space at its end."""
    while end and text[end - 1].isspace():
        end -= 1
    return end


def with_marks(instruction: str, marks: Marks) -> str:
    """The instruction with these marks in place of its own."""
    text = read_marks(instruction)[0].rstrip()
    if marks.sees is not None:
        text += f" [sees: {', '.join(word for word in SEEN if word in marks.sees) or 'nothing'}]"
    return text if marks.reason else f"{text} [no reason]"


def _words(text: str) -> frozenset[str] | None:
    """None: one of them means nothing here, so this is no mark."""
    words = [word.strip() for word in text.split(",")]
    if words == ["nothing"]:
        return frozenset()
    return frozenset(words) if all(word in SEEN for word in words) else None
