"""Workflows with the faults of those that were published with the paper, in our own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoflow.lang import fix_all, format, parse

FIXTURES = Path(__file__).parent / "fixtures"
MANUAL = Path(__file__).parents[2] / "assets" / "workflows" / "openagi-manual.core"


def _slugs(text: str) -> list[str]:
    return [found.slug for found in parse(text).diagnostics]


@pytest.mark.parametrize(
    ("name", "steps", "slugs"),
    [
        ("separators", 6, ["branch-separator"] * 2),
        ("two_ends", 8, []),
        ("two_chains", 17, ["unreachable"] * 7),
        ("island", 17, ["unreachable"] * 5),
    ],
)
def test_a_fixture_gives_exactly_its_slugs(name: str, steps: int, slugs: list[str]) -> None:
    text = (FIXTURES / f"{name}.core").read_text("utf-8")
    assert _slugs(text) == slugs
    assert len(parse(text).workflow.steps) == steps


def test_separators_are_clean_once_fixed_and_keep_the_ways_back() -> None:
    text = (FIXTURES / "separators.core").read_text("utf-8")
    mended, applied = fix_all(text)
    assert _slugs(mended) == []
    assert [found.line for found in applied] == [4, 5]
    assert parse(mended).workflow == parse(text).workflow
    check = parse(mended).workflow.steps[3]
    assert [(b.key, b.target) for b in check.branches] == [("All exist", "Step 5"), ("Some are missing", "Step 3")]


def test_the_manual_workflow_is_clean_canonical_and_has_the_shape_of_the_paper() -> None:
    text = MANUAL.read_text("utf-8")
    result = parse(text)
    assert result.diagnostics == ()
    assert format(result.workflow) == text
    assert [s.type for s in result.workflow.steps] == ["process"] * 3 + ["decision"] * 2 + ["terminal"]
    assert [s.branches[1].target for s in result.workflow.steps[3:5]] == ["Step 3", "Step 3"]
