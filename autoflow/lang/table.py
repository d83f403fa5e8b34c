"""What an entry in the table of diagnostics is. `autoflow.lang.report` holds the table itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autoflow.lang.diagnostics import Severity

END = "End:::terminal:::Give the answer.:::\n"  # the last line of most examples


@dataclass(frozen=True, slots=True)
class Example:
    """A malformed text, and what is made of it."""

    text: str
    found: tuple[str, ...]  # "slug line:column-end_column", in the order of the text: all that is found
    mended: str | None = None  # the text after all fixes (or extraction); None where none is offered


@dataclass(frozen=True, slots=True)
class Entry:
    """One slug: stable, as users and scripts depend on it."""

    slug: str
    severity: Severity
    what: str  # in half a sentence
    why: str  # what it means for the reading, and what is not said because of it
    examples: tuple[Example, ...]
    reader: Literal["parse", "extract"] = "parse"  # what reads the examples
