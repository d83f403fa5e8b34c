"""Quoting names in messages, and guessing which name was meant."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from itertools import islice

from autoflow.lang.workflow import STEP_TYPES, StepType, fold

SIMILAR = 0.6  # least similarity (difflib's ratio, 0 to 1) of a name worth suggesting
COMPARED = 60  # names of a large workflow that are compared with a misspelt one
LONGEST = 80  # characters; comparing is quadratic in them, so longer names are not compared
_LETTERS = re.compile(r"[^\W\d_]+")
_LIST_MARK = re.compile(r"(?:\d{1,6}[.)]|[-*•])\s+")

# What people and models write where they mean one of the three types.
_TYPE_WORDS: dict[str, StepType] = {
    "process": "process", "action": "process", "task": "process", "operation": "process", "start": "process",
    "decision": "decision", "condition": "decision", "conditional": "decision", "if": "decision", "branch": "decision",
    "choice": "decision", "check": "decision",
    "terminal": "terminal", "terminate": "terminal", "termination": "terminal", "end": "terminal", "stop": "terminal",
    "final": "terminal", "finish": "terminal", "exit": "terminal",
}  # fmt: skip


def quoted(text: str, limit: int = 60) -> str:
    """A name or a piece of text as messages show it; the middle of a long one is left out."""
    if len(text) <= limit:
        return f"`{text}`"
    return f"`{text[: limit - 16]} ... {text[-11:]}`"


def listed(names: Iterable[str], limit: int = 5) -> str:
    """The names, quoted; of more than `limit` the first ones and "..."."""
    some = list(islice(names, limit + 1))
    if len(some) <= limit:
        return ", ".join(map(quoted, some))
    return ", ".join(map(quoted, some[: limit - 1])) + ", ..."


_TYPES: dict[str, StepType] = {kind: kind for kind in STEP_TYPES}


class Names:
    """The names of a workflow, ready to be asked for the one that a misspelt name may have meant."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {fold(name): name for name in names if 0 < len(name) <= LONGEST}

    def nearest(self, name: str) -> str | None:
        """The most similar name, or None where none is similar; among equals the one with the nearest number."""
        if len(name) > LONGEST:
            return None
        wanted = fold(name)
        if wanted in self._unmarked:
            return self._unmarked[wanted]
        best, best_rank = None, (SIMILAR, float("-inf"))
        for candidate in self._candidates(wanted):
            rank = (_similarity(wanted, candidate, best_rank[0]), -abs(_number(candidate) - _number(wanted)))
            if rank >= best_rank:
                best, best_rank = candidate, rank
        return None if best is None else self._names[best]

    def _candidates(self, wanted: str) -> Iterable[str]:
        """All names; of many, those that begin or end most like the wanted one."""
        if len(self._names) <= COMPARED:
            return self._names
        forward = _around(self._forward, wanted, COMPARED // 2)
        backward = _around(self._backward, wanted[::-1], COMPARED // 2)
        return dict.fromkeys([*forward, *(name[::-1] for name in backward)])

    @cached_property
    def _forward(self) -> list[str]:
        return sorted(self._names)

    @cached_property
    def _backward(self) -> list[str]:
        return sorted(name[::-1] for name in self._names)

    @cached_property
    def _unmarked(self) -> dict[str, str]:
        """Names that carry a list mark (`1. Step 1`), by what follows it."""
        marked = ((_LIST_MARK.match(name), name) for name in self._names.values())
        return {fold(name[mark.end() :]): name for mark, name in marked if mark}


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` most probably means, or None where none is similar. Cheap for 100,000 candidates."""
    return Names(candidates).nearest(name)


def list_mark(name: str) -> str:
    """The list mark that a name begins with (`1. ` of `1. Step 1`), or ""."""
    mark = _LIST_MARK.match(name)
    return mark.group() if mark else ""


def guess_type(word: str) -> StepType | None:
    """The type that a word most probably means: `proces`, `End`, `decision step`. None where it is not clear."""
    if word in _TYPES:
        return _TYPES[word]
    return _guess(" ".join(_LETTERS.findall(fold(word)))) if len(word) <= LONGEST else None


@lru_cache(maxsize=1024)
def _guess(words: str) -> StepType | None:
    """Words of letters alone, so that `proces1`, `proces2` ... are one question."""
    known = {_TYPE_WORDS[word] for word in words.split() if word in _TYPE_WORDS}
    if known:
        return known.pop() if len(known) == 1 else None
    rated = sorted((_similarity(words, kind, 0.7), kind) for kind in STEP_TYPES)
    return rated[-1][1] if rated[-1][0] >= 0.7 else None


def _similarity(left: str, right: str, least: float) -> float:
    """difflib's ratio, 0 to 1; 0 where so few characters are shared that it must be below `least`."""
    shared = sum(min(left.count(character), right.count(character)) for character in set(right))
    if 2 * shared < least * (len(left) + len(right)):
        return 0.0
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def _number(name: str) -> int:
    """The number that a name ends in, else 0."""
    digits = re.search(r"[0-9]{1,9}$", name)
    return int(digits.group()) if digits else 0


def _around(names: list[str], wanted: str, count: int) -> list[str]:
    """Up to `count` neighbours of `wanted` in a sorted list."""
    place = bisect_left(names, wanted)
    return names[max(0, place - count // 2) : place + count // 2]
