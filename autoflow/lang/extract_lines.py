"""Taking off one line what models put around steps and their fields: list marks, bold, quotes, full-width colons.

A mark goes where it surrounds a whole line, a name, a type, a key, a target or a whole instruction; what stands inside
a field stays. Each function takes linear time.
"""

from __future__ import annotations

import re
from typing import Literal

from autoflow.lang.lines import split_fields
from autoflow.lang.workflow import STEP_TYPES, fold

Taken = Literal["wide colons", "marks", "quotes", "spaces"]

_WIDE_COLONS = re.compile("[:：﹕∶]{2,}")
_MARKS = re.compile(r"(?:(?:[-*+•‣–—>]|\(?\d{1,6}[.)]|\[[ xX]?\])\s+|\d{1,6}[.)](?=[^\W\d]))+")
# What stands before the first quotation of a line, if that is no step, and the quotation.
_QUOTED = re.compile('((?:[^`"“:]|:(?!::))*)(?:`+([^`]*)`|"([^"]*)"|“([^”]*)”)')
_LOOSE = '*`"“”„«»'  # taken away from either edge of a field, paired or not
_PAIRS = {"'": "'", "‘": "’", "_": "_", "<": ">", "[": "]", "{": "}"}  # taken away only where they surround it
_AROUND = [(mark, mark) for mark in ("**", "__", "*", "`", '"')] + [("“", "”"), ("„", "“"), ("«", "»"), ("<", ">")]
_FORM = {"type", "step type", "steptype", "kind"}  # in the place of the type: a line that shows the form of a step
_MOST_FIELDS = 1000  # of a line that is worth a look


def plain_colons(line: str) -> str:
    """Runs of two and more colons, full-width or not, as plain ones."""
    return line if line.isascii() else _WIDE_COLONS.sub(lambda run: ":" * len(run[0]), line)


def is_step(line: str) -> bool:
    """Whether the line is a step, perhaps a faulty one, and neither a sentence about CoRE nor a comment."""
    line = plain_colons(line)
    if ":::" not in line or line.lstrip().startswith("#") or line.count(":::") > _MOST_FIELDS or _quotes(line):
        return False
    bounds = split_fields(line)
    kind = fold(bare(line[slice(*bounds[1])]))
    if len(bounds) == 2:
        return kind in STEP_TYPES and bool(line[slice(*bounds[0])].strip())
    return kind not in _FORM


def _quotes(line: str) -> bool:
    """Whether the line is a sentence that quotes a step: words, and then a quotation that holds `:::`."""
    found = _QUOTED.match(line)
    return bool(found and ":::" in found[0] and re.search(r"[^\W\d_]", found[1]))


def clean_step(line: str) -> tuple[str, set[Taken]]:
    """The line of a step as CoRE writes it, and what was taken away."""
    taken: set[Taken] = set()
    plain = plain_colons(line).strip()
    if plain != line.strip():
        taken.add("wide colons")
    unmarked = _without_marks(plain)
    if unmarked != plain:
        taken.add("marks")
    fields = [unmarked[start:end] for start, end in split_fields(unmarked)]
    trimmed = [field.strip() for field in fields]
    if trimmed != fields:
        taken.add("spaces")
    cleaned = _clean_fields(trimmed)
    if cleaned != trimmed:
        taken.add("quotes")
    return ":::".join(cleaned), taken


def _without_marks(line: str) -> str:
    """The line without list and quotation marks in front, and without a remark behind the step in backticks."""
    if line.startswith("|"):
        line = line.strip("| ")
    mark = _MARKS.match(line)
    if mark and line[mark.end() :].strip("*_` ")[:1] not in ("", ":"):
        line = line[mark.end() :]
    if line.startswith("`"):
        quoted = line.lstrip("`").partition("`")[0]
        line = quoted if quoted.count(":::") > 1 else line
    return line.removesuffix("<br>").removesuffix("<br/>").rstrip("\\,; ")


def _clean_fields(fields: list[str]) -> list[str]:
    """Fields are trimmed: name, type, instruction, and then branches."""
    name, kind, *rest = fields
    found = [_clean_name(name), bare(kind)]
    if rest:
        found.append(_bare_instruction(rest[0]))
        found += ["::".join(map(_clean_name, field.split("::"))) for field in rest[1:]]
    return found


def _clean_name(text: str) -> str:
    """A name, key or target without a list mark, what surrounds it, and the end of a sentence."""
    text = bare(text)
    mark = _MARKS.match(text)
    return (bare(text[mark.end() :]) if mark else "") or text.rstrip(".,; ") or text


def bare(text: str) -> str:
    """The text without bold, quotes and brackets around it."""
    was = None
    while text and was != text:
        was = text
        text = text.strip().strip(_LOOSE)
        inner = text[1:-1]
        if inner and _PAIRS.get(text[0]) == text[-1] and text[0] not in inner and text[-1] not in inner:
            text = inner
    return text


def _bare_instruction(text: str) -> str:
    """The instruction without marks that surround the whole of it; marks inside it stay."""
    for opening, closing in _AROUND:
        inner = text[len(opening) : -len(closing)]
        if inner and text == opening + inner + closing and opening not in inner and closing not in inner:
            return inner.strip()
    return text
