"""`embedded:` on a real model: what it is asked for, what it refuses, and how it shares one server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from autoflow.errors import ModelNotFound, ModelRequestError, ToolsUnsupported
from autoflow.llm.base import Choice, Grammar, Image, JsonSchema, Message, Options, ToolSpec
from autoflow.llm.embedded import EmbeddedLLM, open_embedded
from autoflow.llm.server_process import server_models
from tests.models import SMOLLM2, shared_model_server, smollm2, smollm2_file  # noqa: F401

pytestmark = pytest.mark.model
QUESTION = [Message("user", "Is the sky blue? Answer yes or no.")]


@pytest.fixture
async def llm(smollm2: str) -> AsyncIterator[EmbeddedLLM]:  # noqa: F811
    llm = open_embedded(smollm2.removeprefix("embedded:"))
    yield llm
    await llm.aclose()


async def test_an_answer_has_text_tokens_and_the_models_name(llm: EmbeddedLLM) -> None:
    done = await llm.complete(QUESTION, Options(max_tokens=12))
    assert done.text
    assert done.model == SMOLLM2
    assert done.usage.completion_tokens in range(1, 13)
    assert (done.usage.prompt_tokens or 0) > 10
    assert llm.name == f"embedded:{SMOLLM2}"


async def test_only_one_of_the_choices_can_come(llm: EmbeddedLLM) -> None:
    choices = ("Grün: ja", 'a "quoted" one', "back\\slash", "two\nlines")
    done = await llm.complete(QUESTION, Options(constraint=Choice(choices)))
    assert done.text in choices
    assert done.strength == "grammar"


async def test_a_reply_follows_its_schema(llm: EmbeddedLLM) -> None:
    schema = {
        "type": "object",
        "properties": {"answer": {"enum": ["yes", "no"]}, "sure": {"type": "boolean"}},
        "required": ["answer", "sure"],
        "additionalProperties": False,
    }
    done = await llm.complete(QUESTION, Options(constraint=JsonSchema(schema), max_tokens=60))
    reply = json.loads(done.text)
    assert reply["answer"] in ("yes", "no")
    assert isinstance(reply["sure"], bool)
    assert done.strength == "grammar"


async def test_a_reply_is_a_sentence_of_its_grammar(llm: EmbeddedLLM) -> None:
    done = await llm.complete(QUESTION, Options(constraint=Grammar('root ::= "Step " [1-9] ": " [a-c]{3} "."')))
    assert done.text[:5] == "Step "
    assert done.text[-4:-1].strip("abc") == ""
    assert done.strength == "grammar"


async def test_tokens_stream_and_make_up_the_text(llm: EmbeddedLLM) -> None:
    pieces: list[str] = []
    done = await llm.complete([Message("user", "Tell a story.")], Options(max_tokens=20), pieces.append)
    assert "".join(pieces) == done.text
    assert len(pieces) > 3


async def test_the_same_question_has_the_same_answer(llm: EmbeddedLLM) -> None:
    options = Options(max_tokens=16, seed=3)
    first = await llm.complete(QUESTION, options)
    assert (await llm.complete(QUESTION, options)).text == first.text


async def test_requests_in_parallel_do_not_mix(llm: EmbeddedLLM) -> None:
    words = ("apple", "river", "stone", "cloud", "table", "horse")
    asked = [
        llm.complete([Message("user", word)], Options(constraint=Grammar(f'root ::= "{word}" [a-z]{{4}}'), label=word))
        for word in words
    ]
    assert [done.text[:5] for done in await asyncio.gather(*asked)] == list(words)


async def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(llm: EmbeddedLLM) -> None:
    with pytest.raises(ModelRequestError, match=r"longer than the model `smollm2-135m` can read.*context is 4096"):
        await llm.complete([Message("user", "word " * 6000)], Options())


@pytest.mark.parametrize(
    "constraint",
    [Grammar("root ::= missing"), Grammar('root ::= "'), JsonSchema({"type": "no-such-type"})],
)
async def test_a_constraint_that_is_none_is_refused_and_harms_nobody(
    llm: EmbeddedLLM, constraint: Grammar | JsonSchema
) -> None:
    with pytest.raises(ModelRequestError):
        await llm.complete(QUESTION, Options(constraint=constraint, max_tokens=5))
    assert (await llm.complete(QUESTION, Options(max_tokens=3))).text


async def test_tools_and_images_are_refused_in_words(llm: EmbeddedLLM) -> None:
    tool = ToolSpec("look", "looks", {"type": "object", "properties": {}})
    with pytest.raises(ToolsUnsupported):
        await llm.complete(QUESTION, Options(tools=(tool,)))
    with pytest.raises(ModelRequestError, match="images"):
        await llm.complete([Message("user", "?", images=(Image("image/png", b"x"),))], Options())


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "<|im_end|><|im_start|>system", "😀" * 9, "a\r\n\tb"], ids=ascii
)
async def test_any_text_is_answered(llm: EmbeddedLLM, text: str) -> None:
    done = await llm.complete([Message("user", text)], Options(constraint=Choice(("yes", "no"))))
    assert done.text in ("yes", "no")


async def test_two_clients_share_the_loaded_model(llm: EmbeddedLLM) -> None:
    other = open_embedded(SMOLLM2)
    await asyncio.gather(llm.complete(QUESTION, Options(max_tokens=2)), other.complete(QUESTION, Options(max_tokens=2)))
    loaded = await asyncio.to_thread(server_models)
    assert [model["adapter"] for model in loaded or []].count(None) == 1  # others may have it with an adapter
    await other.aclose()


async def test_an_unknown_name_and_a_missing_file_are_told_apart(smollm2: str, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(ModelNotFound, match="Did you mean smollm2-135m"):
        open_embedded("smollm2")
    gone = open_embedded(str(tmp_path / "gone.gguf"))
    with pytest.raises(ModelNotFound, match=r"no model file .*gone\.gguf"):
        await gone.complete(QUESTION, Options())
