"""What a training has come to, step by step: how many of its samples had no errors, counted, ran and scored.

Made of records alone; pages, reports and the command line show these figures, so that all of them say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import fmean

from autoflow.records import Json
from autoflow.study import StudySample, TrainingStep
from autoflow.train.figures import StepFigures
from autoflow.train.settings import TrainSettings

RECENT = 5  # steps that a sign must last, or over which a figure that jumps is averaged
_ALIKE = 0.25  # share of different texts from which on samples are called alike
_DRIFT = 0.2  # log-probability; what half precision brings is below it
_SETTINGS = TrainSettings()


@dataclass(frozen=True, slots=True)
class TrainingPoint:
    """One step. Shares are of all its samples, in [0, 1]."""

    figures: StepFigures
    samples: int
    sound: float  # without errors
    counts: float  # neither errors nor a copy of the example: worth a run
    runs: float | None  # that come to a usable answer, over all runs; None: some count, but none was run
    score: float | None  # mean score on the train tasks, of the samples that were run; None: none was
    only: str = ""  # the text, where all samples are one and the same
    ending: str = ""  # why the training ended with this step before its time

    @property
    def step(self) -> int:
        """From 1."""
        return self.figures.step


@dataclass(frozen=True, slots=True)
class Sign:
    """What a person should know of a training that goes on."""

    title: str
    message: str  # what was seen, what it leads to, what to change


def point_of(step: TrainingStep) -> TrainingPoint:
    """The shares of one step."""
    samples = step.samples
    ran = [s for s in samples if s.score is not None]
    counting = [s for s in samples if _counts(s)]
    reached = sum(s.reached or 0.0 for s in ran)
    texts = {s.text for s in samples}
    return TrainingPoint(
        figures=step.figures, samples=len(samples), sound=_share(not s.error for s in samples),
        counts=len(counting) / max(1, len(samples)),
        runs=None if counting and not ran else reached / max(1, len(samples)),
        score=fmean(s.score or 0.0 for s in ran) if ran else None,
        only=texts.pop() if len(texts) == 1 else "", ending=step.ending,
    )  # fmt: skip


def _counts(sample: StudySample) -> bool:
    return not sample.error and not sample.copied


def _share(found: Iterable[bool]) -> float:
    given = list(found)
    return sum(given) / max(1, len(given))


def best_step(points: Sequence[TrainingPoint]) -> TrainingPoint | None:
    """The step with the highest mean reward, the first of equals; None before the first."""
    return max(points, key=lambda p: p.figures.reward_mean, default=None)


def told(points: Sequence[TrainingPoint], *, ended: bool = False) -> Json | None:
    """The last step for programs; a share or score of null was not measured. None before the first step.

    Args:
        ended: the training is over, and signs of what may come of it mean nothing any more.
    """
    best = best_step(points)
    if best is None:
        return None
    last = points[-1]
    return {
        "step": last.step, "reward_mean": last.figures.reward_mean, "reward_best": last.figures.reward_best,
        "without_errors": last.sound, "count": last.counts, "run_to_an_end": last.runs, "score": last.score,
        "distinct": last.figures.distinct, "samples": last.samples, "kl": last.figures.kl,
        "entropy": last.figures.entropy, "tokens": last.figures.length, "seconds": last.figures.seconds,
        "peak_memory_bytes": max(p.figures.peak_memory_bytes for p in points), "best_step": best.step,
        "best_reward_mean": best.figures.reward_mean, "words": in_words(last), "ending": last.ending,
        "signs": [] if ended else [sign.message for sign in signs(points)],
    }  # fmt: skip


def in_words(last: TrainingPoint) -> str:
    """`reward 0.42, best sample 0.71; 94 % without errors, 81 % count, 75 % run to an end; score 0.58`."""
    shares = [f"{last.sound:.0%} without errors", f"{last.counts:.0%} count"]
    shares += [f"{last.runs:.0%} run to an end"] if last.runs is not None else []
    reward = f"reward {last.figures.reward_mean:.2f}, best sample {last.figures.reward_best:.2f}"
    score = f"; score {last.score:.2f}" if last.score is not None else ""
    return f"{reward}; {', '.join(shares)}{score}".replace("-", "−").replace("%", " %")


def signs(points: Sequence[TrainingPoint], settings: TrainSettings = _SETTINGS) -> list[Sign]:
    """What goes wrong in a training under way, gravest first; nothing of one that has ended by itself."""
    if not points or points[-1].ending:
        return []
    last = points[-RECENT:]
    found = (
        _one_text(points, settings), _running_away(points[-1], settings), _fallen(points), _alike(last), _level(last),
        _endless(last), _cut(last), _drifting(last),
    )  # fmt: skip
    return [sign for sign in found if sign is not None]


def _one_text(points: Sequence[TrainingPoint], settings: TrainSettings) -> Sign | None:
    only = points[-1].only
    times = sum(1 for _ in takewhile(lambda p: only and p.only == only, reversed(points)))
    if times < 2:
        return None
    return Sign(
        "Every sample is the same text",
        f"In the last {times} steps the model wrote one text only. After {settings.collapse_steps} such steps the "
        "training ends, as there is nothing more to learn. Another one with a higher temperature or weight of KL, or a "
        "lower learning rate, keeps variety for longer.",
    )


def _running_away(last: TrainingPoint, settings: TrainSettings) -> Sign | None:
    if last.figures.kl <= settings.kl_limit / 2:
        return None
    return Sign(
        "The model runs away from its base",
        f"It differs by {last.figures.kl:.2f} nats a token; above {settings.kl_limit:g} the training ends. A lower "
        "learning rate or a higher weight of KL holds it.",
    )


def _fallen(points: Sequence[TrainingPoint]) -> Sign | None:
    """More than half of what had been gained is lost again, and it is more than chance within a step."""
    if len(points) < 2 * RECENT:
        return None
    rewards = [p.figures.reward_mean for p in points]
    means = [fmean(rewards[end - RECENT : end]) for end in range(RECENT, len(rewards) + 1)]
    best = max(range(len(means)), key=means.__getitem__)
    lost, gained = means[best] - means[-1], means[best] - means[0]
    chance = fmean(p.figures.reward_spread for p in points[-RECENT:]) / RECENT**0.5
    if gained <= 0 or lost <= gained / 2 or lost <= chance:
        return None
    words = f"The last {RECENT} steps earned {means[-1]:.2f} on average, those up to step {best + RECENT}"
    return Sign(
        "The reward has fallen",
        f"{words} {means[best]:.2f}".replace("-", "−") + ". The adapters of the best steps are kept: stopping loses "
        "nothing. A lower learning rate makes smaller steps.",
    )


def _alike(last: Sequence[TrainingPoint]) -> Sign | None:
    if len(last) < 3 or any(p.only or p.samples < 4 or p.figures.distinct > _ALIKE * p.samples for p in last[-3:]):
        return None
    return Sign(
        "Samples grow alike",
        f"Of the {last[-1].samples} samples of the last step {last[-1].figures.distinct} are different. A model that "
        "writes few texts finds nothing new: a higher temperature, top-p or weight of KL keeps more.",
    )


def _level(last: Sequence[TrainingPoint]) -> Sign | None:
    if len(last) < 3 or any(p.only or p.samples < 2 or p.figures.reward_spread > 1e-6 for p in last[-3:]):
        return None
    return Sign(
        "All samples earn the same",
        "Within each of the last 3 steps every sample had the same reward, so that none was better to learn from. "
        "Larger groups or a reward with more grades tell samples apart.",
    )


def _endless(last: Sequence[TrainingPoint]) -> Sign | None:
    """Workflows are run, and not one comes to an answer: of those that can be run none is better than another."""
    ran = [p for p in last if p.runs is not None and p.score is not None]
    if len(ran) < RECENT or any(p.runs for p in ran):
        return None
    return Sign(
        "No run comes to an answer",
        f"In the last {RECENT} steps workflows were run, and no run reached an end with an answer that can be used, so "
        "that there is nothing in them to learn from. Look at their traces: often a decision goes back again and "
        "again. Another training with a bonus for usable answers under Reward, such as 0.25, has the first that "
        "ends stand out; so do a stronger interpreter, or an example that ends.",
    )


def _cut(last: Sequence[TrainingPoint]) -> Sign | None:
    ended = fmean(p.figures.ended for p in last)
    if len(last) < 3 or ended >= 0.5:
        return None
    return Sign(
        "Most samples are cut off",
        f"Only {ended:.0%} of the latest samples end by themselves".replace("%", " %") + f"; the others stop at "
        f"{max(p.figures.length for p in last):.0f} tokens or so, and cannot run. Allow more tokens.",
    )


def _drifting(last: Sequence[TrainingPoint]) -> Sign | None:
    worst = max(p.figures.drift for p in last)
    if worst <= _DRIFT:
        return None
    return Sign(
        "Drawing and learning disagree",
        f"A token's log-probability differs by up to {worst:.2f} between the two, so that the update is off. Weights "
        "in float32 mend it.",
    )
