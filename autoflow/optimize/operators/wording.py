"""The words of questions and endings: which of several a model understands best, found by trying them out.

What a question should be answered is known without asking anybody: on train tasks the right answers say it, on others
whether the task says the words that it asks for. And a task with these words taken out, or put in the place of others,
is one more that is known, and a hard one, because nothing else has changed.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from autoflow.optimize.base import Allowance, Workshop
from autoflow.optimize.operators.cues import mined, parts_of
from autoflow.optimize.operators.questions import Question
from autoflow.optimize.operators.trying import answers_yes, ends_with
from autoflow.optimize.telling import cut
from autoflow.suites.base import SuiteTask, asked

Known = tuple[SuiteTask, bool]  # a task, and whether it needs the part
WORDINGS = (  # question, key of yes, key of no; earlier ones are taken where others are no better
    ("Does the task say {cue}?", "Yes", "No"),
    ("Does the task say {cue}?", "yes", "no"),
    ("Does the task say {cue}?", "yes, {cue}", "no"),
    ("Does the task mention {cue}?", "yes", "no"),
    ("Does the task ask for {cue}?", "yes", "no"),
    ("Does the task ask for {cue}?", "Yes", "No"),
    ("Does the task mention {cue}?", "Yes", "No"),
    ("Is {cue} in the task?", "Yes", "No"),
    ('Does the task say "{cue}"?', "Yes", "No"),
)
ENDINGS = (
    "Reply with the results and nothing else.",
    "Repeat the list.",
    "Reply with this list, unchanged.",
    "Copy the list above, word for word.",
    "Write the results once more, in the same order.",
)
NEAR = 0.1  # a question that is so much worse than the best is not tried any further
SURE = 0.98  # of a question: no other wording is tried
BY_TWO = 0.01  # so much better must two questions be than one, as the second costs a call
UNDERSTOOD = 0.85  # right answers to the best question about a cue: no other cue is looked at
ENOUGH = 0.99  # of lists that an ending repeats rightly: no other is tried
CUES = 2  # words that a part is asked for by, at most
READ = 1_000  # characters of a task that are searched for cues
LISTS = 8  # right answers that an ending is tried on, whole and without their first part


@dataclass(frozen=True, slots=True)
class Tried:
    """A question, and how rightly it was answered."""

    question: Question
    right: float  # in [0, 1]: the share among tasks that need the part and the share among the others, averaged
    said: tuple[bool, ...] = ()  # on each text; empty where it was not tried on all of them


def worded(part: str, cues: Sequence[str]) -> list[Question]:
    """Every wording of the first cue, then of the next: most likely ones early."""
    return [
        Question(part, words.format(cue=cue), yes.format(cue=cue), no, cue)
        for cue in cues
        for words, yes, no in WORDINGS
    ]


def cue_of(question: Question) -> str:
    """The words that it asks for, as far as its wording is a known one."""
    if question.cue:
        return question.cue
    for words, _, _ in WORDINGS:
        found = re.fullmatch(re.escape(words).replace(re.escape("{cue}"), "(.+)"), question.words)
        if found:
            return found[1]
    return ""


async def best_of(shop: Workshop, part: str, questions: Iterable[Question], allowance: Allowance) -> Tried:
    """The first that is nearly always right, else the best, or the best two of which both must say yes.

    At least one must be given; it is tried whatever the allowance, others only within it.
    """
    tried: list[Tried] = []
    for question in questions:
        if tried and not allowance.left:
            break
        best = max((t.right for t in tried), default=0.0)
        tried.append(await try_out(shop, question, best - NEAR, allowance))
        if tried[-1].right >= SURE:
            return tried[-1]
    assert tried, part
    one = max(tried, key=lambda t: t.right)
    two = max(_both(shop, tried), key=lambda t: t.right, default=one)
    return two if two.right > one.right + BY_TWO else one


async def best_about(shop: Workshop, part: str, cues: Sequence[str], allowance: Allowance) -> Tried:
    """The best question about a part, by the first of its cues that is understood well enough; at least one is given.

    Cues are not held against each other by how rightly questions about them are answered: on most texts that is known
    from the cue itself, so that words which have nothing to do with the part would win where they are easy to see.
    """
    tried: list[Tried] = []
    for cue in cues:
        tried.append(await best_of(shop, part, worded(part, [cue]), allowance))
        if tried[-1].right >= UNDERSTOOD:
            return tried[-1]
    return max(tried, key=lambda t: t.right)


def _both(shop: Workshop, tried: Sequence[Tried]) -> Iterator[Tried]:
    """Pairs of wordings for the same words. The one that says yes less often is asked first, so that few ask both."""
    whole = [t for t in tried if t.said and t.question.also is None]
    for pair in itertools.combinations(whole, 2):
        first, second = sorted(pair, key=lambda t: sum(t.said))
        cue = cue_of(first.question)
        if cue == cue_of(second.question):  # else they were tried on other texts
            said = tuple(a and b for a, b in zip(first.said, second.said, strict=True))
            right = _right(said, _texts(shop, first.question.part, cue))
            yield Tried(replace(first.question, also=second.question), right, said)


async def try_out(shop: Workshop, question: Question, least: float = 0.0, allowance: Allowance | None = None) -> Tried:
    """How rightly it is answered.

    Changed tasks are not tried where it is less than `least` on the tasks themselves, or the allowance is spent.
    """
    cue = cue_of(question)
    tasks, changed = _texts(shop, question.part, cue)
    said = await answers_yes(shop, question, [task for task, _ in tasks])
    if not changed or _share(said, tasks) < least or (allowance and not allowance.left):
        return Tried(question, _share(said, tasks))
    said += await answers_yes(shop, question, [task for task, _ in changed])
    return Tried(question, _right(said, (tasks, changed)), tuple(said))


def _right(said: Sequence[bool], texts: tuple[list[Known], list[Known]]) -> float:
    """Tasks and changed ones count the same."""
    tasks, changed = texts
    return (_share(said[: len(tasks)], tasks) + _share(said[len(tasks) :], changed)) / 2


def _texts(shop: Workshop, part: str, cue: str) -> tuple[list[Known], list[Known]]:
    """Tasks as they are and changed ones, each with whether it needs the part."""
    return shop.once(("texts", part, cue), lambda: (_told(shop, part, cue), _changed(shop, cue) if cue else []))


def _told(shop: Workshop, part: str, cue: str) -> list[Known]:
    """Train tasks by their right answers, validation tasks by whether they say the words: no answer is looked at."""
    found = [(task, part in parts_of(shop.suite, task)) for task in shop.suite.tasks("train")]
    return found + [(task, _says(asked(task), cue)) for task in shop.suite.tasks("val") if cue]


def _changed(shop: Workshop, cue: str) -> list[Known]:
    """Tasks without the words, with the words in the place of others, and without others, which makes them shorter."""
    cues = {o for part in shop.suite.vocabulary for o in cues_of(shop, part)}
    others = sorted(o for o in cues if not _says(o, cue) and not _says(cue, o))
    chance, found = shop.chance("changed", cue), []
    for task in (*shop.suite.tasks("train"), *shop.suite.tasks("val")):
        objective = task.task.objective
        there, needed = [other for other in others if _says(objective, other)], _says(objective, cue)
        if needed:
            found.append((_with(task, _replaced(objective, cue, "")), False))
        elif there:
            found.append((_with(task, _replaced(objective, chance.choice(there), cue)), True))
        if there:
            found.append((_with(task, _replaced(objective, chance.choice(there), "")), needed))
    return [(task, needed) for task, needed in found if _says(asked(task), cue) == needed]


def _says(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _replaced(text: str, words: str, by: str) -> str:
    return " ".join(re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", lambda _: by, text).split())


def _with(task: SuiteTask, objective: str) -> SuiteTask:
    return replace(task, task=task.task.model_copy(update={"objective": objective}), expected=None)


def _share(said: Sequence[bool], tasks: Sequence[Known]) -> float:
    """Of those that need the part and of the others the share that was answered rightly, averaged."""
    kinds = {needed for _, needed in tasks}
    shares = [fmean(s == n for s, (_, n) in zip(said, tasks, strict=True) if n == kind) for kind in kinds]
    return fmean(shares)


async def best_ending(shop: Workshop, endings: Sequence[str]) -> str:
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


def lists_of(shop: Workshop) -> list[tuple[str, ...]]:
    return [parts_of(shop.suite, task) for task in shop.suite.tasks("train")]


def cues_of(shop: Workshop, part: str) -> list[str]:
    """Mined from train tasks; none where no train task needs the part."""
    return shop.once(("cues", part), lambda: _cues(shop, part))


def _cues(shop: Workshop, part: str) -> list[str]:
    needs = {cut(asked(t), READ): part in parts_of(shop.suite, t) for t in shop.suite.tasks("train")}
    found = mined(part, needs)
    return list(dict.fromkeys(cue.words for cue in found if cue.f1 == found[0].f1))[:CUES]
