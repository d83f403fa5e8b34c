"""`local:` on a real model: the contract, what it says, and that it is what llama.cpp makes of the same file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoflow.lang import parse_strict
from autoflow.lang.grammar import core_grammar
from autoflow.llm.base import LLM, Choice, JsonSchema, Message, Options
from autoflow.llm.embedded import open_embedded
from autoflow.llm.local import open_local
from autoflow.llm.local.backend import LocalLLM
from autoflow.llm.local.engine import forget_engines
from autoflow.testing import COLOUR_SCHEMA, COLOURS, LLMContract
from tests.models import SMOLLM2, shared_model_server, smollm2, smollm2_file  # noqa: F401

pytestmark = pytest.mark.model
QUESTIONS = [
    [Message("user", text)]
    for text in (
        "What is the capital of France? Answer in one sentence.",
        "Name three colours.",
        "Say hello.",
        "What is two plus two?",
    )
]


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    yield
    forget_engines()


@pytest.fixture
def llm(smollm2: str) -> LocalLLM:  # noqa: F811
    return open_local(SMOLLM2)


class TestContract(LLMContract):
    max_tokens = 8

    @pytest.fixture(autouse=True)
    def _with_a_model(self, smollm2: str) -> None:  # noqa: F811
        pass

    async def open(self) -> LLM:
        return open_local(SMOLLM2)


async def test_it_knows_the_capital_of_france(llm: LocalLLM) -> None:
    assert "Paris" in (await llm.complete(QUESTIONS[0], Options(max_tokens=12))).text


async def test_a_batch_answers_as_one_by_one(llm: LocalLLM) -> None:
    options = Options(max_tokens=12)
    alone = [(await llm.complete(asked, options)).text for asked in QUESTIONS]
    together = await asyncio.gather(*(llm.complete(asked, options) for asked in QUESTIONS))
    assert [done.text for done in together] == alone


async def test_a_seed_gives_the_same_text_whatever_else_is_asked(llm: LocalLLM) -> None:
    options = Options(max_tokens=12, temperature=1.0, seed=11)
    alone = (await llm.complete(QUESTIONS[1], options)).text
    together = await asyncio.gather(*(llm.complete(asked, options) for asked in QUESTIONS))
    assert together[1].text == alone


async def test_constraints_of_neighbours_are_kept(llm: LocalLLM) -> None:
    limits = {"max_tokens": 24, "temperature": 1.0, "seed": 1}
    chosen, formed, free = await asyncio.gather(
        llm.complete(QUESTIONS[1], Options(constraint=Choice(COLOURS), **limits)),
        llm.complete(QUESTIONS[1], Options(constraint=JsonSchema(COLOUR_SCHEMA), **limits)),
        llm.complete(QUESTIONS[1], Options(**limits)),
    )
    assert chosen.text in COLOURS
    assert json.loads(formed.text)["colour"] in COLOURS
    assert free.text not in COLOURS


async def test_workflows_under_the_grammar_of_core_are_valid(llm: LocalLLM) -> None:
    grammar = core_grammar(2, 3, max_words=5)
    asked = [Message("user", "Write a workflow in CoRE that answers a letter.")]
    options = [Options(max_tokens=200, temperature=1.0, seed=n, constraint=grammar) for n in range(3)]
    done = await asyncio.gather(*(llm.complete(asked, one) for one in options))
    whole = [one.text for one in done if one.finish == "stop"]
    assert whole
    assert all(2 <= len(parse_strict(text).steps) <= 3 for text in whole)


async def test_it_begins_as_llama_cpp_does(llm: LocalLLM, smollm2: str) -> None:  # noqa: F811
    """The same weights, read by two programs: the first words are the same where the choice is no near one."""
    embedded = open_embedded(SMOLLM2)
    same = 0
    for asked in QUESTIONS:
        options = Options(max_tokens=4)
        same += (await llm.complete(asked, options)).text == (await embedded.complete(asked, options)).text
    await embedded.aclose()
    assert same >= 3


async def test_it_is_converted_once_and_whole(llm: LocalLLM, smollm2_file: Path) -> None:  # noqa: F811
    await llm.complete(QUESTIONS[2], Options(max_tokens=2))
    made = list(smollm2_file.parent.glob("safetensors-*"))
    assert len(made) == 1
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in made[0].iterdir()}
    assert not list(smollm2_file.parent.glob(".converting-*"))
    written = made[0].stat().st_mtime_ns
    forget_engines()
    await open_local(SMOLLM2).complete(QUESTIONS[2], Options(max_tokens=2))
    assert made[0].stat().st_mtime_ns == written
