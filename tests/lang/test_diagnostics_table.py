"""Every entry of the table does what it says, and the reference page is made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoflow.lang import parse
from autoflow.lang.catalogue import TABLE, Entry, Example, markdown, read

PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
CASES = [
    pytest.param(entry, example, id=f"{slug}-{n}")
    for slug, entry in TABLE.items()
    for n, example in enumerate(entry.examples)
]

# Users and scripts depend on these.
SEVERITIES = {
    "error": {
        "no-steps", "missing-field", "unknown-type", "empty-name", "empty-instruction", "duplicate-name", "missing-key",
        "empty-branch", "odd-branches", "process-branches", "decision-branches", "terminal-branches", "unknown-target",
        "endless-loop", "no-terminal", "reserved-mark",
    },
    "warning": {"missing-branches", "instruction-separator", "branch-separator", "dead-end", "unreachable"},
    "information": {"prose", "extracted", "control-character"},
}  # fmt: skip


@pytest.mark.parametrize(("entry", "example"), CASES)
def test_an_example_gives_its_diagnostics_and_its_mended_text(entry: Entry, example: Example) -> None:
    result, mended = read(entry, example)
    found = result.diagnostics
    assert tuple(f"{d.slug} {d.line}:{d.column}-{d.end_column}" for d in found) == example.found
    assert entry.slug in {d.slug for d in found}
    assert all(d.severity == TABLE[d.slug].severity for d in found)
    assert mended == example.mended


def test_slugs_and_severities_are_those_that_scripts_depend_on() -> None:
    for severity, slugs in SEVERITIES.items():
        assert {slug for slug, entry in TABLE.items() if entry.severity == severity} == slugs


@pytest.mark.parametrize("entry", TABLE.values(), ids=list(TABLE))
def test_an_entry_explains_itself_and_shows_an_example(entry: Entry) -> None:
    assert entry.what
    assert len(entry.why) > 20
    assert entry.examples


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == markdown(), "run: python -m autoflow.lang.catalogue > docs/diagnostics.md"


def test_messages_name_what_the_workflow_names_and_hints_say_what_to_do() -> None:
    for entry in TABLE.values():
        for example in entry.examples:
            for found in parse(example.text).diagnostics:
                assert found.message
                assert found.hint
                assert "\n" not in found.message + found.hint
