"""A real model of 135 million weights, which knows nothing of CoRE: only the grammar makes it write workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from autoflow.generate.generator import ANSWER_TOKENS, generate
from autoflow.generate.task import first_messages
from autoflow.lang import parse
from autoflow.llm.base import LLM, Options
from autoflow.llm.registry import open_llm
from autoflow.records import TaskInput
from autoflow.tools import local_tools
from tests.models import shared_model_server, smollm2, smollm2_file  # noqa: F401

pytestmark = pytest.mark.model
CONTEXT = 8192  # tokens of the smallest model that is shipped
INPUTS = [TaskInput(name="mail", text="My kettle leaks. I want my money back.")]


@pytest.fixture
async def llm(smollm2: str) -> AsyncIterator[LLM]:  # noqa: F811
    llm = open_llm(smollm2, cache=False)
    yield llm
    await llm.aclose()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_small_model_writes_a_workflow_without_faults_under_the_grammar(llm: LLM, seed: int) -> None:
    heard: list[str] = []
    tools = [tool.spec for tool in local_tools()]
    draft = await generate(
        "Decide whether a refund mail is justified.", INPUTS, tools, llm, max_steps=4, seed=seed, on_token=heard.append
    )
    assert (draft.ok, draft.rounds, draft.constrained, draft.strength) == (True, 0, True, "grammar")
    assert draft.diagnostics == ()
    assert 3 <= len(parse(draft.text).workflow.steps) <= 4
    assert "".join(heard) == draft.replies[0]
    assert len(heard) > 20


async def test_an_objective_of_100_000_characters_leaves_room_for_the_workflow(llm: LLM) -> None:
    unit = "👩‍👩‍👧"  # of all texts one of those that take the most tokens a character
    asked = first_messages(unit * (100_000 // len(unit)), INPUTS, [], 3, 8)
    read = await llm.complete(asked, Options(max_tokens=1))
    assert 1_000 < read.usage.prompt_tokens < CONTEXT - ANSWER_TOKENS
