"""Texts that were made to break the reader: nothing raises, nothing hangs, and positions stay inside the text."""

from __future__ import annotations

import gc
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.lang import ParseResult, check, fix_all, format, parse, render
from autoflow.lang.pause import LONG
from autoflow.lang.report import MOST, TABLE
from tests.lang.strategies import TOKENS, mutated, texts
from tests.lang.test_fixtures import FIXTURES, MANUAL

SEEDS = [example.text for entry in TABLE.values() for example in entry.examples]
FILES = [path.read_text("utf-8") for path in [*sorted(FIXTURES.glob("*.core")), MANUAL]]


def assert_sane(result: ParseResult) -> None:
    """Positions lie inside the text, in order; severities and slugs are known; the workflow has what it says."""
    lines = result.text.split("\n")
    last = (1, 1)
    for found in result.diagnostics:
        assert 1 <= found.column <= found.end_column <= len(lines[found.line - 1]) + 1
        assert found.column < found.end_column or found.slug == "no-steps"
        assert last <= (found.line, found.column)
        last = (found.line, found.column)
        assert TABLE[found.slug].severity == found.severity
    assert bool(result.workflow.steps) or not result.ok


@pytest.mark.parametrize("part", range(10))
def test_random_and_mutated_texts_raise_nothing(part: int) -> None:
    """10,000 texts a part, 100,000 in all."""
    random = Random(part)
    for number in range(10_000):
        kind = number % 4
        if kind == 0:
            text = "".join(random.choices(TOKENS, k=random.randint(0, 25)))
        elif kind == 1:
            text = "".join(map(chr, random.choices(range(0x250), k=random.randint(0, 40))))
        elif kind == 2 or number % 100 != 3:
            text = mutated(random, random.choice(SEEDS), 5)
        else:
            text = mutated(random, random.choice(FILES), 20)
        assert_sane(parse(text))


@given(st.one_of(st.text(), texts(), st.text(alphabet=":\n ,;|#aA\r\t", max_size=200)))
@settings(max_examples=500, deadline=None)
def test_whatever_is_read_can_be_checked_written_and_rendered(text: str) -> None:
    result = parse(text)
    assert_sane(result)
    assert parse(format(result.workflow)).workflow.steps is not None
    check(result.workflow)
    assert render(result, "x.core").count("\n") >= len(result.diagnostics)


@given(st.binary(max_size=300))
def test_a_binary_file_is_a_text_without_steps_or_with_faults(data: bytes) -> None:
    assert_sane(parse(data.decode("utf-8", "surrogateescape")))
    assert_sane(parse(data.decode("utf-16", "replace")))


@pytest.mark.parametrize(
    "text",
    [
        ":" * 100_000,
        ":::" * 50_000 + "a",
        "A:::process:::" + "::" * 50_000 + ":::",
        "A:::decision:::Is it?:::" + "a::b:::" * 20_000,
        "A:::decision:::Is it?:::yes::" + "," * 100_000,
        "A:::decision:::Is it?:::yes::" + "A," * 50_000 + "::no::A",
        "A:::process:::" + " " * 200_000 + "x:::next::A",
        "A:::process:::x:::" + ": " * 100_000,
        "A" * 200_000 + ":::process:::x:::next::" + "B" * 200_000,
        "\x0b " * 100_000 + ":::" * 3,
        "\r" * 100_000,
        "A:::" + "process" * 30_000 + ":::x:::next::A",
        "".join(f"A:::process:::x:::next::{'B' * (n % 300)}\n" for n in range(3_000)),
        "".join(f"{n}:::process:::x:::next::{n + 1}\n" for n in range(20_000)),
        "".join(f"{n}:::process:::x:::next::{max(0, n - 1)}\n" for n in range(20_000)) + "z:::terminal:::x:::",
        ":::process:::x:::next::Nowhere\n" * 10_000,
        "\u0301" * 100_000 + ":::process:::x:::next::A",
        "a" + "\u0301\u0323" * 200_000 + ":::process:::x:::next::A",  # marks that Unicode puts into another order
        "A:::process:::x:::next::" + "\u0f73" * 200_000,  # the same once they are decomposed
        "#" * 200_000,
        "\n" * 100_000,
    ],
    ids=lambda text: repr(text[:20]),
)
@pytest.mark.timeout(60)
def test_large_texts_of_one_pattern_are_read_without_recursion_or_quadratic_time(text: str) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    try:
        result = parse(text)
    finally:
        sys.setrecursionlimit(limit)
    assert_sane(result)


def test_of_each_slug_only_so_many_findings_are_listed_and_the_last_counts_the_rest() -> None:
    text = "".join(f"Step {n}:::process:::Do.:::next::Stage {n}\nprose\n" for n in range(1200))
    result = parse(text)
    listed = {slug: [d for d in result.diagnostics if d.slug == slug] for slug in ("unknown-target", "prose")}
    assert [len(found) for found in listed.values()] == [MOST, MOST]
    assert not result.ok
    assert len(result.workflow.steps) == len(result.workflow.comments) == 1200
    for found in listed.values():
        assert [d.line for d in found] == sorted(d.line for d in found)
        assert found[-1].message.endswith("; 200 more of this kind are not listed")
        assert "not listed" not in found[-2].message
    assert len(parse(text, most=10_000).diagnostics) == 2400


def test_what_is_not_listed_is_mended_all_the_same() -> None:
    text = (
        "".join(f"Step {n}:::proces:::Do.:::next::Step {n + 1}\n" for n in range(1, 1200)) + "Step 1200:::end:::Stop."
    )
    mended, applied = fix_all(text)
    assert parse(mended).diagnostics == ()
    assert len(applied) == 1201


def test_the_garbage_collector_is_left_as_it_was() -> None:
    text = "prose\n" * LONG
    for wanted in (False, True):
        (gc.enable if wanted else gc.disable)()
        try:
            parse(text)
            assert gc.isenabled() is wanted
        finally:
            gc.enable()
