"""Operators on workflows of questions: write one, ask for one more part, reword the weakest question, the ending.

Whatever is reworded is tried out step by step on train tasks, where right answers say what each question should have
been answered; the best wording is taken. That takes calls, which are counted as what proposing took.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from autoflow.lang import parse
from autoflow.optimize.base import Workshop
from autoflow.optimize.operators.asking import ask
from autoflow.optimize.operators.base import Bench, Edit
from autoflow.optimize.operators.cues import alike, in_order, mined, parts_of
from autoflow.optimize.operators.questions import Question, compiled, read_questions
from autoflow.optimize.operators.trying import answers_yes, ends_with
from autoflow.optimize.telling import cut, examples
from autoflow.study import Candidate
from autoflow.suites.base import SuiteTask, asked

WORDINGS = (  # question, key of yes, key of no; earlier ones are taken where others are no better
    ("Does the task say {cue}?", "Yes", "No"),
    ("Does the task say {cue}?", "yes", "no"),
    ("Does the task say {cue}?", "yes, {cue}", "no"),
    ("Does the task mention {cue}?", "yes", "no"),
    ("Does the task ask for {cue}?", "yes", "no"),
    ("Does the task ask for {cue}?", "Yes", "No"),
)
ENDINGS = (
    "Reply with the results and nothing else.",
    "Repeat the list.",
    "Reply with this list, unchanged.",
    "Copy the list above, word for word.",
    "Write the results once more, in the same order.",
)
THOUGHT_OF = 0.5  # share of times that a model is asked where nothing tells of a part
QUESTIONS = "ask for each part"  # the name of that operator
LOOKED_AT = 3  # questions, where one is to be reworded
SURE = 0.95  # of a question: no other wording is tried
CUES = 2  # words that a part is asked for by, at most
READ = 1_000  # characters of a task that are searched for cues
ENOUGH = 0.99  # of lists that an ending repeats rightly: no other is tried
LISTS = 8  # right answers that an ending is tried on, whole and without their first part


@dataclass(frozen=True, slots=True)
class Tried:
    """A question, and how rightly it was answered."""

    question: Question
    right: float  # in [0, 1]: the share among tasks that need the part and the share among the others, averaged


async def questions(bench: Bench) -> Edit | None:
    """A question for each part that train answers hold, in the order in which they stand there."""
    shop = bench.shop
    lists = _lists(shop)
    seen = {part for found in lists for part in found}
    made = any(c.operator == QUESTIONS for c in shop.view.candidates)  # the same again would come of it
    if len(seen) < 2 or made:
        return None
    order = in_order(seen, lists, shop.suite.vocabulary)
    found = []
    for n, part in enumerate(order):
        shop.show(f"Trying questions about {part} ({n + 1} of {len(order)})")
        cues = _cues(shop, part)
        if not cues:  # the tasks that need it say the same as one that does not
            return None
        found.append(await _best(shop, part, _worded(part, cues)))
    ending = await _best_ending(shop, ENDINGS)
    weakest = min(found, key=lambda tried: tried.right)
    least = f"the weakest, {weakest.question.part}, is {weakest.right:.0%} right"
    note = f"A question for each of {len(found)} parts; {least}."
    return Edit(compiled([tried.question for tried in found], ending), note, from_scratch=True)


async def one_more(bench: Bench) -> Edit | None:
    """A question for a part that is not asked for yet: the one whose words stand in tasks that went wrong.

    Where no train task needs the part, words of its name that stand in tasks are what it is asked by; else a model says
    which words would tell of it.
    """
    found = _read(bench)
    if found is None:
        return None
    shop = bench.shop
    left = [part for part in shop.suite.vocabulary if part not in {q.part for q in found.questions}]
    part, cue = _missed(shop, found.candidate, left) or ("", "")
    if not left or (not part and bench.chance.random() > THOUGHT_OF):
        return None
    part = part or bench.chance.choice(left)
    cues = [cue] if cue else await _thought_of(bench, part)
    if not cues:
        return None
    tried = await _best(shop, part, _worded(part, cues))
    at = in_order([q.part for q in found.questions] + [part], _lists(shop), shop.suite.vocabulary).index(part)
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
        for word in _cues(shop, part) or alike(part, tasks):
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
    right = [await _try(shop, question) for question in looked_at]
    weakest = min(right, key=lambda tried: tried.right)
    if weakest.right >= SURE:
        return None
    part = weakest.question.part
    others = _worded(part, [*_cues(shop, part), *await _thought_of(bench, part)])
    best = await _best(shop, part, [weakest.question, *others])
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
    best = await _best_ending(bench.shop, [*([said["instruction"]] if said else []), *ENDINGS, found.ending])
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


def _lists(shop: Workshop) -> list[tuple[str, ...]]:
    return [parts_of(shop.suite, task) for task in shop.suite.tasks("train")]


def _cues(shop: Workshop, part: str) -> list[str]:
    """Mined from train tasks; none where no train task needs the part."""
    needs = {cut(asked(t), READ): part in parts_of(shop.suite, t) for t in shop.suite.tasks("train")}
    found = mined(part, needs)
    return list(dict.fromkeys(cue.words for cue in found if cue.f1 == found[0].f1))[:CUES]


async def _thought_of(bench: Bench, part: str) -> list[str]:
    """What a model says that such tasks would say; and the word of its name that says most."""
    found = await ask(bench, "cue", ("cue",), examples=examples(bench.shop, 4, answers=False), part=part)
    words = [word.lower() for word in part.split()]
    bench.chance.shuffle(words)
    return list(dict.fromkeys([*([found["cue"].strip("\"'. ")] if found else []), *words]))


def _worded(part: str, cues: Sequence[str]) -> list[Question]:
    """Every wording of the best cue first, then of the next: most likely ones early."""
    return [
        Question(part, words.format(cue=cue), yes.format(cue=cue), no, cue)
        for cue in cues
        for words, yes, no in WORDINGS
    ]


def _cue_of(question: Question) -> str:
    """The words that a known wording asks for."""
    for words, _, _ in WORDINGS:
        found = re.fullmatch(re.escape(words).replace(re.escape("{cue}"), "(.+)"), question.words)
        if found:
            return found[1]
    return ""


async def _best(shop: Workshop, part: str, questions: Iterable[Question]) -> Tried:
    """The first that is nearly always right, else the best. At least one must be given."""
    best: Tried | None = None
    for question in questions:
        tried = await _try(shop, question)
        if best is None or tried.right > best.right:
            best = tried
        if best.right >= SURE:
            break
    assert best is not None, part
    return best


async def _try(shop: Workshop, question: Question) -> Tried:
    """On train tasks by their right answers, on validation by whether the task says the words: that needs no answer."""
    cue = question.cue or _cue_of(question)
    train, val = shop.suite.tasks("train"), shop.suite.tasks("val") if cue else ()
    said = await answers_yes(shop, question, [*train, *val])
    needed = [question.part in parts_of(shop.suite, task) for task in train]
    needed += [cue in asked(task) for task in val]
    shares = [fmean(s == n for s, n in zip(said, needed, strict=True) if n == kind) for kind in set(needed)]
    return Tried(question, fmean(shares))


async def _best_ending(shop: Workshop, endings: Sequence[str]) -> str:
    """The ending whose answers score best where the steps before wrote what is right."""
    lists = _results(shop)
    scores: dict[str, float] = {}
    for ending in dict.fromkeys(endings):
        shop.show("Trying the last step")
        said = await asyncio.gather(*(ends_with(shop, ending, parts, task) for parts, task in lists))
        scores[ending] = fmean(_same(a, parts) for a, (parts, _) in zip(said, lists, strict=True))
        if scores[ending] >= ENOUGH:
            break
    return max(scores, key=lambda ending: scores[ending])


def _same(answer: str, parts: Sequence[str]) -> bool:
    """Whether an answer is these words in this order, however they are set apart."""
    return [word.casefold() for word in re.findall(r"\w+", answer)] == [
        word.casefold() for word in re.findall(r"\w+", " ".join(parts))
    ]


def _results(shop: Workshop) -> list[tuple[tuple[str, ...], SuiteTask]]:
    """What the steps before the last may have written: right answers, and the same with a part that was missed."""
    found: dict[tuple[str, ...], SuiteTask] = {}
    for task in shop.suite.tasks("train"):
        parts = parts_of(shop.suite, task)
        found |= {some: task for some in (parts, parts[1:]) if some}
    ranked = sorted(found.items(), key=lambda item: (len(item[0]), item[0]))
    return ranked[: 2 * LISTS]
