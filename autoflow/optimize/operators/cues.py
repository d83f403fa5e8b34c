"""What tasks say when they need a part: words found in train objectives, and words that a model thinks of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from autoflow.suites.base import Suite, SuiteTask

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
LONGEST = 3  # words of a cue
ALIKE = 0.8  # letters that words share, from which on one stands for the other


@dataclass(frozen=True, slots=True)
class Cue:
    """Words of a task, and how well they tell that it needs the part."""

    words: str
    f1: float  # over train tasks, in [0, 1]


def parts_of(suite: Suite, task: SuiteTask) -> tuple[str, ...]:
    """The words of the vocabulary that the right answer of a train task lists, in its order."""
    said = [" ".join(piece.split()).casefold() for piece in re.split(r"[,;\n]", suite.expected(task))]
    known = {word.casefold(): word for word in suite.vocabulary}
    return tuple(known[piece] for piece in said if piece in known)


def mined(part: str, needs: Mapping[str, bool], count: int = 4) -> list[Cue]:
    """The best cues for a part, best first: by F1, then by likeness to its name, then the shorter.

    Args:
        needs: each train objective, and whether its right answer holds the part.
    """
    grams = {objective: frozenset(_grams(objective)) for objective in needs}
    candidates = sorted({gram for objective, need in needs.items() if need for gram in grams[objective]})
    cues = [Cue(gram, _f1([(need, gram in grams[o]) for o, need in needs.items()])) for gram in candidates]
    ranked = sorted(cues, key=lambda cue: (-cue.f1, -likeness(cue.words, part), len(cue.words), cue.words))
    return [Cue(grown(cue.words, needs), cue.f1) for cue in _apart(ranked, count)]


def likeness(words: str, part: str) -> float:
    """How alike two texts are in letters, in [0, 1]: the best pair of their words."""
    pairs = [(a.casefold(), b.casefold()) for a in _WORD.findall(words) for b in _WORD.findall(part)]
    return max((SequenceMatcher(None, a, b).ratio() for a, b in pairs), default=0.0)


def alike(part: str, objectives: Collection[str]) -> list[str]:
    """Words of tasks that are nearly words of the part's name, the likest first."""
    words = {word for objective in objectives for word in _WORD.findall(objective)}
    found = sorted((-likeness(word, part), word) for word in words if len(word) > 2)
    near = [word for like, word in found if -like >= ALIKE]
    return list(dict.fromkeys(grown(word, objectives) for word in near))


def grown(cue: str, objectives: Collection[str]) -> str:
    """A cue with the neighbours that it never stands without, and that stand nowhere else: `label` to `class label`."""
    texts = [_WORD.findall(objective) for objective in objectives]
    where = _texts_with(cue.split(), texts)
    while len(cue.split()) < LONGEST:
        words = cue.split()
        places = [(text, at) for text in where for at in range(len(text)) if text[at : at + len(words)] == words]
        before = {text[at - 1] if at else "" for text, at in places}
        after = {text[at + len(words)] if at + len(words) < len(text) else "" for text, at in places}
        longer = [f"{word} {cue}" for word in before if len(before) == 1 and _texts_with([word], texts) == where]
        longer += [f"{cue} {word}" for word in after if len(after) == 1 and _texts_with([word], texts) == where]
        if not longer:
            break
        cue = longer[0]
    return cue


def _texts_with(words: Sequence[str], texts: Sequence[list[str]]) -> list[list[str]]:
    size = len(words)
    return [text for text in texts if any(text[at : at + size] == list(words) for at in range(len(text) - size + 1))]


def in_order(parts: Iterable[str], lists: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> list[str]:
    """Parts in the order of right answers: by where they stand in them on average, unseen ones where others like
    them would be: behind those that come first, before those that come last."""
    places: dict[str, list[float]] = {}
    for found in lists:
        for at, part in enumerate(found):
            places.setdefault(part, []).append(at / (len(found) - 1) if len(found) > 1 else 0.5)
    mean = {part: sum(p) / len(p) for part, p in places.items()}
    chosen = sorted(parts, key=lambda p: (mean.get(p, 0.6), vocabulary.index(p)))
    return _mended(chosen, lists)


def _mended(order: list[str], lists: Sequence[Sequence[str]]) -> list[str]:
    """Neighbours that stand the other way round in most of the right answers that hold both change places."""
    for _ in order:
        for n in range(len(order) - 1):
            if _before(order[n + 1], order[n], lists) > _before(order[n], order[n + 1], lists):
                order[n], order[n + 1] = order[n + 1], order[n]
    return order


def _before(first: str, second: str, lists: Sequence[Sequence[str]]) -> int:
    return sum(first in found and second in found and found.index(first) < found.index(second) for found in lists)


def _apart(ranked: Sequence[Cue], count: int) -> list[Cue]:
    """The best ones, without those that hold a better one and tell no more."""
    kept: list[Cue] = []
    for cue in ranked:
        padded = f" {cue.words} "
        if not any(f" {k.words} " in padded and k.f1 >= cue.f1 for k in kept):
            kept.append(cue)
        if len(kept) == count:
            break
    return kept


def _grams(objective: str) -> Iterable[str]:
    words = _WORD.findall(objective)
    for size in range(1, LONGEST + 1):
        for at in range(len(words) - size + 1):
            yield " ".join(words[at : at + size])


def _f1(told: Iterable[tuple[bool, bool]]) -> float:
    told = list(told)
    hit = sum(need and said for need, said in told)
    wrong = sum(need != said for need, said in told)
    return 2 * hit / (2 * hit + wrong) if hit else 0.0
