"""Operators that write a whole workflow."""

from __future__ import annotations

from autoflow.generate.generator import mend
from autoflow.lang.grammar import core_grammar
from autoflow.llm.base import Message, Options
from autoflow.optimize.operators.base import Bench, Edit
from autoflow.optimize.telling import examples, feedback, history, told_reward, words
from autoflow.prompts import fill, load

REWRITE = "rewrite"  # its name
EXAMPLES = 3  # tasks that are shown
MIN_STEPS = 2
TOKENS_A_STEP = 90


async def rewrite(bench: Bench) -> Edit | None:
    """A better workflow, by a generator that sees this one, where it went wrong, and what was tried before."""
    shop, options = bench.shop, bench.options
    asked = fill(
        load("optimize", "rewrite"),
        examples=examples(shop, EXAMPLES),
        vocabulary=words(shop),
        reward=told_reward(shop.view, bench.parent.number),
        workflow=bench.parent.text.strip(),
        feedback=await feedback(shop, bench.parent.number, options.worst),
        history=history(shop.view, options.history, bench.parent.number),
        min_steps=str(MIN_STEPS),
        max_steps=str(options.max_steps),
    )
    text = await _written(bench, asked, "a better workflow")
    return Edit(text) if text else None


async def restart(bench: Bench) -> Edit | None:
    """A workflow from the tasks alone, so that a search is not tied to where it began."""
    asked = fill(
        load("optimize", "restart"),
        examples=examples(bench.shop, EXAMPLES),
        vocabulary=words(bench.shop),
        min_steps=str(MIN_STEPS),
        max_steps=str(bench.options.max_steps),
    )
    text = await _written(bench, asked, "a new workflow")
    return Edit(text, from_scratch=True) if text else None


async def _written(bench: Bench, asked: str, label: str) -> str:
    """What the generator wrote, mended; held to the grammar where it can be."""
    model, most = bench.shop.generator, bench.options.max_steps
    grammar = core_grammar(MIN_STEPS, most) if model.capabilities.grammar is not False else None
    options = Options(
        temperature=bench.options.temperature, seed=bench.seed, max_tokens=TOKENS_A_STEP * most, constraint=grammar,
        label=label,
    )  # fmt: skip
    messages = [Message("system", fill(load("generate", "system"))), Message("user", asked)]
    completion = await model.complete(messages, options)
    return mend(completion.text).text or completion.text
