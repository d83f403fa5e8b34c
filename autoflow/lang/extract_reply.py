"""Parting a model's reply into what may be workflows and what is talk: thinking, fences, prose. Linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from autoflow.lang.extract_lines import Taken, clean_step, is_step
from autoflow.lang.lines import split_fields, split_lines
from autoflow.lang.workflow import fold

_THINKING = re.compile(r"<(/?)(?:think|thinking|thought|reasoning|reflection)>", re.IGNORECASE)
_SPECIAL = re.compile(r"<\|[a-z0-9_]{1,30}\|>|</?s>|<end_of_turn>", re.IGNORECASE)
_FENCE = re.compile(r"\s*(?:>\s*)?(?:[-*]\s+)?(`{3,}|~{3,})")


@dataclass(slots=True)
class Part:
    """Steps that stand together, with the comments and blank lines between them."""

    first: int = 0  # line of the reply, 1-based, of its first step
    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # folded, of the lines that are steps
    places: list[int] = field(default_factory=list)  # where those are in `lines`
    taken: list[set[Taken]] = field(default_factory=list)  # what was taken off those

    def add_step(self, number: int, waiting: list[str], line: str) -> None:
        """Add line `number`, a step, and the lines waiting in front of it; blank ones only between steps."""
        self.first = self.first or number
        cleaned, taken = clean_step(line)
        self.lines += [text for text in waiting if text or self.names]
        self.names.append(fold(cleaned[slice(*split_fields(cleaned)[0])]))
        self.places.append(len(self.lines))
        self.taken.append(taken)
        self.lines.append(cleaned)

    def piece(self, begin: int, end: int) -> Part:
        """The part from step `begin` (0-based) up to step `end`."""
        start = self.places[begin] if begin else 0
        stop = self.places[end] if end < len(self.places) else len(self.lines)
        places = [place - start for place in self.places[begin:end]]
        return Part(self.first + start, self.lines[start:stop], self.names[begin:end], places, self.taken[begin:end])


@dataclass(slots=True)
class Reply:
    """A reply in parts."""

    text: str = ""  # without thinking and special tokens
    parts: list[Part] = field(default_factory=list)
    thinking: int = 0  # blocks
    tokens: int = 0  # special tokens of chat templates
    fences: int = 0
    talk: int = 0  # lines that belong to no part

    def close(self, part: Part, waiting: list[str]) -> Part:
        """End a part, with the comments right behind its last step, and begin the next."""
        kept = list(takewhile(bool, waiting)) if part.names else []
        self.talk += sum(map(bool, waiting)) - len(kept)
        if not part.names:
            return part
        part.lines += kept
        self.parts.append(part)
        return Part()


def part_reply(text: str) -> Reply:
    """Find the steps of a reply, in parts between thinking, prose and fences."""
    reply = Reply()
    part, fence = Part(), ""
    waiting: list[str] = []  # comments and blank lines, until it is known what follows them
    reply.text = _without_thinking(text, reply)
    for number, line in enumerate(split_lines(reply.text), 1):
        if is_step(line):
            part.add_step(number, waiting, line)
            waiting = []
        elif not line.strip() or _is_comment(line, bool(fence)):
            waiting.append(line.strip())
        else:
            part, waiting = reply.close(part, waiting), []
            mark = _FENCE.match(line)
            if mark and (not fence or mark[1].startswith(fence)):
                reply.fences += not fence
                fence = "" if fence else mark[1]
            else:
                reply.talk += 1
    reply.close(part, waiting)
    return reply


def _without_thinking(text: str, reply: Reply) -> str:
    """The text without its thinking blocks and special tokens.

    A block that is never closed ends with the text. A first closing tag without an opening one ends a block that began
    with the text: many chat templates write the opening tag into the prompt.
    """
    kept: list[str] = []
    position, inside = 0, False
    for tag in _THINKING.finditer(text):
        closing = bool(tag[1])
        if closing and not inside and not reply.thinking:
            kept.clear()
            reply.thinking = 1
        elif not inside:
            kept.append(text[position : tag.start()])
            reply.thinking += not closing
        inside = not closing
        position = tag.end()
    if not inside:
        kept.append(text[position:])
    plain, reply.tokens = _SPECIAL.subn("", "\n".join(kept))
    return plain


def _is_comment(line: str, fenced: bool) -> bool:
    """Outside a fence `##` is a heading of the talk."""
    line = line.lstrip()
    return line.startswith("#") and (fenced or not line.startswith("##"))


def units(parts: list[Part]) -> list[list[Part]]:
    """Parts that may belong together: one that repeats a name of those before it begins another workflow.

    So does, inside a part, a step that bears the name of the part's first one.
    """
    found: list[list[Part]] = []
    names: set[str] = set()
    for part in (piece for whole in parts for piece in _pieces(whole)):
        fresh = set(part.names) - {""}
        if not found or not names.isdisjoint(fresh):
            found.append([])
            names = set()
        found[-1].append(part)
        names |= fresh
    return found


def _pieces(part: Part) -> Iterator[Part]:
    starts = [k for k, name in enumerate(part.names) if k and name and name == part.names[0]]
    for begin, end in pairwise([0, *starts, len(part.names)]):
        yield part.piece(begin, end)
