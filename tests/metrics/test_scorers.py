"""What holds for every kind of scorer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.metrics.scorers import SCORERS, ScorerKind, make_scorer
from tests.generate.fakes import Teller

KINDS = list(SCORERS.values())
WITHOUT_MODEL = [kind for kind in KINDS if not kind.name.startswith("bertscore")]
EXPECTED = {"numeric": "12", "json": '{"a": 1}', "json-schema": '{"type": "object"}', "regex": r"\d+"}


def test_the_kinds_are_those_that_tables_name() -> None:
    assert list(SCORERS) == [
        "exact", "numeric", "token-f1", "rouge-l", "contains", "regex", "json", "json-schema", "bertscore",
        "bertscore-minilm", "judge", "person",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_says_what_its_values_mean(kind: ScorerKind) -> None:
    assert kind.label
    assert "1" in kind.about or kind.name == "person"
    assert all(option.label and option.read(option.default, kind.name) == option.default for option in kind.options)


@pytest.mark.parametrize("kind", WITHOUT_MODEL, ids=lambda kind: kind.name)
@settings(deadline=None)
@given(answer=st.text(max_size=60))
async def test_any_answer_gets_a_value_from_0_to_1(kind: ScorerKind, answer: str) -> None:
    scorer = make_scorer(kind.name, {}, judge=Teller('{"reason": "so", "grade": 2}'))
    found = await scorer(answer, EXPECTED.get(kind.name, "right"), "What is it?")
    assert 0 <= found.value <= 1
    assert found.expected or not kind.needs_expected


@pytest.mark.parametrize("kind", [k for k in KINDS if k.needs_expected], ids=lambda kind: kind.name)
def test_a_missing_expected_answer_is_told(kind: ScorerKind) -> None:
    assert kind.check("  ", {}) == "There is no expected answer."
    assert kind.check(EXPECTED.get(kind.name, "right"), {}) is None


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("exakt", {}, r"no scorer `exakt`.*Did you mean `exact`"),
        ("zzz", {}, r"no scorer `zzz`.*There is `exact`"),
        ("exact", {"ignore_caps": True}, r"no option `ignore_caps`.*`ignore_case`"),
        ("token-f1", {"x": 1}, r"no option `x`.*It has none"),
        ("exact", {"ignore_case": "yes"}, r"`ignore_case` .* must be true or false, not 'yes'"),
        ("exact", {"ignore_case": 1}, "true or false"),
        ("numeric", {"relative": -1}, r"number of 0 or more, not -1"),
        ("numeric", {"relative": float("nan")}, "number of 0 or more"),
        ("numeric", {"relative": True}, "number of 0 or more"),
        ("judge", {"form": "essay"}, "`reason` or `grade`"),
        ("judge", {"rubric": "x" * 20_001}, "longer than 20,000 characters"),
        ("regex", {"pattern": 3}, "must be a text"),
    ],
)
def test_bad_names_and_options_are_told(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        make_scorer(name, options, judge=Teller("3"))
    assert re.search(words, str(raised.value))


def test_a_bad_option_is_found_when_a_table_is_checked() -> None:
    assert "ignore_caps" in (SCORERS["exact"].check("right", {"ignore_caps": True}) or "")


def test_a_whole_number_is_a_number() -> None:
    assert SCORERS["numeric"].read_options({"absolute": 2})["absolute"] == 2.0
