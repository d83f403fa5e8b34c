"""What a sampled workflow is worth before it is run: syntax comes first, then being more than a copy of the example.

A model that learns by sampling needs a slope to climb: all the way from prose to a workflow without errors there is a
little more to earn, and less than for one that runs. Graded by the parser and checker themselves, since a looser
reward is gamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from autoflow.lang import ParseResult, Workflow, fold, parse
from autoflow.study import RewardSpec

NOVELTY = 0.3  # edit distance from the example below which a workflow of the same structure is a copy


@dataclass(frozen=True, slots=True)
class Grade:
    """Of one text. It counts, and is worth a run, where it has neither error nor is a copy."""

    error: str = ""  # the first one
    copied: bool = False
    sound: float = 1.0  # how much of its steps has no error, in [0, 1]; 0 where there is no step

    @property
    def counts(self) -> bool:
        return not self.error and not self.copied

    def penalty(self, spec: RewardSpec, copied: float) -> float:
        """The reward of a text that does not count; higher is better.

        From `spec.no_steps` for prose up to `spec.errors` for one error among many sound steps; `copied` for a copy.
        """
        return copied if not self.error else spec.no_steps + (spec.errors - spec.no_steps) * self.sound


def grade(text: str, example: str, *, ended: bool = True, novelty: float = NOVELTY) -> Grade:
    """Grade a text as it was sampled, unrepaired.

    Args:
        example: the workflow that the prompt shows.
        ended: the model ended the text by itself; one that was cut off is not whole, whatever the parser says.
    """
    found = parse(text)
    if not found.workflow.steps:
        return Grade(error=found.errors[0].message if found.errors else "There is no step.", sound=0.0)
    error = found.errors[0].message if found.errors else "" if ended else "It does not end."
    if error:
        return Grade(error=error, sound=_sound(found))
    return Grade(copied=not differs(found.workflow, parse(example).workflow, novelty))


def shared_out(rewards: Sequence[float], texts: Sequence[str], repeated: float) -> list[float]:
    """Of a text that was drawn several times in a step the reward is earned once, and `repeated` for every other time.

    Each of them is given the mean of that. Without it nothing holds variety up: whatever text first earns most is soon
    the only one. What earns less than `repeated` anyway is left as it is: there, alike is no worse.
    """
    times = Counter(texts)
    return [
        reward if reward <= repeated else (reward + (times[text] - 1) * repeated) / times[text]
        for reward, text in zip(rewards, texts, strict=True)
    ]


def differs(a: Workflow, b: Workflow, novelty: float = NOVELTY) -> bool:
    """Whether two workflows are built differently, or have instructions at least `novelty` apart."""
    return structure(a) != structure(b) or distance(a, b) >= novelty


def structure(workflow: Workflow) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
    """Type of each step and the positions that its branches lead to; whatever the steps are called."""
    return tuple(
        (fold(step.type), tuple(workflow.index.get(fold(branch.target)) for branch in step.branches))
        for step in workflow.steps
    )


def distance(a: Workflow, b: Workflow) -> float:
    """Normalized edit distance of all instructions, in [0, 1]: 0 the same, 1 nothing in common."""
    first, second = ("\n".join(step.instruction for step in workflow.steps) for workflow in (a, b))
    return float(Levenshtein.normalized_distance(first, second))


def _sound(found: ParseResult) -> float:
    """Above 0, as there are steps; below 1, as there is an error, if only of the whole."""
    wrong = {error.line for error in found.errors}
    steps = found.workflow.steps
    return (sum(step.line not in wrong for step in steps) + 1) / (len(steps) + 2)
