"""Method `paper`: the in-context optimizer as published (arXiv 2407.12821), with prompts of our own.

One chat: the role, two tasks, the range of the reward and the grammar; the manual workflow as the first answer; then in
each round a new workflow, its reward on all train tasks, or its error. A new best on train is measured further, here on
validation, where the published loop looks at its test tasks.

Kept as published, so that other methods can be measured against it: one draft a round, the whole chat as history, no
choice of parents, no feedback but the reward. Left out: a chat that grows beyond the model's context (the oldest rounds
are dropped, which the note of the candidate says), and a second model that repairs grammar.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.generate.generator import mend
from autoflow.lang.grammar import core_grammar
from autoflow.llm.base import Message, Options, rough_tokens
from autoflow.optimize.base import Draft, Optimizer, Rules, Workshop
from autoflow.optimize.options import PaperOptions, options_of
from autoflow.optimize.telling import examples, words
from autoflow.prompts import fill, load
from autoflow.study import Candidate, StudySpec

INVALID_REWARD = -2.0  # told for a text that cannot run, as published
CONTEXT = 3_000  # tokens of history that are told; more does not fit a context of 4,096 with its answer
ANSWER_TOKENS = 900


class Paper(Optimizer):
    """The published structure."""

    def __init__(self, spec: StudySpec) -> None:
        self._options = options_of(spec, PaperOptions)
        self.rules = Rules(minibatch=0)

    async def propose(self, workshop: Workshop, round_: int) -> list[Draft]:
        messages, dropped = self._chat(workshop)
        grammar = core_grammar(2, self._options.max_steps) if workshop.generator.capabilities.grammar else None
        options = Options(
            temperature=self._options.temperature, seed=workshop.seed("paper", round_), max_tokens=ANSWER_TOKENS,
            constraint=grammar, label=f"the workflow of round {round_}",
        )  # fmt: skip
        completion = await workshop.generator.complete(messages, options)
        note = f"The first {dropped} rounds of the chat no longer fit." if dropped else ""
        text = mend(completion.text).text or completion.text
        return [Draft(text, self._last(workshop), "new answer in the chat", note, workshop.take())]

    async def learn(self, workshop: Workshop, candidates: Sequence[Candidate]) -> None:
        """The chat is told their rewards in the next round."""

    def _last(self, shop: Workshop) -> int:
        return self._told(shop)[-1].number

    def _told(self, shop: Workshop) -> list[Candidate]:
        """The manual workflow (or what stands for it) and all proposals, in order."""
        first = shop.view.candidates[0]
        return [first, *(c for c in shop.view.candidates if c.round > 0)]

    def _chat(self, shop: Workshop) -> tuple[list[Message], int]:
        """The chat, and how many of the oldest rounds were left out of it."""
        system = fill(
            load("optimize", "paper-system"), examples=examples(shop, 2), vocabulary=words(shop),
            grammar=fill(load("generate", "system")),
        )  # fmt: skip
        first, *later = self._told(shop)
        room = CONTEXT - rough_tokens(len(system) + len(first.text))
        kept: list[Candidate] = []
        for candidate in reversed(later):
            room -= rough_tokens(len(candidate.text) + 80)
            if room < 0:
                break
            kept.insert(0, candidate)
        chat = [Message("system", system), Message("user", fill(load("optimize", "paper-first")))]
        for candidate in [first, *kept]:
            chat += [Message("assistant", candidate.text.strip()), Message("user", self._reward(shop, candidate))]
        return chat, len(later) - len(kept)

    def _reward(self, shop: Workshop, candidate: Candidate) -> str:
        found = INVALID_REWARD if candidate.error else shop.view.reward(candidate.number, "train")
        told = "not measured" if found is None else f"{found:.4f}"
        error = f" (it cannot run: {candidate.error})" if candidate.error else ""
        return fill(load("optimize", "paper-next"), reward=told, error=error)
