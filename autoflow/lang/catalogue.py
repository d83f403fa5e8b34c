"""The table of diagnostics as a page: what `docs/diagnostics.md` is made from, and the data of the tests.

python -m autoflow.lang.catalogue > docs/diagnostics.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from autoflow.lang.diagnostics import ParseResult
from autoflow.lang.extract import extract
from autoflow.lang.fixes import fix_all
from autoflow.lang.parser import parse
from autoflow.lang.render import render
from autoflow.lang.report import MOST, TABLE
from autoflow.lang.table import Entry, Example
from autoflow.lang.targets import LISTED

__all__ = ["TABLE", "Entry", "Example", "markdown", "read"]

_HEAD = """# Diagnostics

What AutoFlow says about a workflow, by slug. Slugs are stable: scripts may depend on them. A workflow with an error
is not run; a warning is something that is probably not meant; an information needs nothing done. A fix is offered
where the mend is certain: it removes its diagnostic and adds no error.

Of each slug the first {most:,} findings of a text are listed, of `unknown-target` the first {listed} of a line; the
last one says how many more there are. Mending everything mends those too.

This page is made from the table that the tests use, by `python -m autoflow.lang.catalogue > docs/diagnostics.md`.

| slug | what | severity | fix |
|---|---|---|---|
"""


def markdown() -> str:
    """The reference page."""
    return _HEAD.format(most=MOST, listed=LISTED) + "".join(
        f"{line}\n" for line in [*map(_row, TABLE.values()), *_sections()]
    )


def read(entry: Entry, example: Example) -> tuple[ParseResult, str | None]:
    """What the reader of an entry makes of an example, and the mended text."""
    if entry.reader == "extract":
        result = extract(example.text)
        return result, result.text
    mended, applied = fix_all(example.text)
    return parse(example.text), mended if applied else None


def _row(entry: Entry) -> str:
    offered = entry.reader == "parse" and any(example.mended is not None for example in entry.examples)
    fix = "yes" if offered else ""
    return f"| [`{entry.slug}`](#{entry.slug}) | {entry.what} | {entry.severity} | {fix} |"


def _sections() -> Iterator[str]:
    for entry in TABLE.values():
        yield from ("", f"## {entry.slug}", "", f"{entry.severity.capitalize()}: {entry.what}. {entry.why}")
        for example in entry.examples:
            result, mended = read(entry, example)
            yield from _block(render(result, "plan.core"))
            if mended is not None:
                yield from ("", "Mended:", *_block(mended))


def _block(text: str) -> Iterator[str]:
    yield from ("", "```text", text.rstrip(), "```")


if __name__ == "__main__":
    sys.stdout.write(markdown())
