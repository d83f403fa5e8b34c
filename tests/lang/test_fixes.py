"""Edits and fixes: a fix removes its diagnostic and adds no error, wherever it is offered."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import example, given, settings

from autoflow.lang import Diagnostic, Edit, apply_edits, fix_all, parse
from autoflow.lang.report import TABLE
from tests.lang.strategies import mutated, texts

READ = [entry for entry in TABLE.values() if entry.reader == "parse"]
EXAMPLES = [example.text for entry in READ for example in entry.examples]


def _where(found: tuple[Diagnostic, ...], only_errors: bool = False) -> Counter[tuple[str, int]]:
    return Counter((d.slug, d.line) for d in found if d.severity == "error" or not only_errors)


def assert_fixes_hold(text: str) -> None:
    """Each offered fix, applied alone: its diagnostic is gone, no error is new, and the steps read are the same."""
    before = parse(text)
    for found in before.diagnostics:
        if found.fix is None:
            continue
        mended = apply_edits(text, found.fix)
        after = parse(mended)
        where = (found.slug, found.line)
        assert _where(after.diagnostics)[where] < _where(before.diagnostics)[where], (text, found, mended)
        new = _where(after.diagnostics, only_errors=True) - _where(before.diagnostics, only_errors=True)
        assert not new, (text, found, mended, new)
        assert len(after.workflow.steps) == len(before.workflow.steps)


@given(texts())
@settings(max_examples=400, deadline=None)
@example("Step 1:::process:::Do:::a: ::Step 1:::b, c::Step 1:::\nStep 3:::terminal:::x::::::y")
def test_a_fix_applied_alone_removes_its_diagnostic_and_adds_no_error(text: str) -> None:
    assert_fixes_hold(text)


def test_fixes_hold_for_mutated_examples_too() -> None:
    random = Random(1)
    for text in EXAMPLES * 20:
        assert_fixes_hold(mutated(random, text))


@pytest.mark.parametrize(
    "branches",
    ["X::::: no B:: :::", "yes::A:: :::", "yes::A::: ::no::A", "::: :::yes::A:: :::no", ":::A:: :::", " :: :::"],
)
def test_a_part_that_is_missing_beside_two_colons_is_missed_before_and_after_a_fix(branches: str) -> None:
    text = f"A:::decision:::Is it?:::{branches}\n"
    assert_fixes_hold(text)
    assert "empty-branch" in {found.slug for found in parse(text).diagnostics}


@given(texts())
@settings(max_examples=200, deadline=None)
def test_fix_all_leaves_no_fix_and_adds_no_error(text: str) -> None:
    mended, applied = fix_all(text)
    after = parse(mended)
    assert not [d for d in after.diagnostics if d.fix]
    assert not _where(after.diagnostics, only_errors=True) - _where(parse(text).diagnostics, only_errors=True)
    assert bool(applied) == bool([d for d in parse(text).diagnostics if d.fix])


def test_every_kind_of_fix_is_met_by_the_examples() -> None:
    """So that the tests above test something."""
    offered = {found.slug for text in EXAMPLES for found in parse(text).diagnostics if found.fix}
    assert offered == {entry.slug for entry in READ if any(e.mended is not None for e in entry.examples)}
    assert len(offered) >= 9


def test_fixes_of_many_lines_are_applied_together_and_returned() -> None:
    text = "A:::proces:::x:::B\r\nB:::proces:::y:::next::C:::\r\nC:::end:::z"
    mended, applied = fix_all(text)
    assert mended == "A:::process:::x:::next::B\r\nB:::process:::y:::next::C\r\nC:::terminal:::z:::"
    slugs = ["branch-separator", "missing-branches", "missing-key", "unknown-type", "unknown-type", "unknown-type"]
    assert sorted(found.slug for found in applied) == slugs


def test_a_text_without_fixes_is_returned_as_it_is() -> None:
    text = "A:::process:::x:::next::Nowhere\r\n\x0c"
    text = text.replace("\x0c", "")
    assert fix_all(text) == (text, ())


def test_edits_are_applied_by_code_point_whatever_their_order() -> None:
    text = "\ufeffab🙂d\r\nxyz"
    edits = [Edit(2, 1, 2, 3, "Q"), Edit(1, 3, 1, 4, ":)"), Edit(1, 1, 1, 1, ">")]
    assert apply_edits(text, edits) == ">ab:)d\r\nQz"
    assert apply_edits("a\nb", [Edit(1, 2, 2, 1, " ")]) == "a b"


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(3, 1, 3, 1, "")],
        [Edit(0, 1, 1, 1, "")],
        [Edit(1, 4, 1, 5, "")],
        [Edit(1, 0, 1, 1, "")],
        [Edit(1, 3, 1, 2, "")],
        [Edit(1, 1, 1, 3, "x"), Edit(1, 2, 1, 3, "y")],
    ],
)
def test_edits_of_another_text_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match=r"must hold|must not overlap"):
        apply_edits("abc\nd", edits)
