"""The first pass over a text: which lines are steps, and which are comments."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.lines import CONTROL, Bounds, Span, edit, split_fields, trimmed, without_colons
from autoflow.lang.names import quoted
from autoflow.lang.report import Findings, report
from autoflow.lang.workflow import STEP_TYPES, Comment, fold

Row = tuple[int, str, Bounds]  # number of a line that is a step, the line, its fields


@dataclass(slots=True)
class Page:
    """What the first pass finds.

    Of each step only plain tuples, strings and numbers are kept, until it is read: with 100,000 of them, every object
    that lives on costs the garbage collector's time, and those it does not look at.
    """

    rows: list[Row] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of the steps
    comments: list[Comment] = field(default_factory=list)
    found: Findings = field(default_factory=Findings)
    lost: dict[str, int] = field(default_factory=dict)  # folded names of lines with two fields -> steps before them


def read_lines(lines: list[str], found: Findings) -> Page:
    """Sort the lines of a text into steps and comments."""
    page = Page(found=found)
    for number, line in enumerate(lines, 1):
        control = None if line.isprintable() else CONTROL.search(line)
        if control:
            raw, line = line, CONTROL.sub(" ", line)
            if found.room("control-character"):
                found.keep(_control(number, raw, line, control.start()))
        bounds = step_fields(line) if ":::" in line else ()
        if len(bounds) < 3:
            read_comment(page, number, line, len(page.rows))
        else:
            page.rows.append((number, line, bounds))
            page.names.append(without_colons(line, *bounds[0]).text)
    return page


def step_fields(line: str) -> Bounds:
    """The ranges of a line's fields: a step has three or more, a comment none.

    In a line with a `:::`, a `::` in front of a type separates too (`Step 1::process:::...`); it leaves a gap of two.
    """
    if ":::" not in line or line.lstrip().startswith("#"):
        return ()
    bounds = split_fields(line)
    start, end = bounds[0]
    place = line.rfind("::", start, end)
    if place >= 0 and fold(line[place + 2 : end]) in STEP_TYPES:
        return ((start, place), (place + 2, end), *bounds[1:])
    return bounds


def read_comment(page: Page, number: int, line: str, before: int) -> None:
    """Keep a line that is no step, `before` steps in front of it; say so where it was not meant as a comment."""
    text = line.rstrip()
    last = page.comments[-1] if page.comments else None
    same = last if last and last.before == before and last.text == text else None
    page.comments.append(same or Comment(text, before))  # millions of blank lines are one object
    if text.lstrip()[:1] in ("", "#"):
        return
    slug = "missing-field" if ":::" in text else "prose"
    if slug == "missing-field":
        page.lost.setdefault(fold(without_colons(line, *split_fields(line)[0]).text), before)
    if page.found.room(slug):
        where = trimmed(line, 0, len(line))
        page.found.keep(_missing_field(number, where) if slug == "missing-field" else _prose(number, where))


def _prose(number: int, where: Span) -> Diagnostic:
    message = "this line is no step: it is kept as a comment"
    return report("prose", number, where.start, where.end, message, "begin comments with `#`")


def _missing_field(number: int, where: Span) -> Diagnostic:
    message = f"{quoted(where.text)} has two fields; a step has a name, a type, an instruction and branches"
    hint = "write `name:::type:::instruction:::branches`, or begin the line with `#`"
    return report("missing-field", number, where.start, where.end, message, hint)


def _control(number: int, raw: str, line: str, first: int) -> Diagnostic:
    """`line` is the `raw` one with spaces in place of control characters, the first of which stands at `first`."""
    last = next(place for place in range(len(raw), first, -1) if raw[place - 1] != line[place - 1])
    message = f"the control character U+{ord(raw[first]):04X} is read as a space"
    fix = edit(number, first, last, line[first:last])
    return report("control-character", number, first, first + 1, message, "put a space in its place", fix)


def no_steps(first_line: str) -> Diagnostic:
    """The one thing to say of a text without steps."""
    hint = "write one step a line: `name:::type:::instruction:::branches`"
    return report("no-steps", 1, 0, len(first_line), "there is no step in this text", hint)
