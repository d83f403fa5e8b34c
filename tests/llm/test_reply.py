"""Putting a reply together from pieces, however they were cut, and reading what no decent server sends."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.llm.base import Choice, JsonSchema
from autoflow.llm.failure import Failure
from autoflow.llm.reply import Reply, ThinkSplitter
from autoflow.llm.reply_checks import REPEAT_WINDOW, conforms, repeated_unit
from autoflow.llm.sse import EventReader, failure_in
from tests.llm.server import chunk


def cut(text: Any, places: list[int]) -> list[Any]:
    """The same, in pieces that end at these places."""
    ends = [*sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


PLACES = st.lists(st.integers(0, 10_000), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def read(reply_text: str, places: list[int]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    fed = [splitter.feed(piece) for piece in cut(reply_text, places)] + [splitter.close()]
    return "".join(text for text, _ in fed), "".join(thought for _, thought in fed)


@given(st.text(alphabet="a<>/think \n", max_size=40), PLACES)
def test_thinking_is_told_apart_wherever_the_pieces_end(text: str, places: list[int]) -> None:
    assert read(text, places) == read(text, [])


@given(st.text(max_size=30).filter(lambda t: "</think>" not in t), st.text(max_size=30), PLACES)
def test_thinking_and_reply_come_back_whole(thought: str, said: str, places: list[int]) -> None:
    assert read(f"<think>{thought}</think>{said}", places) == (said.lstrip(), thought)


@given(st.text(max_size=40).filter(lambda t: not t.lstrip().startswith("<think>")), PLACES)
def test_text_without_thinking_is_not_touched(text: str, places: list[int]) -> None:
    assert read(text, places) == (text, "")


@given(
    st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)), PLACES
)
def test_events_are_the_same_wherever_the_bytes_are_cut(events: list[str], places: list[int]) -> None:
    for end in ("\n", "\r\n"):
        body = "".join(f": comment{end}event: x{end}data: {event}{end}{end}" for event in events).encode()
        reader = EventReader()
        found = [data for piece in cut(body, places) for data in reader.feed(piece)]
        assert found == events
        assert reader.rest() is None


def test_last_event_counts_without_its_blank_line() -> None:
    reader = EventReader()
    assert list(reader.feed(b"data: a\n\ndata: b")) == ["a"]
    assert reader.rest() == "b"


def test_data_lines_of_one_event_are_joined() -> None:
    assert list(EventReader().feed(b"data: a\ndata:b\n\n")) == ["a\nb"]


def new_reply(max_chars: int = 1000) -> Reply:
    return Reply(lambda _: None, lambda: None, max_chars=max_chars, free=True)


@given(JSON)
def test_pieces_of_any_shape_are_survived(piece: Any) -> None:
    for shape in ({"choices": piece}, {"choices": [piece]}, {"choices": [{"delta": piece}]}, {"usage": piece}):
        reply = new_reply()
        reply.add(shape)
        reply.close()
        assert isinstance(reply.text, str)


def fields(*names: str, **shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON) | shapes)


CALLS = st.lists(fields("index", "id", function=JSON | fields("name", "arguments")), max_size=3)


@given(fields("content", "refusal", "reasoning", "role", tool_calls=JSON | CALLS))
def test_deltas_of_any_shape_are_survived(delta: dict[str, Any]) -> None:
    reply = new_reply(100_000)
    for _ in range(2):
        reply.add(chunk(delta))
    reply.close()
    assert all(isinstance(call.arguments, str) for call in reply.tool_calls)


def test_calls_without_index_and_id_stay_apart_and_whole() -> None:
    """As servers send them that know neither: whole calls side by side, or one call in pieces."""
    reply = new_reply()
    whole = [{"function": {"name": name, "arguments": {"of": name}}} for name in ("add", "sub")]
    reply.add(chunk({"tool_calls": whole}))
    reply.add(chunk({"tool_calls": [{"id": "x", "function": {"name": "mul", "arguments": '{"a": '}}]}))
    reply.add(chunk({"tool_calls": [{"function": {"arguments": "1}"}}]}))
    found = [(call.id, call.name, call.arguments) for call in reply.tool_calls]
    assert found == [("call_0", "add", '{"of": "add"}'), ("call_1", "sub", '{"of": "sub"}'), ("x", "mul", '{"a": 1}')]


@pytest.mark.parametrize("delta", [{"refusal": "no, "}, {"tool_calls": [{"function": {"name": "again"}}]}])
def test_what_never_ends_is_too_large_whatever_it_is(delta: dict[str, Any]) -> None:
    reply = new_reply()
    with pytest.raises(Failure) as caught:
        deque((reply.add(chunk(delta)) for _ in range(1000)), maxlen=0)
    assert caught.value.kind == "too-large"


def test_an_event_without_end_is_too_large() -> None:
    reader, line = EventReader(), b"data: " + b"x" * 100_000 + b"\n"
    with pytest.raises(Failure) as caught:
        deque((list(reader.feed(line)) for _ in range(200)), maxlen=0)
    assert caught.value.kind == "too-large"


@given(JSON)
def test_errors_of_any_shape_become_a_failure(error: Any) -> None:
    failure = failure_in(error)
    assert failure.kind == "status"
    assert failure.status is not None
    assert isinstance(failure.detail, str)


def test_reply_is_cut_at_its_limit_and_keeps_what_fits() -> None:
    reply = new_reply(max_chars=10)
    reply.add(chunk({"content": "abcdef"}))
    with pytest.raises(Failure) as caught:
        reply.add(chunk({"content": "ghijklm"}))
    assert caught.value.kind == "too-large"
    assert caught.value.partial == "abcdefghij"


@given(st.text(min_size=1, max_size=REPEAT_WINDOW // 10))
def test_repetition_is_noticed(unit: str) -> None:
    found = repeated_unit("An answer. " + unit * (REPEAT_WINDOW // len(unit) + 1))
    assert found is not None
    assert len(found) <= len(unit)


@given(st.integers(0, 10_000))
def test_counting_is_no_repetition(start: int) -> None:
    assert repeated_unit(" ".join(str(n) for n in range(start, start + 3000))) is None


@given(st.text(max_size=20), st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_choice_is_kept_by_its_choices_only(text: str, choices: list[str]) -> None:
    assert conforms(text, Choice(tuple(choices))) == (text in choices)


@given(st.text(max_size=30) | JSON.map(json.dumps))
def test_schema_check_reads_any_text(text: str) -> None:
    schema = JsonSchema({"type": "object", "required": ["a"]})
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    assert conforms(text, schema) == (isinstance(value, dict) and "a" in value)


def test_bad_schema_counts_as_not_kept() -> None:
    assert conforms("1", JsonSchema({"type": "no such type"})) is False
    assert conforms("[" * 100_000, JsonSchema({})) is False
