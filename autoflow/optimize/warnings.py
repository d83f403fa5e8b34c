"""What a person should know before they trust a study: each warning in a sentence, with examples to read.

    overfit     the best candidate scores far better on validation, by which it was chosen, than on the sealed test
    shrinking   the reward rose while the answers shrank: it may reward brevity, or what is left out
    no-gain     so many rounds found nothing better
    untaught    a training whose model writes workflows that are no better than the base model's, as far as can be told
    judge       the model that judges and the people who rate disagree

They are computed from what the study holds, anew whenever they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from statistics import median, variance
from typing import Literal

from autoflow.metrics.agreement import agreement, rated_pairs
from autoflow.optimize.lora_compare import gain
from autoflow.optimize.options import LoraOptions, options_of
from autoflow.optimize.view import StudyView
from autoflow.study import TRAINED, Candidate, Outcome, Rating

WarningKind = Literal["overfit", "shrinking", "no-gain", "untaught", "judge"]
LARGE_GAP = 0.1  # of mean scores; a smaller one is not worth a word
SURE = 2.0  # standard errors that a gap must exceed
SHRUNK = 0.6  # median share of its length that an answer keeps; below it answers have shrunk
LEAST_TASKS = 3  # below it nothing is said of answers
ROUNDS = 3  # without a gain
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """Something to read: a task, and two texts that belong beside each other."""

    task: str  # its id
    before: str
    after: str
    names: tuple[str, str]  # what the two are


@dataclass(frozen=True, slots=True)
class StudyWarning:
    """One warning; `message` says what was seen and what to do."""

    kind: WarningKind
    message: str
    examples: tuple[Example, ...] = ()


def warnings(view: StudyView, ratings: Iterable[Rating] = ()) -> list[StudyWarning]:
    """All that is to be said of the study as it stands; most of the time nothing.

    Args:
        ratings: what people gave answers of this study, in the order in which they did.
    """
    if view.study.spec.method == "evaluate":
        return []
    found = (_overfit(view), _shrinking(view), _no_gain(view), _untaught(view), _judge(view, list(ratings)))
    return [warning for warning in found if warning is not None]


def _best(view: StudyView) -> Candidate | None:
    """The one that was chosen; before the end the best so far."""
    number = view.study.best
    return view.best() if number is None else view.candidates[number]


def _overfit(view: StudyView) -> StudyWarning | None:
    best = _best(view)
    if best is None:
        return None
    val, test = (list(view.task_scores(best.number, split).values()) for split in ("val", "test"))
    if not val or not test:
        return None
    gap = _mean(val) - _mean(test)
    if gap < LARGE_GAP or gap <= SURE * sqrt(_error(val) + _error(test)):
        return None
    return StudyWarning(
        "overfit",
        f"Candidate {best.number} scores {_mean(val):.2f} on validation, by which it was chosen, but {_mean(test):.2f} "
        f"on the sealed test.{_fell_too(view, best, gap)} Trust the test; with more validation tasks the search is "
        "misled less.",
    )


def _fell_too(view: StudyView, best: Candidate, gap: float) -> str:
    """That the test is harder for what was not chosen by validation either, where it is: no overfit then."""
    for other in (view.manual, view.plain):
        if other is None or other.number == best.number:
            continue
        val, test = view.score(other.number, "val"), view.score(other.number, "test")
        if val is not None and test is not None and val - test > gap / 2:
            return f" The {other.operator} falls as well, from {val:.2f} to {test:.2f}: these test tasks are harder."
    return ""


def _error(values: Sequence[float]) -> float:
    """Squared standard error of the mean; 0 of a single value, of which nothing is known."""
    return variance(values) / len(values) if len(values) > 1 else 0.0


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _shrinking(view: StudyView) -> StudyWarning | None:
    best, first = _best(view), _reference(view)
    if best is None or first is None or best.number == first.number:
        return None
    rise = (view.reward(best.number, "val") or 0.0) - (view.reward(first.number, "val") or 0.0)
    pairs = _answers(view, first, best)
    if rise <= 0 or len(pairs) < LEAST_TASKS:
        return None
    kept = median(len(b.answer) / len(a.answer) for a, b in pairs)
    if kept >= SHRUNK:
        return None
    most = sorted(pairs, key=lambda pair: (len(pair[1].answer) / len(pair[0].answer), pair[0].task))[:EXAMPLES]
    names = (f"candidate {first.number}", f"candidate {best.number}")
    return StudyWarning(
        "shrinking",
        f"The reward rose by {rise:.2f} from candidate {first.number} ({first.operator}) to candidate {best.number}, "
        f"while answers shrank to {kept:.0%} of their length. Read some: nothing that you need may be missing.",
        tuple(Example(a.task, a.answer, b.answer, names) for a, b in most),
    )


def _reference(view: StudyView) -> Candidate | None:
    """What a search has to beat: the manual workflow, the plain prompt, or what else was there first."""
    found = (view.manual, view.plain, view.candidates[0] if view.candidates else None)
    return next((c for c in found if c is not None and view.complete(c.number, "val")), None)


def _answers(view: StudyView, first: Candidate, best: Candidate) -> list[tuple[Outcome, Outcome]]:
    """Runs of both on the same validation task that came to an answer."""
    pairs = []
    for before in view.outcomes(first.number, "val"):
        after = view.outcome(best.number, before.task, before.repeat)
        if before.answer and before.stop == "terminal" and after is not None and after.stop == "terminal":
            pairs.append((before, after))
    return pairs


def _no_gain(view: StudyView) -> StudyWarning | None:
    best, rounds = view.best(), view.study.rounds
    if best is None or rounds - best.round < ROUNDS or view.study.stop == "perfect" or view.study.spec.method == "lora":
        return None  # a training goes up slowly, and its best workflow is not what it is for
    if best.round == 0:
        message = f"{rounds} rounds found nothing better than candidate {best.number} ({best.operator})."
    else:
        message = f"The last {rounds - best.round} rounds found nothing better than candidate {best.number}."
    advice = (
        "Look at the worst tasks for what no proposal mends, branch from a text that you edited, take a stronger "
        "generator, or give it more train tasks to learn from."
    )
    return StudyWarning("no-gain", f"{message} {advice}")


def _untaught(view: StudyView) -> StudyWarning | None:
    found = gain(view)
    if found is None and _trained_in_vain(view):
        return StudyWarning(
            "untaught",
            "No step of the training earned more than the base model did in the first one: no adapter was kept. Train "
            "for more steps, raise the learning rate, or draw more samples in a step.",
        )
    if found is None or found.sure:
        return None
    d = found.difference.difference
    return StudyWarning(
        "untaught",
        f"On the sealed test the workflows of the trained model score {found.trained.score.mean:.2f} and those of the "
        f"base model {found.base.score.mean:.2f} ({found.base.samples} each; 95 % interval of the difference "
        f"{d.low:+.2f} to {d.high:+.2f}), so that no gain can be told. Train for more steps, draw more samples in a "
        "step, or compare more of them.",
    )


def _trained_in_vain(view: StudyView) -> bool:
    """Whether a training went to its end and found nothing to compare with its base model."""
    study = view.study
    if study.spec.method != "lora" or study.stop in (None, "person") or study.best is None or not study.test_uses:
        return False
    wanted = options_of(study.spec, LoraOptions).compare
    return bool(wanted) and view.by_operator(TRAINED) is None


def _judge(view: StudyView, ratings: Sequence[Rating]) -> StudyWarning | None:
    outcomes = view.all_outcomes()
    found = agreement(rated_pairs(outcomes, ratings))
    if found is None or not found.warning:
        return None
    apart = []
    for outcome in outcomes:
        pair = rated_pairs([outcome], ratings)
        if pair:
            apart.append((abs(pair[0][0] - pair[0][1]), outcome, pair[0]))
    apart.sort(key=lambda one: (-one[0], one[1].candidate, one[1].task, one[1].repeat))
    examples = tuple(
        Example(o.task, o.answer, f"The judge gave {judge:.2f}, people gave {people:.2f}.", ("answer", "grades"))
        for _, o, (judge, people) in apart[:EXAMPLES]
    )
    return StudyWarning("judge", found.warning, examples)
