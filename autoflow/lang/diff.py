"""What changed between two workflows, by step and not by line.

A step keeps its identity through a change of its words, its name or its place. Steps are paired in three rounds: same
name and same content, then same content under another name (so a step inserted in front of numbered ones does not make
every later step look changed), then same name. Content is type and instruction; where it occurs several times, the k-th
is paired with the k-th. Targets are compared by the step they mean, so references that follow a rename are no change.

Time is n log n in the number of steps. Swapping the sides mirrors the result.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autoflow.lang.formatter import format_branch, format_step
from autoflow.lang.jsonform import step_to_json
from autoflow.lang.workflow import Comment, Step, Workflow, fold

Change = Literal["added", "removed", "renamed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field (name, type, instruction or branches) before and after; branches as CoRE writes them."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepDiff:
    """One step that is not the same on both sides. A side that is None does not have it."""

    before: Step | None
    after: Step | None
    before_position: int | None  # 1-based place among the steps
    after_position: int | None
    fields: tuple[FieldChange, ...] = ()
    moved: bool = False  # its place relative to the other steps changed

    @property
    def changes(self) -> tuple[Change, ...]:
        """What happened to it; empty where both sides say the same."""
        if self.before is None:
            return ("added",)
        if self.after is None:
            return ("removed",)
        named = any(f.field == "name" for f in self.fields)
        changed = any(f.field != "name" for f in self.fields)
        happened: dict[Change, bool] = {"renamed": named, "changed": changed, "moved": self.moved}
        return tuple(change for change, true in happened.items() if true)


@dataclass(frozen=True, slots=True)
class WorkflowDiff:
    """All steps that differ, in the order of the new workflow, and the comments on one side only."""

    steps: tuple[StepDiff, ...] = ()
    comments_added: tuple[str, ...] = ()
    comments_removed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.steps or self.comments_added or self.comments_removed)

    @property
    def counts(self) -> dict[Change, int]:
        """How many steps were added, removed, renamed, changed, moved; a step may count more than once."""
        return dict(Counter(change for step in self.steps for change in step.changes))


def diff(a: Workflow, b: Workflow) -> WorkflowDiff:
    """How to get from `a` to `b`. Empty where both say the same, whatever their white space."""
    pairs = pair_steps(a.steps, b.steps)
    moved = _moved(a, b, pairs)
    kept = set(pairs.values())
    found = [_compare(a, b, i, j, pairs, i in moved) for i, j in pairs.items()]
    found += [StepDiff(None, s, None, j + 1) for j, s in enumerate(b.steps) if j not in kept]
    keyed = [(d.after_position or 0, 0, d) for d in found if d.changes]
    after = 0  # where a removed step stood: after this step of `b`
    for i, step in enumerate(a.steps):
        after = pairs[i] + 1 if i in pairs else after
        if i not in pairs:
            keyed.append((after, i + 1, StepDiff(step, None, i + 1, None)))
    keyed.sort(key=lambda k: k[:2])
    gone, new = _comment_lines(a.comments), _comment_lines(b.comments)
    return WorkflowDiff(tuple(d for *_, d in keyed), _surplus(new, gone), _surplus(gone, new))


def _content(step: Step) -> tuple[str, str]:
    return step.type.casefold(), " ".join(step.instruction.split())


def pair_steps(a: Sequence[Step], b: Sequence[Step]) -> dict[int, int]:
    """Position in `a` -> position in `b` of the same step; steps that only one side has are left out."""
    pairs: dict[int, int] = {}
    left, right = list(range(len(a))), list(range(len(b)))
    for key in (_name_and_content, _content_unless_empty, _name):
        places: dict[object, list[int]] = {}
        for j in reversed(right):
            places.setdefault(key(b[j]), []).append(j)
        places.pop(None, None)
        for i in left:
            if found := places.get(key(a[i])):
                pairs[i] = found.pop()
        taken = set(pairs.values())
        left = [i for i in left if i not in pairs]
        right = [j for j in right if j not in taken]
    return pairs


def _name(step: Step) -> object:
    return fold(step.name)


def _name_and_content(step: Step) -> object:
    return fold(step.name), _content(step)


def _content_unless_empty(step: Step) -> object:
    """None, which is paired with nothing, where there are no words to know the step by."""
    return _content(step) if step.instruction.strip() else None


def _compare(a: Workflow, b: Workflow, i: int, j: int, pairs: dict[int, int], moved: bool) -> StepDiff:
    before, after = a.steps[i], b.steps[j]
    fields = []
    if " ".join(before.name.split()) != " ".join(after.name.split()):
        fields.append(FieldChange("name", before.name, after.name))
    if before.type.casefold() != after.type.casefold():
        fields.append(FieldChange("type", before.type, after.type))
    if _content(before)[1] != _content(after)[1]:
        fields.append(FieldChange("instruction", before.instruction, after.instruction))
    if not _same_branches(a, b, before, after, pairs):
        fields.append(FieldChange("branches", branch_text(before), branch_text(after)))
    return StepDiff(before, after, i + 1, j + 1, tuple(fields), moved)


def _same_branches(a: Workflow, b: Workflow, before: Step, after: Step, pairs: dict[int, int]) -> bool:
    """Same keys in the same order, leading to the same steps; a target that is no step is compared as text."""

    def same_target(old: str, new: str) -> bool:
        i, j = a.index.get(fold(old)), b.index.get(fold(new))
        return fold(old) == fold(new) if i is None or j is None else pairs.get(i) == j

    return len(before.branches) == len(after.branches) and all(
        fold(old.key) == fold(new.key) and same_target(old.target, new.target)
        for old, new in zip(before.branches, after.branches, strict=True)
    )


def branch_text(step: Step) -> str:
    """Its branches as CoRE writes them; "" where it has none."""
    return "::".join(map(format_branch, step.branches))


def _moved(a: Workflow, b: Workflow, pairs: dict[int, int]) -> set[int]:
    """Positions in `a` of the fewest steps that must move so that the others keep their order.

    There may be several such sets. Looking at it from the side whose text sorts first makes the choice the same for
    diff(a, b) and diff(b, a).
    """
    from_a = list(map(format_step, a.steps)) <= list(map(format_step, b.steps))
    links = sorted((i, j, i) if from_a else (j, i, i) for i, j in pairs.items())
    stay = _longest_increasing([there for _, there, _ in links])
    return {i for k, (_, _, i) in enumerate(links) if k not in stay}


def _longest_increasing(values: Sequence[int]) -> set[int]:
    """Indices of one longest increasing subsequence (patience sorting)."""
    tails: list[int] = []
    last: list[int] = []  # index into `values` of each tail
    previous: list[int] = []
    for k, value in enumerate(values):
        at = bisect_left(tails, value)
        previous.append(last[at - 1] if at else -1)
        tails[at : at + 1] = [value]
        last[at : at + 1] = [k]
    found: set[int] = set()
    k = last[-1] if last else -1
    while k >= 0:
        found.add(k)
        k = previous[k]
    return found


def _comment_lines(comments: Iterable[Comment]) -> list[str]:
    return [text for c in comments if (text := c.text.strip())]


def _surplus(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Lines of `some` that `others` does not have, as often as they are too many."""
    left = Counter(others)
    found = []
    for line in some:
        if left[line]:
            left[line] -= 1
        else:
            found.append(line)
    return tuple(found)


def render(found: WorkflowDiff) -> str:
    """The difference as text, one block a step; `+` added, `-` removed, `~` anything else."""
    if found.empty:
        return "No difference."
    lines = [", ".join(f"{n} {change}" for change, n in found.counts.items()) or "Only comments differ."]
    for step in found.steps:
        lines += _render_step(step)
    lines += [f"- comment: {line}" for line in found.comments_removed]
    lines += [f"+ comment: {line}" for line in found.comments_added]
    return "\n".join(lines)


def _render_step(d: StepDiff) -> list[str]:
    if d.before is None or d.after is None:
        return [f"{sign} {format_step(step)}" for sign, step in (("-", d.before), ("+", d.after)) if step]
    what = ", ".join(d.changes)
    place = f" from place {d.before_position} to {d.after_position}" if d.moved else ""
    lines = [f"~ {d.after.name}: {what}{place}"]
    for change in d.fields:
        lines += [f"    {change.field}:", f"      - {change.before}", f"      + {change.after}"]
    return lines


def to_json(found: WorkflowDiff) -> dict[str, Any]:
    """The difference as plain data: `{"counts", "steps", "comments": {"added", "removed"}}`."""
    return {
        "counts": found.counts,
        "steps": [
            {
                "changes": list(d.changes),
                "before": step_to_json(d.before) if d.before else None,
                "after": step_to_json(d.after) if d.after else None,
                "before_position": d.before_position,
                "after_position": d.after_position,
                "fields": [{"field": f.field, "before": f.before, "after": f.after} for f in d.fields],
            }
            for d in found.steps
        ],
        "comments": {"added": list(found.comments_added), "removed": list(found.comments_removed)},
    }
