"""A model that answers from a script."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import AutoFlowError, ModelNotFound, ModelRequestError, ModelUnavailable, SettingsError
from autoflow.llm.base import Choice, Message, Options, ToolCall
from autoflow.llm.scripted import ScriptedLLM


def ask(llm: ScriptedLLM, text: str, heard: list[str] | None = None, **options: Any) -> Any:
    asked = [Message("system", "x" * 9), Message("user", text)]
    return asyncio.run(llm.complete(asked, Options(**options), heard.append if heard is not None else None))


def test_first_line_that_matches_the_last_message_answers() -> None:
    llm = ScriptedLLM([{"match": "refund", "reply": "yes"}, {"match": "re", "reply": "no"}])
    assert ask(llm, "a refund?").text == "yes"
    assert ask(llm, "a return?").text == "no"
    for _ in range(2):
        assert ask(llm, "a refund?").text == "yes", "lines are not used up"


def test_tool_calls_are_answered_as_written() -> None:
    calls = [{"name": "add", "arguments": {"a": 1}}, {"name": "odd", "arguments": "{not json", "id": "mine"}]
    completion = ask(ScriptedLLM([{"match": "", "tool_calls": calls}]), "x")
    assert completion.tool_calls == (ToolCall("call_1_1", "add", '{"a": 1}'), ToolCall("mine", "odd", "{not json"))
    assert completion.finish == "tool_calls"


def test_error_line_raises_a_model_error_with_its_words() -> None:
    with pytest.raises(ModelUnavailable, match=r"Line 1 of scripted:memory .* the dog ate it"):
        ask(ScriptedLLM([{"match": "", "error": "the dog ate it"}]), "x")


def test_script_may_break_a_choice_and_says_that_nothing_was_enforced() -> None:
    completion = ask(ScriptedLLM([{"match": "", "reply": "maybe"}]), "x", constraint=Choice(("yes", "no")))
    assert (completion.text, completion.strength) == ("maybe", "prompt")


@given(st.text(max_size=60))
def test_streamed_words_are_the_reply(reply: str) -> None:
    heard: list[str] = []
    assert ask(ScriptedLLM([{"match": "", "reply": reply}]), "x", heard).text == reply == "".join(heard)


def test_latency_is_kept_and_spread_over_the_words() -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    llm = ScriptedLLM([{"match": "", "reply": "one two three", "latency_s": 0.3}], sleep=note)
    ask(llm, "x", [])
    ask(llm, "x")
    assert waits == [pytest.approx(0.1)] * 3 + [0.3]


def test_tokens_are_characters_by_four() -> None:
    usage = ask(ScriptedLLM([{"match": "", "reply": "12345"}]), "123").usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (3, 2)


def test_message_that_nothing_matches_is_an_error_that_names_the_step() -> None:
    with pytest.raises(ModelRequestError, match="step Urgent, visit 3") as caught:
        ask(ScriptedLLM([{"match": "a", "reply": ""}]), "bbb", label="step Urgent, visit 3")
    assert "bbb" in str(caught.value)


def test_hostile_expression_is_stopped() -> None:
    llm = ScriptedLLM([{"match": "(a|aa)+$(?<!a)", "reply": ""}])
    with pytest.raises(ModelRequestError, match=r"line 1 .* took more than"):
        ask(llm, "a" * 60 + "!")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no JSON object"),
        ("7", "is no JSON object"),
        ('{"reply": "x"}', "needs a text as `match`"),
        ('{"match": 1, "reply": "x"}', "needs a text as `match`"),
        ('{"match": "("}', "exactly one of"),
        ('{"match": "(", "reply": "x"}', "bad expression"),
        ('{"match": "", "reply": "x", "error": "y"}', "exactly one of"),
        ('{"match": "", "reply": null}', "needs a text as `reply`"),
        ('{"match": "", "error": ""}', "needs words in `error`"),
        ('{"match": "", "tool_calls": []}', "needs a list"),
        ('{"match": "", "tool_calls": null}', "needs a list"),
        ('{"match": "", "tool_calls": [{"arguments": {}}]}', "needs a list"),
        ('{"match": "", "reply": "x", "latency_s": -1}', "latency_s"),
        ('{"match": "", "reply": "x", "latency_s": NaN}', "latency_s"),
        ('{"match": "", "reply": "x", "latency_s": true}', "latency_s"),
        ('{"match": "", "reply": "x", "delay": 1}', "`delay`"),
    ],
)
def test_bad_line_is_refused_by_its_number(line: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "script.jsonl"
    path.write_text('# a comment\n\n{"match": "x", "reply": "y"}\n' + line + "\n", "utf-8")
    with pytest.raises(SettingsError) as caught:
        ScriptedLLM.from_file(path)
    assert caught.value.message.startswith(f"Line 4 of scripted:{path} ")
    assert complaint in caught.value.message


@given(st.binary(max_size=60))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("script") / "script.jsonl"
    path.write_bytes(data)
    with suppress(AutoFlowError):  # anything else fails the test
        assert ScriptedLLM.from_file(path).name == f"scripted:{path}"


def test_missing_file_and_folder_are_told() -> None:
    for path in ("/nowhere/script.jsonl", "/"):
        with pytest.raises(ModelNotFound, match="cannot be read"):
            ScriptedLLM.from_file(path)


def test_line_separators_inside_a_reply_do_not_split_the_line(tmp_path: Path) -> None:
    path = tmp_path / "script.jsonl"
    path.write_text(json.dumps({"match": "", "reply": "a\u2028b\x85c"}, ensure_ascii=False), "utf-8")
    assert ask(ScriptedLLM.from_file(path), "x").text == "a\u2028b\x85c"
