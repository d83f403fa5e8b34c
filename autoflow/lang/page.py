"""The first pass over a text: which lines are steps, and which are comments."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoflow.lang.catalogue import report
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.lines import CONTROL, Span, edit, split_fields, trimmed, without_colons
from autoflow.lang.names import quoted
from autoflow.lang.workflow import STEP_TYPES, Comment, fold

Bounds = list[tuple[int, int]]


@dataclass(slots=True)
class Row:
    """A line that is a step: at least three fields."""

    number: int
    line: str
    bounds: Bounds
    name: Span
    joined: Span | None = None  # the `::` between name and type that is read as `:::`


@dataclass(slots=True)
class Page:
    """What the first pass finds."""

    rows: list[Row] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)  # folded names of lines with two fields -> steps before them
    first_line: str = ""


def read_lines(lines: list[str]) -> Page:
    """Sort the lines of a text into steps and comments, and split the steps into fields."""
    page = Page(first_line=lines[0] if lines else "")
    for number, line in enumerate(lines, 1):
        control = None if line.isprintable() else CONTROL.search(line)
        if control:
            page.found.append(_control(number, line, control.start()))
            line = CONTROL.sub(" ", line)
        row = read_line(page, number, line, len(page.rows))
        if row:
            page.rows.append(row)
    return page


def read_line(page: Page, number: int, line: str, before: int) -> Row | None:
    """A step's fields; any other line goes to the page's comments, `before` steps in front of it."""
    if ":::" not in line or line.lstrip().startswith("#"):
        page.comments.append(Comment(line.rstrip(), before))
        _read_comment(page, number, line)
        return None
    bounds = split_fields(line)
    if len(bounds) < 3:
        page.comments.append(Comment(line.rstrip(), before))
        _missing_field(page, number, line, before)
        return None
    joined = _joined(line, *bounds[0])
    if joined:
        bounds[:1] = [(0, joined.start), (joined.end, bounds[0][1])]
    return Row(number, line, bounds, without_colons(line, *bounds[0]), joined)


def _control(number: int, line: str, first: int) -> Diagnostic:
    last = max(place.end() for place in CONTROL.finditer(line))
    message = f"the control character U+{ord(line[first]):04X} is read as a space"
    fix = edit(number, first, last, CONTROL.sub(" ", line[first:last]))
    return report("control-character", number, first, first + 1, message, "put a space in its place", fix)


def _read_comment(page: Page, number: int, line: str) -> None:
    where = trimmed(line, 0, len(line))
    if where.text and not where.text.startswith("#"):
        message = "this line is no step: it is kept as a comment"
        page.found.append(report("prose", number, where.start, where.end, message, "begin comments with `#`"))


def _missing_field(page: Page, number: int, line: str, before: int) -> None:
    start, end = split_fields(line)[0]
    page.lost.setdefault(fold(without_colons(line, start, end).text), before)
    where = trimmed(line, 0, len(line))
    message = f"{quoted(where.text)} has two fields; a step has a name, a type, an instruction and branches"
    hint = "write `name:::type:::instruction:::branches`, or begin the line with `#`"
    page.found.append(report("missing-field", number, where.start, where.end, message, hint))


def _joined(line: str, start: int, end: int) -> Span | None:
    """The `::` in the first field, where a type follows it: `Step 1::process:::...`."""
    place = line.rfind("::", start, end)
    if place < 0 or fold(line[place + 2 : end]) not in STEP_TYPES:
        return None
    return Span("::", place, place + 2)


def no_steps(first_line: str) -> Diagnostic:
    """The one thing to say of a text without steps."""
    hint = "write one step a line: `name:::type:::instruction:::branches`"
    return report("no-steps", 1, 0, len(first_line), "there is no step in this text", hint)
