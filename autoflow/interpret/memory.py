"""Memory: which observations a step sees. Every strategy says what it chose, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from autoflow.errors import ModelError
from autoflow.interpret.branches import read_branch
from autoflow.interpret.prompting import Part
from autoflow.interpret.replies import json_object, visible
from autoflow.interpret.run import Run
from autoflow.interpret.state import CHARACTERS_A_TOKEN, Observation
from autoflow.lang.marks import read_marks
from autoflow.lang.workflow import Step
from autoflow.llm.base import Choice, JsonSchema
from autoflow.tools.ranking import Ranking

COMPARED = 400  # the most recent observations; older ones are not looked at, so that a step's work is bounded


class Embedder(Protocol):
    """Says how near texts are in meaning."""

    @property
    def name(self) -> str:
        """Named in the record of every choice made with it."""
        ...

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Similarity of each text to the query; higher is nearer. Between 0 and 1, or -1 and 1 for vectors."""
        ...


class Lexical:
    """Not an embedding, and not called one: cosine of word weights (TF-IDF). Needs no model."""

    name = "lexical"

    def __init__(self) -> None:
        self._ranking = Ranking()

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        return self._ranking.scores(query, texts)


async def recall(run: Run, step: Step, embedder: Callable[[], Embedder]) -> list[Observation]:
    """The observations that this step is shown, in the order in which they were made, within the limit of tokens.

    `embedder` is only asked for where one is needed: finding the best takes time.
    """
    observations = run.state.observations
    if not observations:
        return []
    calls = run.visit_calls
    strategy, wanted, why = await _choose(run, step, embedder, observations)
    chosen = _fitting(wanted, _room(run))
    run.emit("memory_choice", strategy=strategy, considered=len(observations), chosen=[o.id for o in chosen],
             calls=run.visit_calls - calls, why=why)  # fmt: skip
    return chosen


async def _choose(
    run: Run, step: Step, embedder: Callable[[], Embedder], observations: Sequence[Observation]
) -> tuple[str, Sequence[Observation], str]:
    """The strategy that was used, what it wants shown (most wanted first), and why."""
    newest_first = observations[: -COMPARED - 1 : -1]
    match run.policy.memory:
        case "none":
            return "none", (), "the policy shows no observations"
        case "direct":
            return "direct", await _picked(run, step, newest_first), "the model picked from the list"
        case "traverse":
            return "traverse", await _asked_each(run, step, observations[::-1]), "the model was asked about each"
        case "all" if _all_fit(observations, _room(run)):
            return "all", newest_first, "all fit"
        case _:
            return await _nearest(run, step, embedder(), newest_first)


def _room(run: Run) -> int:
    """Characters that observations may take of a prompt."""
    return run.policy.memory_tokens * CHARACTERS_A_TOKEN


def _all_fit(observations: Sequence[Observation], room: int) -> bool:
    """Looks at no more than fit, so that a step of a long run costs no more than one of a short run."""
    if len(observations) > COMPARED:
        return False
    for observation in observations:
        room -= len(observation.line)
        if room < 0:
            return False
    return True


async def _nearest(
    run: Run, step: Step, embedder: Embedder, observations: Sequence[Observation]
) -> tuple[str, Sequence[Observation], str]:
    """By similarity, without a call. Equally near ones: the most recent first, which is their order here."""
    texts = [o.line for o in observations]
    query = f"{step.name} {read_marks(step.instruction)[0]}"
    try:
        scores = await embedder.scores(query, texts)
    except ModelError as error:
        run.warn(error.message, "Observations were compared by their words instead.")
        embedder = Lexical()
        scores = await embedder.scores(query, texts)
    ranked = [o for _, o in sorted(zip(scores, observations, strict=True), key=lambda pair: -pair[0])]
    strategy = "lexical" if embedder.name == "lexical" else "embedding"
    return strategy, ranked, f"nearest first by {embedder.name}"


async def _picked(run: Run, step: Step, observations: Sequence[Observation]) -> list[Observation]:
    """One call picks from the descriptions."""
    listed = "\n".join(f"{o.id}: {o.description}" for o in observations)
    ids = [o.id for o in observations]
    schema = {
        "type": "object",
        "properties": {"ids": {"type": "array", "items": {"type": "string", "enum": ids}}},
        "required": ["ids"],
        "additionalProperties": False,
    }
    objective, wish = run.context.task.objective, read_marks(step.instruction)[0]
    text = run.fill("memory-direct", objective=objective, instruction=wish, observations=listed)
    reply = await run.ask([Part("memory", "user", text)], purpose="memory", constraint=JsonSchema(schema, "memory"))
    named = _ids(visible(reply.text))
    return [o for o in observations if o.id in named]


def _ids(text: str) -> set[str]:
    found = json_object(text)
    listed = found.get("ids") if found else None
    return {str(i) for i in listed} if isinstance(listed, list) else set(re.findall(r"\bo\d+\b", text))


async def _asked_each(run: Run, step: Step, observations: Sequence[Observation]) -> list[Observation]:
    """One call for each observation; a reply that is neither yes nor no keeps it."""
    wanted: list[Observation] = []
    objective, wish = run.context.task.objective, read_marks(step.instruction)[0]
    for observation in observations:
        told = f"{observation.description}: {observation.text}"
        text = run.fill("memory-traverse", objective=objective, instruction=wish, observation=told)
        reply = await run.ask([Part("memory", "user", text)], purpose="memory", constraint=Choice(("yes", "no")))
        if read_branch(visible(reply.text), ("yes", "no")) != "no":
            wanted.append(observation)
    return wanted


def _fitting(wanted: Sequence[Observation], room: int) -> list[Observation]:
    """As many as fit, most wanted first; the first is cut where it alone is too long. In the order of their making."""
    chosen: list[Observation] = []
    for observation in wanted:
        size = len(observation.line)
        if size <= room:
            chosen.append(observation)
            room -= size
        elif not chosen and room > size - len(observation.text):
            chosen.append(replace(observation, text=observation.text[: room - size] + " ..."))
            break
    return sorted(chosen, key=lambda o: int(o.id[1:]))
