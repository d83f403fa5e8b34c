"""What an editor does to a workflow, as functions from text to text.

Comments and the lines that an operation does not concern stay as they are, byte for byte; so does the rest of a line in
which a name or a target is replaced. The operations take any text, also one with errors, and never raise: what
cannot be done is refused with diagnostics, and the text stays. Refused is what would give a step a fault of its own
that it did not have before; what concerns other steps too (a target that does not exist yet, a step that cannot be
reached) is let through, for the reader to report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from autoflow.lang.checker import check
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.edit_page import EditPage, open_page
from autoflow.lang.formatter import canonical, format_step
from autoflow.lang.names import quoted
from autoflow.lang.report import report
from autoflow.lang.workflow import Branch, Step, Workflow, fold

NEW_INSTRUCTION = "Say here what to do"

# Faults that a step has by itself, whatever the other steps are.
_OWN_FAULTS = frozenset(
    {"empty-name", "reserved-mark", "unknown-type", "empty-instruction", "process-branches", "decision-branches",
     "terminal-branches", "missing-key", "empty-branch", "odd-branches"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EditResult:
    """The text after an operation, or the text as it was, and why."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()  # why it was refused; columns refer to the line as it would have become
    index: int | None = None  # 0-based position of the step that was worked on, where it still exists

    @property
    def ok(self) -> bool:
        return not self.diagnostics


def update_step(text: str, index: int, step: Step) -> EditResult:
    """Replace step number `index` (0-based) by what a form holds. Where its name changes, references follow."""
    page = open_page(text)
    if not 0 <= index < len(page.numbers):
        return _no_such_step(text, page, index)
    old = page.workflow.steps[index]
    new = _tidy(step, page.workflow)
    known = {d.slug for d in _faults(page, index, old)}
    faults = tuple(d for d in _faults(page, index, new) if d.slug not in known)
    if faults:
        return EditResult(text, faults, index)
    if new.name != old.name:
        _rename(page, index, new.name)
        follows = fold(old.name) if old.name and page.workflow.index[fold(old.name)] == index else None
        new = _led_to(new, follows, new.name)
        old = _led_to(replace(old, name=new.name), follows, new.name)
    if new != old:
        page.lines[page.numbers[index]] = format_step(new)
    return EditResult(page.text, (), index)


def rename_step(text: str, index: int, name: str) -> EditResult:
    """Give step number `index` (0-based) another name; references follow."""
    page = open_page(text)
    if not 0 <= index < len(page.numbers):
        return _no_such_step(text, page, index)
    return update_step(text, index, replace(page.workflow.steps[index], name=name))


def add_step(text: str, after: int, step: Step | None = None) -> EditResult:
    """Add a step behind step number `after` (0-based; -1: in front of all), and link it in between.

    The branch of the step before that leads to the next line, else its first branch, leads to the new step, which
    goes on to where that branch led. Behind a terminal there is nothing to link. A `step` that is given is taken as
    it is; it gets a name and, where it is a process, a branch if it has none.
    """
    page = open_page(text)
    if not -1 <= after < max(1, len(page.numbers)):
        return _no_such_step(text, page, after)
    after = after if page.numbers else -1
    place = _branch_on(page, after)
    way = _way_on(page, after, place)
    new = _tidy(step or Step("", "process" if way else "terminal", NEW_INSTRUCTION), page.workflow)
    new = replace(new, name=new.name or _fresh_name(page.workflow))
    if way and new.type == "process" and not new.branches:
        new = replace(new, branches=(Branch("next", way),))
    faults = tuple(_faults(page, -1, new))
    if faults:
        return EditResult(text, faults)
    if place is not None and any(fold(branch.target) == fold(way) for branch in new.branches):
        page.replace(after, [page.target_spans(after)[place]], new.name)
    page.insert(_line_after(page, after), format_step(new))
    return EditResult(page.text, (), after + 1)


def delete_step(text: str, index: int, rejoin: bool = True) -> EditResult:
    """Delete step number `index` (0-based).

    With `rejoin`, branches that lead to it lead to where it led: its first branch that leads to another step. Without,
    and where it leads nowhere, they are left for the reader to report.
    """
    page = open_page(text)
    if not 0 <= index < len(page.numbers):
        return _no_such_step(text, page, index)
    step = page.workflow.steps[index]
    places = ((page.workflow.index.get(fold(branch.target)), branch.target) for branch in step.branches)
    heir = next((target for place, target in places if place not in (None, index)), None)
    if rejoin and heir is not None and page.workflow.index[fold(step.name)] == index and step.name:
        page.retarget(step.name, heir, but=index)
    del page.lines[page.numbers[index]], page.ends[page.numbers[index]]
    return EditResult(page.text)


def move_step(text: str, index: int, to: int) -> EditResult:
    """Move step number `index` to position `to` (both 0-based; beyond the ends: the end). Comments stay in place.

    The first step is the entry: moving another one there changes where runs begin.
    """
    page = open_page(text)
    if not 0 <= index < len(page.numbers):
        return _no_such_step(text, page, index)
    to = min(max(to, 0), len(page.numbers) - 1)
    lines = [page.lines[number] for number in page.numbers]
    lines.insert(to, lines.pop(index))
    for number, line in zip(page.numbers, lines, strict=True):
        page.lines[number] = line
    return EditResult(page.text, (), to)


def _no_such_step(text: str, page: EditPage, index: int) -> EditResult:
    count = len(page.numbers)
    message = f"there is no step number {index + 1}: the workflow has {count}"
    return EditResult(text, (report("unknown-target", 1, 0, 0, message, "the text has changed: look again"),))


def _tidy(step: Step, workflow: Workflow) -> Step:
    """The step as the language writes it: one line a field, targets spelt as the steps they mean."""
    plain = canonical(Workflow((step,))).steps[0]
    found = ((branch.key, branch.target, workflow.find(branch.target)) for branch in plain.branches)
    branches = tuple(Branch(key, meant.name if meant else target) for key, target, meant in found)
    return replace(plain, branches=branches)


def _faults(page: EditPage, index: int, step: Step) -> Iterable[Diagnostic]:
    """What is wrong with a step by itself, if it stood at `index` (-1: nowhere yet)."""
    line = page.numbers[index] + 1 if index >= 0 else len(page.lines) + 1
    for found in check(Workflow((step,))):
        if found.slug in _OWN_FAULTS:
            yield replace(found, line=line)
    if step.name and page.workflow.index.get(fold(step.name), index) != index:
        message = f"{quoted(step.name)} is already the name of another step"
        yield report("duplicate-name", line, 0, len(step.name), message, "give one of the two another name")


def _rename(page: EditPage, index: int, name: str) -> None:
    """Write another name; branches follow where they mean this step and not an earlier one of the same name."""
    old = page.workflow.steps[index].name
    if old and page.workflow.index[fold(old)] == index and fold(old) != fold(name):
        page.retarget(old, name)
    page.replace(index, [page.name_span(index)], name)


def _led_to(step: Step, old: str | None, new: str) -> Step:
    """The step with its branches to `old` (folded) leading to `new`."""
    branches = (Branch(b.key, new if fold(b.target) == old else b.target) for b in step.branches)
    return replace(step, branches=tuple(branches))


def _branch_on(page: EditPage, after: int) -> int | None:
    """Which branch of a step a new one is put into: the one to the next line, else the first."""
    branches = page.workflow.steps[after].branches if after >= 0 else ()
    if not branches or len(branches) != len(page.target_spans(after)) or not all(b.target for b in branches):
        return None
    places = (place for place, b in enumerate(branches) if page.workflow.index.get(fold(b.target)) == after + 1)
    return next(places, 0)


def _way_on(page: EditPage, after: int, place: int | None) -> str:
    """Where a new step goes on to; "" for nowhere."""
    steps = page.workflow.steps
    if place is not None:
        return steps[after].branches[place].target
    following = steps[after + 1 : after + 2] if after < 0 or not steps[after].is_terminal else ()
    return following[0].name if following else ""


def _fresh_name(workflow: Workflow) -> str:
    """`Step 7` where 6 is the highest number in use; no branch leads to that name yet."""
    used = set(workflow.index) | {fold(branch.target) for step in workflow.steps for branch in step.branches}
    numbers = [int(found[1]) for name in used if (found := re.fullmatch(r"step ([0-9]{1,9})", name))]
    return f"Step {max(numbers, default=0) + 1}"


def _line_after(page: EditPage, after: int) -> int:
    """Which line a new step becomes: behind step `after`, in front of the first, or at the end."""
    if after >= 0:
        return page.numbers[after] + 1
    return page.numbers[0] if page.numbers else len(page.lines)
