"""Scorers of JSON."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.metrics.scorers import SCORERS, make_scorer
from autoflow.metrics.structured import NoJson, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)


async def value(name: str, answer: str, expected: str, **options: Any) -> float:
    return (await make_scorer(name, options)(answer, expected, "")).value


def typed(value: Any) -> str:
    """JSON with sorted keys: equal exactly where two values are, for whole numbers."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ("[1, 2]", [1, 2]),
        ("4", 4),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is:\n```\n[1]\n```\nGood luck', [1]),
        ('The list is [1, 2] and {"a": 1}', [1, 2]),
        ('In {braces} first, then {"a": 1}.', {"a": 1}),
        ('<think>{"a": 2}</think>{"a": 1}', {"a": 1}),
    ],
)  # fmt: skip
def test_json_is_found_wherever_it_stands(answer: str, found: Any) -> None:
    assert read_json(answer) == found


@pytest.mark.parametrize("answer", ["", "no", "{a: 1}", '{"a": ', "[" * 100_000, "{" * 100_000])
def test_no_json_is_no_json(answer: str) -> None:
    with pytest.raises(NoJson):
        read_json(answer)


class TestEqual:
    @settings(deadline=None)
    @given(VALUES, VALUES)
    async def test_equal_values_alone_are_equal(self, one: Any, other: Any) -> None:
        assert await value("json", json.dumps(one), json.dumps(other)) == float(typed(one) == typed(other))

    @settings(deadline=None)
    @given(VALUES)
    async def test_a_value_equals_itself_in_any_way_of_counting(self, one: Any) -> None:
        text = json.dumps(one)
        for options in ({}, {"graded": True}, {"ignore_order": True}, {"graded": True, "ignore_order": True}):
            assert await value("json", text, text, **options) == 1

    async def test_one_and_true_differ_one_and_1_0_do_not(self) -> None:
        assert await value("json", "[1]", "[true]") == 0
        assert await value("json", "[1]", "[1.0]") == 1

    async def test_order_of_lists_counts_unless_it_is_not_to(self) -> None:
        assert await value("json", "[1, 2, 2]", "[2, 1, 2]") == 0
        assert await value("json", "[1, 2, 2]", "[2, 1, 2]", ignore_order=True) == 1
        assert await value("json", "[1, 1, 2]", "[2, 1, 2]", ignore_order=True) == 0

    async def test_graded_is_f1_of_the_fields(self) -> None:
        # right: a and c.0; found 3 fields, wanted 4: 2 * 2 / 7
        answer, expected = '{"a": 1, "b": 3, "c": [5]}', '{"a": 1, "b": 2, "c": [5, 6]}'
        assert await value("json", answer, expected, graded=True) == pytest.approx(4 / 7)
        assert await value("json", answer, expected) == 0

    async def test_an_answer_nested_beyond_measure_scores_0(self) -> None:
        deep = "[" * 900 + "]" * 900
        assert await value("json", deep, "[1]") == 0

    def test_expected_answers_that_are_no_json_are_told(self) -> None:
        assert "is no JSON" in (SCORERS["json"].check("{a: 1}", {}) or "")
        assert SCORERS["json"].check('{"a": 1}', {}) is None


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "age": {"type": "integer", "minimum": 0}},
    "patternProperties": {"^x": {"type": "boolean"}},
    "required": ["name"],
}
PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Ann", "ann", 1]), "age": st.integers(-1, 1), "x1": st.sampled_from([True, "no"]),
    },
)  # fmt: skip


class TestSchema:
    @settings(deadline=None)
    @given(PEOPLE)
    async def test_it_agrees_with_the_plain_validator(self, person: dict[str, Any]) -> None:
        right = float(jsonschema.Draft202012Validator(SCHEMA).is_valid(person))
        assert await value("json-schema", json.dumps(person), "", schema=json.dumps(SCHEMA)) == right
        assert await value("json-schema", json.dumps(person), json.dumps(SCHEMA)) == right

    async def test_prose_scores_0(self) -> None:
        assert await value("json-schema", "I am Ann", "", schema=json.dumps(SCHEMA)) == 0

    @pytest.mark.parametrize("schema", ["{", "3", '{"type": "objekt"}'])
    def test_a_schema_with_a_fault_is_told_before_any_answer(self, schema: str) -> None:
        with pytest.raises(SettingsError, match="schema"):
            make_scorer("json-schema", {"schema": schema})
        assert "schema" in (SCORERS["json-schema"].check("", {"schema": schema}) or "")
        assert "schema" in (SCORERS["json-schema"].check(schema, {}) or "")

    def test_neither_schema_nor_expected_answer_is_told(self) -> None:
        assert "no schema" in (SCORERS["json-schema"].check(" ", {}) or "")

    async def test_nothing_is_fetched_for_a_schema(self) -> None:
        with pytest.raises(SettingsError, match=r"example\.invalid.*not in it"):
            await value("json-schema", "{}", '{"$ref": "http://example.invalid/schema.json"}')

    async def test_a_schema_that_goes_round_in_circles_is_told(self) -> None:
        with pytest.raises(SettingsError, match="circles"):
            await value("json-schema", "{}", '{"$ref": "#"}')

    async def test_a_pattern_without_end_is_stopped(self) -> None:
        schema = '{"items": {"pattern": "^(a|aa)+$"}}'
        with pytest.raises(SettingsError, match="more than 1 s"):
            await value("json-schema", json.dumps(["a" * 200 + "b"]), schema)
