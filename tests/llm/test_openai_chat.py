"""What is sent to an endpoint, what is learned from its answers, and what is kept of them."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import ModelAuthError, ModelRequestError, ModelUnavailable, SettingsError, ToolsUnsupported
from autoflow.llm.base import (
    Capabilities,
    Choice,
    Grammar,
    Image,
    JsonSchema,
    Message,
    Options,
    ToolCall,
    ToolSpec,
)
from autoflow.llm.openai_chat import OpenAIChat
from tests.llm.conftest import ASK, OpenChat
from tests.llm.server import Answer, Server, chunk, error, refusing, says, silent, stream, words

YES_NO = Options(constraint=Choice(("yes", "no")))
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
AS_JSON = Options(constraint=JsonSchema(SCHEMA))
GBNF = Options(constraint=Grammar('root ::= "a"'))
TOOL = ToolSpec("add", "Adds two numbers.", {"type": "object", "properties": {}})
LLAMA: dict[str, Any] = {"timings": {"predicted_n": 1}}  # only llama.cpp sends this


def unless(field: str, otherwise: Answer) -> Answer:
    """Refuse requests that hold a field, in the words of a strict server."""
    return refusing(
        lambda body: field in body, error(400, f"Unrecognized request argument supplied: {field}"), otherwise
    )


# -- what is sent


async def test_messages_are_sent_in_the_form_of_the_protocol(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    calls = (ToolCall("c1", "add", '{"a": 1}'), ToolCall("c2", "add", "a=1"))
    await chat().complete(
        [
            Message("system", "Be brief."),
            Message("user", "Look.", images=(Image("image/png", b"\x89PNG"),)),
            Message("assistant", "", tool_calls=calls),
            Message("tool", "3", tool_call_id="c1"),
        ],
        Options(temperature=0.3, top_p=0.9, seed=7, max_tokens=50, stop=("END",), tools=(TOOL,)),
    )
    body = server.bodies[0]
    system, user, assistant, tool = body["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert user["content"][0] == {"type": "text", "text": "Look."}
    url = user["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/png;base64,")) == b"\x89PNG"
    assert assistant["content"] is None
    assert [json.loads(c["function"]["arguments"]) for c in assistant["tool_calls"]] == [{"a": 1}, {"text": "a=1"}]
    assert tool == {"role": "tool", "content": "3", "tool_call_id": "c1"}
    sent = {k: body[k] for k in ("temperature", "top_p", "seed", "max_tokens", "stop", "stream", "model")}
    assert sent == {
        "temperature": 0.3, "top_p": 0.9, "seed": 7, "max_tokens": 50, "stop": ["END"], "stream": True,
        "model": "gpt-test",
    }  # fmt: skip
    assert body["tools"][0]["function"]["name"] == "add"


async def test_extra_fields_go_with_every_request(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    await chat(extra={"gguf": {"path": "x"}}).complete(ASK, Options())
    assert server.bodies[0]["gguf"] == {"path": "x"}


async def test_halves_of_surrogate_pairs_do_not_stop_a_request(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    options = Options(tools=(ToolSpec("t\ud800", "\udfff", {}),))
    assert (await chat().complete([Message("user", "\ud83d!")], options)).text == "fine"
    assert server.bodies[0]["messages"][0]["content"] == "\ufffd!"


async def test_key_is_sent_as_bearer_and_only_where_there_is_one(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    await chat(api_key="sk-1").complete(ASK, Options())
    await chat(api_key=None).complete(ASK, Options())
    with_key, without = server.requests
    assert with_key.headers["authorization"] == "Bearer sk-1"
    assert "authorization" not in without.headers


async def test_credentials_in_the_address_are_sent_but_never_shown(server: Server, chat: OpenChat) -> None:
    server.script(error(404))
    address = server.url.replace("://", "://me:pass%40word@") + "?key=hidden-value"
    llm = chat(base_url=address, api_key=None)
    with pytest.raises(ModelRequestError.__base__) as caught:  # type: ignore[arg-type]
        await llm.complete(ASK, Options())
    basic = base64.b64encode(b"me:pass@word").decode()
    assert server.requests[0].headers["authorization"] == f"Basic {basic}"
    assert server.requests[0].path.endswith("?key=hidden-value")
    for shown in (str(caught.value), llm.base_url, llm.name):
        assert "pass" not in shown
        assert "hidden" not in shown


async def test_keys_never_reach_a_log(server: Server, chat: OpenChat, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "httpx", "httpcore", "openai"):  # a worker that ran in this process before has quieted them
        caplog.set_level(logging.DEBUG, logger=name)
    server.script(error(401, "bad key sk-secret-0123456789"))
    llm = chat(base_url=server.url.replace("://", "://me:passw0rd@"))
    with pytest.raises(Exception, match="key"):
        await llm.complete(ASK, Options())
    written = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert caplog.records, "the transport logs something at this level"
    assert "passw0rd" not in written
    basic = base64.b64encode(b"me:passw0rd").decode()
    assert basic not in written


# -- constraints: the strongest form first, and what refusals and answers teach


async def test_choice_is_sent_as_a_grammar_and_counts_as_one_at_llama_cpp(server: Server, chat: OpenChat) -> None:
    server.script(says("no", **LLAMA))
    llm = chat()
    completion = await llm.complete(ASK, YES_NO)
    assert server.bodies[0]["grammar"] == 'root ::= "yes" | "no"'
    assert server.bodies[0]["structured_outputs"] == {"choice": ["yes", "no"]}
    assert (completion.text, completion.strength) == ("no", "grammar")
    assert llm.capabilities.choice == "grammar"


async def test_grammar_field_that_is_ignored_in_silence_does_not_count(server: Server, chat: OpenChat) -> None:
    server.script(says("no"), says('{"choice": "no"}'))
    llm = chat()
    first = await llm.complete(ASK, YES_NO)
    second = await llm.complete(ASK, YES_NO)
    assert (first.text, first.strength) == ("no", "prompt")
    assert "grammar" not in server.bodies[1]
    assert server.bodies[1]["response_format"]["json_schema"]["strict"] is True
    assert (second.text, second.strength) == ("no", "schema")


async def test_refused_grammar_falls_back_to_an_enum_and_is_remembered(server: Server, chat: OpenChat) -> None:
    server.script(unless("grammar", says('{"choice": "yes"}')))
    pieces: list[str] = []
    first = await chat().complete(ASK, YES_NO, pieces.append)
    second = await chat().complete(ASK, YES_NO)
    assert (first.text, first.strength, first.usage.attempts) == ("yes", "schema", 2)
    assert pieces == ["yes"], "the JSON around the choice is not shown"
    assert second.usage.attempts == 1
    other = await chat(model="another").complete(ASK, YES_NO)
    assert other.usage.attempts == 2, "what one model refuses says nothing of another"


async def test_refused_schema_falls_back_to_json_and_then_to_the_prompt(server: Server, chat: OpenChat) -> None:
    def kind(body: dict[str, Any], *kinds: str) -> bool:
        return body.get("response_format", {}).get("type") in kinds

    no_schema = error(400, "This response_format type is unavailable now")
    server.script(refusing(lambda b: kind(b, "json_schema"), no_schema, says('{"n": 1}')))
    assert (await chat().complete(ASK, AS_JSON)).strength == "json"
    server.script(refusing(lambda b: kind(b, "json_schema", "json_object"), no_schema, says('{"n": 1}')))
    completion = await chat().complete(ASK, AS_JSON)
    assert completion.strength == "prompt"
    assert chat().capabilities.schema == "prompt"


async def test_refused_grammar_falls_back_to_the_prompt(server: Server, chat: OpenChat) -> None:
    server.script(unless("grammar", says("a")))
    llm = chat()
    assert (await llm.complete(ASK, GBNF)).strength == "prompt"
    assert llm.capabilities.grammar is False
    assert "structured_outputs" not in server.bodies[-1]


async def test_vague_refusal_of_a_constrained_request_is_tried_weaker(server: Server, chat: OpenChat) -> None:
    server.script(refusing(lambda body: "grammar" in body, error(400, ""), says("yes")))
    completion = await chat().complete(ASK, GBNF)
    assert completion.text == "yes"


async def test_refusal_that_no_retreat_cures_teaches_nothing(server: Server, chat: OpenChat) -> None:
    server.script(error(400, "Bad Request"))
    llm = chat()
    with pytest.raises(ModelRequestError, match="Bad Request"):
        await llm.complete(ASK, YES_NO)
    server.script(says("yes", **LLAMA))
    assert (await llm.complete(ASK, YES_NO)).strength == "grammar"


async def test_constraint_that_is_refused_with_tools_still_holds_without(server: Server, chat: OpenChat) -> None:
    with_tools = error(400, "Cannot use custom grammar constraints with tools.")
    server.script(refusing(lambda body: "tools" in body and "grammar" in body, with_tools, says("a", **LLAMA)))
    llm = chat()
    constraint = Grammar('root ::= "a"')
    assert (await llm.complete(ASK, Options(constraint=constraint, tools=(TOOL,)))).strength == "prompt"
    assert (await llm.complete(ASK, Options(constraint=constraint))).strength == "grammar"


async def test_schema_that_is_invalid_does_not_cost_the_others_theirs(server: Server, chat: OpenChat) -> None:
    def odd(body: dict[str, Any]) -> bool:
        return "odd" in str(body.get("response_format"))

    refusal = error(400, "Invalid schema for response_format 'reply'")
    server.script(refusing(odd, refusal, says('{"n": 1}')))
    llm = chat()
    weaker = await llm.complete(ASK, Options(constraint=JsonSchema({"type": "odd"})))
    assert weaker.strength == "json"
    assert (await llm.complete(ASK, AS_JSON)).strength == "schema"


async def test_reply_that_breaks_its_schema_is_not_called_kept(server: Server, chat: OpenChat) -> None:
    server.script(says('{"n": "one"}'))
    llm = chat()
    assert (await llm.complete(ASK, AS_JSON)).strength == "prompt"
    await llm.complete(ASK, AS_JSON)
    assert server.bodies[1]["response_format"] == {"type": "json_object"}


async def test_reply_cut_by_the_limit_of_tokens_says_nothing_about_the_endpoint(server: Server, chat: OpenChat) -> None:
    server.script(says('{"n": ', finish="length"))
    llm = chat()
    completion = await llm.complete(ASK, AS_JSON)
    assert (completion.finish, completion.strength) == ("length", "schema")
    assert llm.capabilities.schema is None


async def test_what_is_known_beforehand_is_not_learned_again(server: Server, chat: OpenChat) -> None:
    known = Capabilities(tools=False, choice="grammar", schema="grammar", grammar=True)
    server.script(says("yes"))
    llm = chat(capabilities=known)
    assert (await llm.complete(ASK, YES_NO)).strength == "grammar"
    with pytest.raises(ToolsUnsupported):
        await llm.complete(ASK, Options(tools=(TOOL,)))
    assert len(server.requests) == 1


async def test_open_schema_is_not_sent_as_strict(server: Server, chat: OpenChat) -> None:
    server.script(says("{}"))
    await chat().complete(ASK, Options(constraint=JsonSchema({"type": "object"})))
    assert server.bodies[0]["response_format"]["json_schema"]["strict"] is False


# -- parameters that a model does not take


@pytest.mark.parametrize("field", ["temperature", "seed", "top_p", "stream_options"])
async def test_parameter_that_is_not_supported_is_left_out_from_then_on(
    field: str, server: Server, chat: OpenChat
) -> None:
    server.script(unless(field, says("fine")))
    options = Options(seed=1, top_p=0.5)
    assert (await chat().complete(ASK, options)).usage.attempts == 2
    assert (await chat().complete(ASK, options)).usage.attempts == 1
    assert field not in server.bodies[-1]


async def test_parameter_with_a_wrong_value_is_told_not_dropped(server: Server, chat: OpenChat) -> None:
    server.script(error(400, "temperature: must be between 0 and 1", param="temperature"))
    with pytest.raises(ModelRequestError, match="between 0 and 1"):
        await chat().complete(ASK, Options(temperature=1.5))
    assert len(server.requests) == 1


async def test_limit_of_tokens_goes_by_its_new_name_where_the_old_is_refused(server: Server, chat: OpenChat) -> None:
    refusal = error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    server.script(refusing(lambda body: "max_tokens" in body, refusal, says("fine")))
    await chat().complete(ASK, Options(max_tokens=5))
    assert server.bodies[-1]["max_completion_tokens"] == 5


async def test_endpoint_that_cannot_stream_is_asked_without(server: Server, chat: OpenChat) -> None:
    refusal = error(400, "Streaming is not supported")
    server.script(refusing(lambda body: bool(body.get("stream")), refusal, says("fine")))
    pieces: list[str] = []
    assert (await chat().complete(ASK, Options(), pieces.append)).text == "fine"
    assert pieces == ["fine"]


async def test_refused_tools_are_remembered(server: Server, chat: OpenChat) -> None:
    server.script(unless("tools", says("fine")))
    llm = chat()
    for _ in range(2):
        with pytest.raises(ToolsUnsupported):
            await llm.complete(ASK, Options(tools=(TOOL,)))
    assert len(server.requests) == 1
    assert llm.capabilities.tools is False
    assert (await llm.complete(ASK, Options())).text == "fine"


async def test_tool_with_a_bad_schema_is_not_taken_for_missing_tools(server: Server, chat: OpenChat) -> None:
    server.script(error(400, "Invalid schema for function 'add': [] is not of type 'object'."))
    llm = chat()
    with pytest.raises(ModelRequestError) as caught:
        await llm.complete(ASK, Options(tools=(TOOL,)))
    assert not isinstance(caught.value, ToolsUnsupported)
    assert llm.capabilities.tools is None


async def test_refused_images_are_remembered(server: Server, chat: OpenChat) -> None:
    server.script(error(400, "image_url is not supported by this model"))
    llm = chat()
    picture = [Message("user", "Look.", images=(Image("image/png", b"x"),))]
    for _ in range(2):
        with pytest.raises(ModelRequestError, match="images"):
            await llm.complete(picture, Options())
    assert len(server.requests) == 1
    assert llm.capabilities.images is False


# -- what is kept of an answer


def call_piece(index: int | None, **fields: Any) -> dict[str, Any]:
    named = {k: fields[k] for k in ("name", "arguments") if k in fields}
    piece = {"function": named} | ({"id": fields["id"]} if "id" in fields else {})
    return chunk({"tool_calls": [piece if index is None else piece | {"index": index}]})


@pytest.mark.parametrize(
    "pieces",
    [
        [
            call_piece(0, id="a", name="add", arguments=""),
            call_piece(0, arguments='{"x"'),
            call_piece(1, id="b", name="sub", arguments="{"),
            call_piece(0, arguments=": 1}"),
            call_piece(1, arguments="}"),
        ],
        [call_piece(0, id="a", name="add", arguments='{"x": 1}'), call_piece(0, id="b", name="sub", arguments="{}")],
        [call_piece(None, id="a", name="add", arguments='{"x": 1}'), call_piece(None, id="b", name="sub")],
        [call_piece(0, id="a", name="add", arguments={"x": 1}), call_piece(1, id="b", name="sub", arguments=None)],
    ],
    ids=["by index", "one index for all", "no index", "arguments as an object"],
)
async def test_streamed_tool_calls_are_put_together(pieces: list[Any], server: Server, chat: OpenChat) -> None:
    server.script(stream([*pieces, chunk({}, finish="tool_calls")]))
    llm = chat()
    completion = await llm.complete(ASK, Options(tools=(TOOL,)))
    assert completion.tool_calls == (ToolCall("a", "add", '{"x": 1}'), ToolCall("b", "sub", "{}"))
    assert completion.finish == "tool_calls"
    assert llm.capabilities.tools is True


async def test_tool_arguments_that_are_no_json_come_as_they_are(server: Server, chat: OpenChat) -> None:
    server.script(stream([call_piece(0, id="a", name="add", arguments="x = 1"), chunk({}, finish="tool_calls")]))
    completion = await chat().complete(ASK, Options(tools=(TOOL,)))
    assert completion.tool_calls[0].arguments == "x = 1"


@pytest.mark.parametrize(
    "pieces",
    [
        [chunk({"reasoning_content": "Let me see."}), *words("Blue.")],
        [chunk({"reasoning": "Let me see."}), *words("Blue.")],
        words("<think>Let me see.</think>\n\nBlue."),
        words("Let me see.</think>\n\nBlue."),
        [chunk({"content": [{"type": "thinking"}]}), chunk({"content": [{"type": "text", "text": "Blue."}]})],
    ],
    ids=["field", "other field", "in the text", "opened by the template", "parts"],
)  # fmt: skip
async def test_thinking_is_kept_apart_from_the_reply(pieces: list[Any], server: Server, chat: OpenChat) -> None:
    server.script(stream([*pieces, chunk({}, finish="stop")]))
    heard: list[str] = []
    completion = await chat().complete(ASK, Options(), heard.append)
    begun = len(heard) - heard[::-1].index("") if "" in heard else 0
    assert completion.text == "".join(heard[begun:]) == "Blue."
    assert completion.reasoning in ("Let me see.", "")


async def test_usage_is_what_the_endpoint_says(server: Server, chat: OpenChat) -> None:
    said = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 64}}
    server.script(says("fine", usage=said))
    usage = (await chat().complete(ASK, Options())).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_prompt_tokens) == (100, 5, 64)
    assert usage.cost_usd is None
    server.script(says("fine", usage={"prompt_tokens": "many", "completion_tokens": -1}))
    usage = (await chat().complete(ASK, Options())).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (None, None)


async def test_retry_marks_a_new_beginning_for_who_listens(server: Server, chat: OpenChat, waits: list[float]) -> None:
    server.script(stream(words("half an ans"), done=False), says("whole"))
    heard: list[str] = []
    await chat().complete(ASK, Options(), heard.append)
    assert heard == ["half an", " ans", "", "whole"]
    assert len(waits) == 1


async def test_unfinished_stream_without_done_is_complete_once_it_said_why_it_ended(
    server: Server, chat: OpenChat
) -> None:
    server.script(stream([*words("fine"), chunk({}, finish="stop")], done=False))
    assert (await chat().complete(ASK, Options())).usage.attempts == 1


# -- side by side, and broken off


async def test_cancelled_call_ends_at_once(server: Server, chat: OpenChat) -> None:
    server.script(silent())
    task = asyncio.create_task(chat().complete(ASK, Options()))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)


async def test_wait_before_a_retry_can_be_cancelled(server: Server, chat: OpenChat) -> None:
    from autoflow.llm.retry import RetryPolicy

    server.script(error(429, "later", retry_after="60"))
    task = asyncio.create_task(chat(retry=RetryPolicy()).complete(ASK, Options()))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)


async def test_many_calls_at_once_get_each_their_own_answer(server: Server, chat: OpenChat) -> None:
    async def echo(writer: asyncio.StreamWriter, request: Any) -> None:
        await says(request.body["messages"][0]["content"] * 3)(writer, request)

    server.script(echo)
    llm = chat()
    asked = [f"<{n}>" for n in range(30)]
    answers = await asyncio.gather(*(llm.complete([Message("user", text)], Options()) for text in asked))
    assert [answer.text for answer in answers] == [text * 3 for text in asked]


async def test_connection_is_used_again(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    llm = chat()
    for _ in range(5):
        await llm.complete(ASK, Options())
    assert (len(server.requests), server.connections) == (5, 1)


# -- what people give


@pytest.mark.parametrize(
    "address",
    ["localhost:11434", "", "ftp://host/v1", "http://", "http://host:port/v1", "http://a b/v1", "http://[::1"],
)
def test_address_that_is_none_is_told(address: str, chat: OpenChat) -> None:
    with pytest.raises(SettingsError, match="no address of a model server"):
        chat(base_url=address)


@given(st.text(max_size=20), st.text(max_size=12) | st.just("\u00fcml\u00e4ut"))
def test_any_address_and_key_open_or_fail_as_told(address: str, key: str) -> None:
    with suppress(SettingsError, ModelAuthError):  # anything else fails the test
        assert OpenAIChat("m", base_url=f"http://{address}/v1", api_key=key).base_url


def test_key_is_taken_without_white_space_and_never_with_line_breaks(chat: OpenChat) -> None:
    with pytest.raises(ModelAuthError, match="OPENAI_API_KEY holds characters that no key has"):
        chat(api_key="sk-1\nsk-2")
    with pytest.raises(ModelAuthError, match="WORK_KEY"):
        chat(api_key="s\u043a-1", key_env="WORK_KEY")


async def test_pasted_key_is_trimmed(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    await chat(api_key=" sk-1\n").complete(ASK, Options())
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"


async def test_time_limit_of_zero_is_no_missing_limit(server: Server, chat: OpenChat) -> None:
    server.script(says("fine"))
    with pytest.raises(ModelUnavailable, match="within 0 s"):
        await chat().complete(ASK, Options(timeout_s=0.0))


async def test_mark_of_thinking_inside_a_constrained_reply_is_text(server: Server, chat: OpenChat) -> None:
    server.script(says('{"a": "x</think>y"}'))
    constraint = JsonSchema({"type": "object"})
    assert (await chat().complete(ASK, Options(constraint=constraint))).text == '{"a": "x</think>y"}'


async def test_schema_that_is_ignored_in_silence_is_not_called_kept(server: Server, chat: OpenChat) -> None:
    """The reply fits the choice by luck; the JSON that the schema asks for is not there."""
    server.script(unless("grammar", says("yes")))
    completion = await chat().complete(ASK, YES_NO)
    assert (completion.text, completion.strength) == ("yes", "prompt")


async def test_grammar_that_an_engine_cannot_parse_does_not_cost_the_others_theirs(
    server: Server, chat: OpenChat
) -> None:
    bad = error(400, "Failed to parse grammar")
    server.script(refusing(lambda body: body.get("grammar") == "broken", bad, says("a", **LLAMA)))
    llm = chat()
    assert (await llm.complete(ASK, Options(constraint=Grammar("broken")))).strength == "prompt"
    assert (await llm.complete(ASK, GBNF)).strength == "grammar"


async def test_server_error_that_mentions_tools_is_no_missing_feature(server: Server, chat: OpenChat) -> None:
    server.script(error(500, "Failed to parse tool call: unexpected end of input"))
    llm = chat()
    with pytest.raises(ModelUnavailable):
        await llm.complete(ASK, Options(tools=(TOOL,)))
    assert llm.capabilities.tools is None


async def test_words_of_the_endpoint_are_not_taken_for_keys(server: Server, chat: OpenChat) -> None:
    server.script(error(400, "keyword-arguments and skateboarding; but sk-proj-0123456789abcdef"))
    with pytest.raises(ModelRequestError, match=r"keyword-arguments and skateboarding; but \[key\]"):
        await chat().complete(ASK, Options())
