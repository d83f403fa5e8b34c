"""Operators on workflows of questions: write one, ask for one more part, reword the weakest question, the ending.

Whatever is reworded is tried out step by step on train tasks, where right answers say what each question should have
been answered; the best wording is taken. That takes calls, which are counted as what proposing took.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autoflow.lang import has_errors, parse
from autoflow.optimize.base import Workshop
from autoflow.optimize.operators.asking import ask
from autoflow.optimize.operators.base import Bench, Edit
from autoflow.optimize.operators.cues import alike, in_order
from autoflow.optimize.operators.questions import Question, compiled, read_questions
from autoflow.optimize.operators.wording import (
    ENDINGS,
    SURE,
    best_about,
    best_ending,
    best_of,
    cues_of,
    lists_of,
    try_out,
    worded,
)
from autoflow.optimize.telling import examples
from autoflow.study import Candidate
from autoflow.suites.base import asked

THOUGHT_OF = 0.5  # share of times that a model is asked where nothing tells of a part
QUESTIONS = "ask for each part"  # the name of that operator
LOOKED_AT = 2  # questions, where one is to be reworded
TRYING = 0.5  # share of what is left of a study's budget that trying wordings may take: what is found is to be run too
OTHERS = 4  # other wordings of it that are tried then


async def questions(bench: Bench) -> Edit | None:
    """A question for each part that train answers hold, in the order in which they stand there."""
    shop = bench.shop
    lists = lists_of(shop)
    seen = {part for found in lists for part in found}
    made = any(c.operator == QUESTIONS for c in shop.view.candidates)  # the same again would come of it
    if len(seen) < 2 or made or not _can_be_named(seen):
        return None
    order = in_order(seen, lists, shop.suite.vocabulary)
    allowance, found = shop.allowance(TRYING), []
    for n, part in enumerate(order):
        shop.show(f"Trying questions about {part} ({n + 1} of {len(order)})")
        cues = cues_of(shop, part)
        if not cues:  # the tasks that need it say the same as one that does not
            return None
        found.append(await best_about(shop, part, cues, allowance.share(1 / (len(order) - n))))
    ending = await best_ending(shop, ENDINGS)
    weakest = min(found, key=lambda tried: tried.right)
    least = f"the weakest, {weakest.question.part}, is {weakest.right:.0%} right"
    note = f"A question for each of {len(found)} parts; {least}."
    return Edit(compiled([tried.question for tried in found], ending), note, from_scratch=True)


def _can_be_named(parts: Iterable[str]) -> bool:
    """Whether steps can bear these names: labels of a person's table may be anything."""
    return not has_errors(parse(compiled([Question(part, "Is it?") for part in parts], "Say it.")).diagnostics)


async def one_more(bench: Bench) -> Edit | None:
    """A question for a part that is not asked for yet: the one whose words stand in tasks that went wrong.

    Where no train task needs the part, words of its name that stand in tasks are what it is asked by; else a model says
    which words would tell of it.
    """
    found = _read(bench)
    if found is None:
        return None
    shop = bench.shop
    known = {q.part for q in found.questions}
    left = [part for part in shop.suite.vocabulary if part not in known and _can_be_named({part, *known})]
    part, cue = _missed(shop, found.candidate, left) or ("", "")
    if not left or (not part and bench.chance.random() > THOUGHT_OF):
        return None
    part = part or bench.chance.choice(left)
    cues = [cue] if cue else await _thought_of(bench, part)
    if not cues:
        return None
    tried = await best_about(shop, part, cues, shop.allowance(TRYING))
    at = in_order([q.part for q in found.questions] + [part], lists_of(shop), shop.suite.vocabulary).index(part)
    text = compiled([*found.questions[:at], tried.question, *found.questions[at:]], found.ending)
    return Edit(text, f"Asks for {part} as well, by the words: {cues[0]}.", parent=found.candidate.number)


def _missed(shop: Workshop, candidate: Candidate, left: Sequence[str]) -> tuple[str, str] | None:
    """The part that may be missed most, and words that tell of it: they stand in tasks that went wrong, not in others.

    Of validation it looks at the tasks and the scores, never at what would be right.
    """
    scores = shop.view.task_scores(candidate.number, "val")
    tasks = {asked(task): scores[task.id] for task in shop.suite.tasks("val") if task.id in scores}
    tried = {(q.part, q.words) for c in shop.view.candidates for q in _questions_of(shop, c)}
    weights: dict[tuple[str, str], float] = {}
    for part in left:
        for word in cues_of(shop, part) or alike(part, tasks):
            if not any(p == part and word in words for p, words in tried):
                weights[part, word] = sum(1 - 2 * score for said, score in tasks.items() if word in said)
    best = max(weights, key=lambda pair: weights[pair], default=None)
    return best if best is not None and weights[best] > 0 else None


def _questions_of(shop: Workshop, candidate: Candidate) -> tuple[Question, ...]:
    read = read_questions(parse(candidate.text).workflow, shop.suite.vocabulary)
    return read[0] if read else ()


async def reword(bench: Bench) -> Edit | None:
    """The question that errs most, of a few that are looked at, in the best of other words."""
    found = _read(bench)
    if found is None:
        return None
    shop = bench.shop
    looked_at = bench.chance.sample(found.questions, min(LOOKED_AT, len(found.questions)))
    right = [await try_out(shop, question) for question in looked_at]
    weakest = min(right, key=lambda tried: tried.right)
    if weakest.right >= SURE:
        return None
    part = weakest.question.part
    others = worded(part, (cues_of(shop, part) or await _thought_of(bench, part))[:1])
    others = bench.chance.sample(others, min(OTHERS, len(others)))
    best = await best_of(shop, part, [weakest.question, *others], shop.allowance(TRYING))
    if best.question == weakest.question:
        return None
    text = compiled([best.question if q.part == part else q for q in found.questions], found.ending)
    note = f"The question about {part} is {best.right:.0%} right, before {weakest.right:.0%}."
    return Edit(text, note, parent=found.candidate.number)


async def other_ending(bench: Bench) -> Edit | None:
    """Another instruction for the last step, the best of what a model writes and of those that are known."""
    found = _read(bench)
    if found is None:
        return None
    said = await ask(bench, "ending", ("instruction",), instruction=found.ending)
    best = await best_ending(bench.shop, [*([said["instruction"]] if said else []), *ENDINGS, found.ending])
    if best == found.ending:
        return None
    return Edit(compiled(found.questions, best), f"The last step: {best}", parent=found.candidate.number)


@dataclass(frozen=True, slots=True)
class _Found:
    """A candidate that is a workflow of questions."""

    candidate: Candidate
    questions: tuple[Question, ...]
    ending: str


def _read(bench: Bench) -> _Found | None:
    """The parent, where it is of this kind, else the best candidate that is."""
    for candidate in (bench.parent, *bench.shop.view.measured("val")):
        read = read_questions(parse(candidate.text).workflow, bench.shop.suite.vocabulary)
        if read is not None:
            return _Found(candidate, *read)
    return None


async def _thought_of(bench: Bench, part: str) -> list[str]:
    """What a model says that such tasks would say; and the word of its name that says most."""
    found = await ask(bench, "cue", ("cue",), examples=examples(bench.shop, 4, answers=False), part=part)
    words = [word.lower() for word in part.split()]
    bench.chance.shuffle(words)
    return list(dict.fromkeys([*([found["cue"].strip("\"'. ")] if found else []), *words]))
