"""The rules that hold for every workflow, wherever it came from: a text, JSON or a form."""

from __future__ import annotations

from collections.abc import Iterable

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.draft import Draft
from autoflow.lang.formatter import canonical
from autoflow.lang.lines import CONTROL, Span
from autoflow.lang.names import quoted
from autoflow.lang.page import Page, no_steps, read_comment
from autoflow.lang.reach import Reach
from autoflow.lang.targets import Targets
from autoflow.lang.workflow import Step, Workflow, fold, is_next


def check(workflow: Workflow) -> tuple[Diagnostic, ...]:
    """What `parse` would find in the workflow's canonical text, for one that came from JSON, a form or code.

    Positions refer to that text (`format_workflow(workflow)`). No fix is offered, as there is no text to mend; a colon
    where the text could not hold it is an error.
    """
    plain = canonical(workflow)
    page, lines = _placed(plain)
    if not lines:
        return without_steps(page, "")
    rules = Rules(page, lines, [step.name for step in plain.steps])
    for step, raw, line in zip(plain.steps, workflow.steps, lines, strict=True):
        draft = _draft(step, line)
        page.found.add((*_controls(draft, raw), *check_fields(draft), *_marks(draft), *_pairs(draft)))
        rules.add(draft)
    return rules.conclude()


class Rules:
    """The rules on drafts that are added one after the other, and on the whole that they make."""

    def __init__(self, page: Page, lines: list[int], names: list[str]) -> None:
        self._page = page
        self._reach = Reach()
        self.targets = Targets(names, lines, page.lost)

    def add(self, draft: Draft) -> None:
        """Check a draft whose branches were read. Targets get the spelling of their step."""
        found = self._page.found
        if draft.sound:
            found.add(check_type(draft))
        else:
            draft.open = True
        position = len(self._reach.ways)
        found.add(self.targets.check(draft, position))
        apart = self.targets.is_duplicate(position) or draft.unusable or not draft.name.text
        self._reach.add(draft, apart)

    def conclude(self) -> tuple[Diagnostic, ...]:
        """All that was found, in the order of the text."""
        self._page.found.add(self._reach.check(self._page.lost.values()))
        return self._page.found.in_order()


def without_steps(page: Page, first_line: str) -> tuple[Diagnostic, ...]:
    """What is said where there is no step: just that, unless lines that lack fields explain it."""
    return page.found.in_order() if page.lost else (no_steps(first_line),)


def _placed(workflow: Workflow) -> tuple[Page, list[int]]:
    """What the comments are, and the lines on which the canonical text holds the steps."""
    page = Page()
    lines: list[int] = []
    waiting = iter(workflow.comments)
    comment = next(waiting, None)
    for position in range(len(workflow.steps) + 1):
        while comment and comment.before <= position:
            read_comment(page, len(lines) + len(page.comments) + 1, comment.text, len(lines))
            comment = next(waiting, None)
        lines.append(len(lines) + len(page.comments) + 1)
    return page, lines[:-1]


def _draft(step: Step, line: int) -> Draft:
    """The step's fields where `format_step` puts them."""
    name = Span(step.name, 0, len(step.name))
    word = Span(step.type, name.end + 3, name.end + 3 + len(step.type))
    instruction = Span(step.instruction, word.end + 3, word.end + 3 + len(step.instruction))
    place = instruction.end + 3
    parts = []
    for branch in step.branches:
        key = Span(branch.key, place, place + len(branch.key))
        place = key.end + (2 if branch.key else 0)
        parts += [key, Span(branch.target, place, place + len(branch.target))]
        place += len(branch.target) + 2
    return Draft(line, name, word, instruction, parts, fixable=False)


def _controls(draft: Draft, raw: Step) -> Iterable[Diagnostic]:
    parts = [raw.name, raw.type, raw.instruction, *(text for b in raw.branches for text in (b.key, b.target))]
    if any("\n" in text or CONTROL.search(text) for text in parts):
        message = f"a line break or control character in {draft.title} is read as a space"
        yield draft.report("control-character", draft.place, message, "put a space in its place")


def _marks(draft: Draft) -> Iterable[Diagnostic]:
    """Colons where the text would take them for separators. (A target with such a colon means no step.)"""
    if not draft.unusable and draft.name.text != draft.name.text.strip(": "):
        message = f"the name {draft.title} begins or ends with `:`, which separates fields"
        yield draft.report("reserved-mark", draft.name, message, "leave it out")
    if draft.instruction.text.startswith(":") or ":::" in draft.instruction.text:
        message = f"the instruction of {draft.title} begins with `:` or holds `:::`, which separates fields"
        yield draft.report("reserved-mark", draft.instruction, message, "leave it out, or write `:`")
    for key in draft.parts[::2]:
        if "::" in key.text or key.text != key.text.strip(": "):
            message = f"the key {quoted(key.text)} holds `::`, or begins or ends with `:`, which separates branches"
            yield draft.report("reserved-mark", key, message, "leave it out")


def _pairs(draft: Draft) -> Iterable[Diagnostic]:
    for key, target in draft.pairs:
        if key.text and target.text:
            continue
        draft.sound = False
        if target.text and len(draft.parts) == 2:
            draft.paired = False
            message, hint = f"{quoted(target.text)} has no key", "a branch is a pair `key::NAME`"
            yield draft.report("missing-key", target, message, hint)
        else:
            message = f"a branch of {draft.title} has no {'target' if key.text else 'key'}"
            where = key._replace(end=max(target.end, key.start + 1))
            yield draft.report("empty-branch", where, message, "a branch is a pair `key::NAME`")
        return


def check_fields(draft: Draft) -> Iterable[Diagnostic]:
    """Name, type and instruction. (Names used twice are found by `Targets`.)"""
    if not draft.name.text:
        hint = "write a name in front of the first `:::`"
        yield draft.report("empty-name", draft.place, "this step has no name", hint)
    if draft.unusable:
        message = f"the name {draft.title} begins with `#` or holds `::`, so that no branch can lead to it"
        yield draft.report("reserved-mark", draft.name, message, "give the step another name")
    if draft.type is None:
        yield _unknown_type(draft)
    if not draft.instruction.text:
        where = Span("", draft.instruction.start - 3, draft.instruction.start)
        yield draft.report("empty-instruction", where, f"{draft.title} has no instruction", "say in words what it does")


def _unknown_type(draft: Draft) -> Diagnostic:
    word = draft.word
    if not word.text:
        where = Span("", word.start - 3, word.start)
        message, hint = f"{draft.title} has no type", "a type is `process`, `decision` or `terminal`"
        return draft.report("unknown-type", where, message, hint)
    message = f"{quoted(word.text)} is no type of step"
    hint = "types are `process`, `decision` and `terminal`"
    if draft.kind is None:
        return draft.report("unknown-type", word, message, hint)
    return draft.report("unknown-type", word, message, f"{hint}; did you mean `{draft.kind}`?", (word, draft.kind))


def check_type(draft: Draft) -> Iterable[Diagnostic]:
    """The number and the keys of a step's branches, by its type."""
    if draft.kind == "process":
        return _process(draft)
    if draft.kind == "decision":
        return _decision(draft)
    if draft.kind == "terminal":
        return _terminal(draft)
    draft.open = True
    return ()


def _process(draft: Draft) -> Iterable[Diagnostic]:
    if not draft.parts:
        draft.open = True
        hint = "write `:::next::NAME` at its end, or make it a `terminal` if it is the last"
        yield draft.report("process-branches", draft.word, f"{draft.title} is a process and has no branch", hint)
        return
    key, target = draft.parts[:2]
    if len(draft.parts) > 2:
        same = all(fold(other.text) == fold(target.text) for other in draft.parts[3::2])
        fix = (_whole(draft), f"next::{target.text}") if same else None
        message = f"{draft.title} is a process and has {len(draft.parts) // 2} branches"
        only = f"they lead to the same step: write {quoted('next::' + target.text)}"
        hint = only if same else "a process has one, `next::NAME`; only a `decision` has several"
        yield draft.report("process-branches", _whole(draft), message, hint, fix)
    elif not is_next(key.text):
        message = f"{draft.title} is a process, and its branch is called {quoted(key.text)}"
        hint = "the one branch of a process is called `next`"
        yield draft.report("process-branches", key, message, hint, (key, "next"))


def _decision(draft: Draft) -> Iterable[Diagnostic]:
    if len(draft.parts) < 4:
        draft.open = True
        count = "only one branch" if draft.parts else "no branches"
        hint = "write two or more, each `key::NAME`, joined by `::`"
        where = _whole(draft) if draft.parts else draft.word
        yield draft.report("decision-branches", where, f"{draft.title} is a decision and has {count}", hint)
        return
    seen: set[str] = set()
    for key in draft.parts[::2]:
        folded = fold(key.text)
        if folded in seen:
            message = f"{draft.title} has two branches called {quoted(key.text)}"
            yield draft.report("decision-branches", key, message, "give each branch a key of its own")
            return
        seen.add(folded)


def _terminal(draft: Draft) -> Iterable[Diagnostic]:
    if draft.parts:
        where = _whole(draft)
        count = "a branch" if len(draft.parts) == 2 else "branches"
        message = f"{draft.title} is a terminal and has {count}"
        hint = "the run ends here: leave them out, or change its type"
        yield draft.report("terminal-branches", where, message, hint, (where, ""))


def _whole(draft: Draft) -> Span:
    """From the first key to the last target."""
    return draft.area or Span("", draft.parts[0].start, draft.parts[-1].end)
