"""Two traces beside each other: which visit of the one answers to which of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from autoflow.interpret.trace import StepView
from autoflow.lang.diff import pair_steps
from autoflow.lang.workflow import Step, fold

Aligned = tuple[StepView | None, StepView | None]


def align(steps_a: Sequence[StepView], steps_b: Sequence[StepView]) -> list[Aligned]:
    """Both traces in one list of rows: each visit once, in its order, beside a visit to the same step or beside a gap.

    Which steps are the same is said by the pairing of `autoflow.lang.diff`, over the steps that were visited: same name
    and content, else same content, else same name. Where a step was visited more often on one side, gaps stand
    for the visits too few.
    """
    twins = _twins(steps_a, steps_b)
    keys_a = [("b", twins[name]) if (name := fold(s.step)) in twins else ("a", name) for s in steps_a]
    keys_b = [("b", fold(s.step)) for s in steps_b]
    rows: list[Aligned] = []
    for what, a, to_a, b, to_b in SequenceMatcher(None, keys_a, keys_b, autojunk=False).get_opcodes():
        if what == "equal":
            rows += zip(steps_a[a:to_a], steps_b[b:to_b], strict=True)
        else:
            rows += [(step, None) for step in steps_a[a:to_a]]
            rows += [(None, step) for step in steps_b[b:to_b]]
    return rows


def _twins(a: Sequence[StepView], b: Sequence[StepView]) -> Mapping[str, str]:
    """Folded name of a step of A -> that of the same step of B."""
    first, second = _steps(a), _steps(b)
    return {fold(first[i].name): fold(second[j].name) for i, j in pair_steps(first, second).items()}


def _steps(views: Sequence[StepView]) -> list[Step]:
    """Each step that was visited, once, in the order of first visits."""
    found: dict[str, Step] = {}
    for view in views:
        found.setdefault(fold(view.step), Step(view.step, view.type, view.instruction))
    return list(found.values())
