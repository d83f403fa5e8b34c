"""Reading CoRE: every text gives a `ParseResult`, whatever is wrong with it; nothing raises, and the time is linear.

What a workflow holds is canonical already: types in lower case, one space for runs of white space, targets spelt as the
name of their step. So `parse(format(w)).workflow == w` holds for every workflow without errors that came from a text;
only the layout of the text (spaces around separators, spelling of types and targets) is not part of the workflow.

The text is read in three passes: lines into fields (which gives the names), fields into steps (which branches mean
what depends on the names), steps into a checked graph. Wherever a fix is offered, the line is read as if it had been
applied; that is why applying it changes nothing else.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from autoflow.errors import WorkflowError
from autoflow.lang.branches import Area, area_start, read_area
from autoflow.lang.checker import Rules, check_fields, without_steps
from autoflow.lang.diagnostics import Diagnostic, ParseResult
from autoflow.lang.draft import Draft
from autoflow.lang.lines import Bounds, Span, split_lines, trimmed, without_colons, without_leading_colons
from autoflow.lang.names import guess_type, quoted
from autoflow.lang.page import Row, read_lines
from autoflow.lang.pause import collector_paused
from autoflow.lang.render import render
from autoflow.lang.report import MOST, Findings
from autoflow.lang.workflow import Step, Workflow, fold


class WorkflowSyntaxError(WorkflowError):
    """A text has errors. `result` holds what could be read; `str()` renders every error as a compiler would."""

    def __init__(self, result: ParseResult, filename: str) -> None:
        count = len(result.errors)
        least = "at least " if count >= MOST else ""  # of a kind no more are listed
        super().__init__(f"{filename} has {least}{count:,} {'error' if count == 1 else 'errors'}.")
        self.result = result
        self.filename = filename

    def __str__(self) -> str:
        only_errors = ParseResult(self.result.workflow, self.result.errors, self.result.text)
        return f"{self.message}\n{render(only_errors, self.filename)}"


def parse(text: str, most: int = MOST) -> ParseResult:
    """Read a workflow. Never raises; positions refer to `ParseResult.text`, the text without its byte order mark.

    Of each slug at most `most` (>= 1) findings are listed; the last of them says how many more there are.
    """
    with collector_paused(len(text)):
        workflow, found = _read(split_lines(text), Findings(most))
    return ParseResult(workflow, found, text.removeprefix("\ufeff"))


def _read(lines: list[str], findings: Findings) -> tuple[Workflow, tuple[Diagnostic, ...]]:
    page = read_lines(lines, findings)
    if not page.rows:
        return Workflow((), tuple(page.comments)), without_steps(page, lines[0] if lines else "")
    rules = Rules(page, [number for number, _, _ in page.rows], page.names)
    steps: list[Step] = []
    for row in page.rows:
        draft = _read_step(row, rules.targets, findings)
        rules.add(draft)
        steps.append(draft.step())
    return Workflow(tuple(steps), tuple(page.comments)), rules.conclude()


def parse_strict(text: str, filename: str = "workflow.core") -> Workflow:
    """Read a workflow that must be free of errors. Raises WorkflowSyntaxError, which names each of them."""
    result = parse(text)
    if not result.ok:
        raise WorkflowSyntaxError(result, filename)
    return result.workflow


def _read_step(row: Row, known: Container[str], found: Findings) -> Draft:
    """Read one step, and add to `found` what is wrong with its fields. `known`: folded names of steps."""
    number, line, bounds = row
    name, word = without_colons(line, *bounds[0]), trimmed(line, *bounds[1])
    first = area_start(line, bounds, guess_type(word.text), known)
    instruction, separated = _instruction(line, bounds[2:first])
    draft = Draft(number, name, word, instruction)
    found.add(check_fields(draft))
    if bounds[0] != name[1:] or bounds[1][0] - bounds[0][1] < 3:
        found.add(_name_marks(draft, line, bounds))
    if separated or bounds[2][0] != instruction.start:
        found.add(_instruction_marks(draft, line, bounds, separated))
    if first is None:
        found.add(_missing_branches(draft, line))
    else:
        found.add(_branches(draft, line, read_area(line, bounds[first][0], known), known))
    return draft


def _instruction(line: str, bounds: Bounds) -> tuple[Span, bool]:
    """The instruction, and whether it holds `:::`, which is read as `:`."""
    start, end = bounds[0][0], bounds[-1][1]
    if len(bounds) == 1:
        return without_leading_colons(line, start, end), False
    pieces: list[str] = []
    for bound in bounds:
        if bound[0] == bound[1]:
            continue
        piece = trimmed(line, *bound) if pieces else without_leading_colons(line, *bound)
        if piece.text:
            touching = pieces and (pieces[-1].endswith(":") or piece.text.startswith(":"))
            pieces += [" " if touching else ":", piece.text] if pieces else [piece.text]
    where = trimmed(line, start, end)
    return where._replace(text="".join(pieces)), bool(pieces)


def _instruction_marks(draft: Draft, line: str, bounds: Bounds, separated: bool) -> Iterable[Diagnostic]:
    if separated:
        mark = Span("", bounds[2][1], bounds[3][0])
        message = f"the instruction of {draft.title} holds `:::`, which separates fields"
        fix = (draft.instruction, draft.instruction.text)
        yield draft.report("instruction-separator", mark, message, "it is read as `:`", fix)
        return
    start = bounds[2][0]
    if draft.instruction.text and line.find(":", start, draft.instruction.start) >= 0:
        colons = Span("", line.index(":", start), draft.instruction.start)
        message = f"the instruction of {draft.title} begins with `:`, which would be taken for a separator"
        yield draft.report("reserved-mark", colons, message, "leave it out", (colons, ""))


def _name_marks(draft: Draft, line: str, bounds: Bounds) -> Iterable[Diagnostic]:
    if bounds[1][0] - bounds[0][1] < 3:
        joined = Span("", bounds[0][1], bounds[1][0])
        message = f"`::` stands between the name and the type of {draft.title}, where `:::` belongs"
        yield draft.report("reserved-mark", joined, message, "write `:::`", (joined, ":::"))
    whole = trimmed(line, *bounds[0])
    if draft.name.text and not draft.unusable and len(whole.text) > len(draft.name.text):
        message = f"the name {quoted(whole.text)} begins or ends with `:`"
        yield draft.report("reserved-mark", whole, message, f"it is read as {draft.title}", (whole, draft.name.text))


def _missing_branches(draft: Draft, line: str) -> Iterable[Diagnostic]:
    if draft.kind == "terminal" and draft.instruction.text:
        end = Span("", len(line), len(line))
        message = f"{draft.title} is a terminal, and its line does not end in `:::`"
        yield draft.report("missing-branches", draft.instruction, message, "write `:::` at its end", (end, ":::"))


def _branches(draft: Draft, line: str, area: Area, known: Container[str]) -> Iterable[Diagnostic]:
    """The faults of a line's branches in the order of precedence; `draft.parts` is what they are read as."""
    draft.area = area.whole
    if area.separator or area.stray:
        yield _separators(draft, line, area)
    parts = area.parts
    if len(parts) == 1:
        yield _missing_key(draft, parts[0], fold(parts[0].text) in known)
        return
    draft.paired = len(parts) % 2 == 0
    draft.parts = parts if draft.paired else [*parts, Span("", area.whole.end, area.whole.end)]
    texts = [part.text for part in parts]
    if "" in texts:
        draft.sound = False
        yield _empty_branch(draft, area, texts.index(""))
    elif not draft.paired:
        draft.sound = False
        message = f"the branches of {draft.title} make no pairs: {len(parts)} parts"
        yield draft.report("odd-branches", area.whole, message, "write them as `key::NAME`, joined by `::`")


def _separators(draft: Draft, line: str, area: Area) -> Diagnostic:
    fix = (area.whole, area.mended)
    hint = f"write {quoted(fix[1])}"
    if area.separator:
        shown = line[area.separator.start : area.separator.end]
        message = f"{quoted(shown)} stands between the branches of {draft.title}, where `::` belongs"
        return draft.report("branch-separator", area.separator, message, hint, fix)
    message = f"a key or a target of {draft.title} begins or ends with `:`"
    return draft.report("reserved-mark", area.stray or area.whole, message, hint, fix)


def _missing_key(draft: Draft, target: Span, known: bool) -> Diagnostic:
    start = Span("", target.start, target.start)
    certain = draft.kind == "process" and known
    draft.parts = [start._replace(text="next" if certain else ""), target]
    draft.sound = draft.paired = certain
    message = f"{quoted(target.text)} has no key: a branch of {draft.title} is a pair `key::NAME`"
    return draft.report(
        "missing-key", target, message, _key_hint(draft, target), (start, "next::") if certain else None
    )


def _key_hint(draft: Draft, target: Span) -> str:
    if draft.kind == "terminal":
        return "a terminal has no branches: leave it out"
    return f"write {quoted('next::' + target.text)}" if draft.kind == "process" else "write the key in front of it"


def _empty_branch(draft: Draft, area: Area, place: int) -> Diagnostic:
    """On the `::` beside the part that is missing."""
    parts = area.parts
    start = parts[place - 1].end if place else area.whole.start
    end = parts[place + 1].start if place + 1 < len(parts) else area.whole.end
    message = f"a branch of {draft.title} has no {'target' if place % 2 else 'key'}"
    return draft.report("empty-branch", Span("", start, end), message, "a branch is a pair `key::NAME`")
