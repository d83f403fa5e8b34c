"""Details of the request body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.llm.base import Message, Options, ToolCall
from autoflow.llm.features import Features
from autoflow.llm.request import body_of, choice_grammar, encodable, is_strict


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "string"}, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "string"}, {"type": "object", "properties": {}}]}, False),
    ],
)
def test_strict_is_claimed_only_for_closed_schemas(schema: dict[str, Any], strict: bool) -> None:
    assert is_strict(schema) is strict


def test_choices_are_escaped_in_the_grammar() -> None:
    assert choice_grammar(['say "hi"', "back\\slash", "two\nlines"]) == (
        'root ::= "say \\"hi\\"" | "back\\\\slash" | "two\\nlines"'
    )


@given(st.text(alphabet=st.characters(), max_size=30), st.text(max_size=30))
def test_every_body_can_be_sent(content: str, arguments: str) -> None:
    asked = [Message("user", content), Message("assistant", content, tool_calls=(ToolCall("1", content, arguments),))]
    body = body_of("m", asked, Options(), Features())
    assert json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8")) == body
    sent = body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(sent), dict)


@given(st.text(max_size=30))
def test_sound_text_is_sent_as_it_is(text: str) -> None:
    assert encodable({"a": [text]}) == {"a": [text]}
