"""From an objective to CoRE text: under a grammar where the backend can, else a free reply that is read and mended.

Every reply is read by `extract` and mended by the certain rules of `fix_all`; where errors remain the model is shown
them and writes again, at most REPAIR_ROUNDS times. The text with the fewest errors is kept, and every raw reply.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autoflow.errors import BudgetExceeded, ModelError, ModelReplyError, SettingsError
from autoflow.generate.task import first_messages, repair_message, shorten
from autoflow.lang import Diagnostic, ParseResult, fix_all, has_errors, parse
from autoflow.lang.extract import extract
from autoflow.lang.grammar import core_grammar
from autoflow.llm.base import LLM, Completion, Constraint, Message, OnToken, Options, Strength, ToolSpec
from autoflow.llm.wrappers.meter import totals_of
from autoflow.records import TaskInput, Totals

REPAIR_ROUNDS = 2
ANSWER_TOKENS = 2048  # at least; it only ends what would never end
STEP_TOKENS = 200  # of a step that is as long and odd as the grammar allows, nearly
THINKING_TOKENS = 8192  # where the model may think first: behind an endpoint, without the grammar
SHOWN_WORKFLOW, SHOWN_TALK = 6_000, 1_000  # bytes of a faulty reply that a repair round shows
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """What came of one generation."""

    text: str  # the best workflow so far; without any steps where no reply held one
    diagnostics: tuple[Diagnostic, ...]  # of `text`
    rounds: int  # repair rounds that were answered, 0 to REPAIR_ROUNDS
    totals: Totals
    replies: tuple[str, ...]  # what the model wrote, whole and in order; nothing is lost
    constrained: bool  # every reply was decoded under the grammar
    strength: Strength  # how strongly the last reply was held to the grammar
    error: str = ""  # what ended the generation while the workflow still had errors, where a call failed

    @property
    def ok(self) -> bool:
        """No error diagnostic: the workflow may run."""
        return not has_errors(self.diagnostics)

    @property
    def has_steps(self) -> bool:
        """The text holds a workflow, perhaps a faulty one."""
        return all(d.slug != "no-steps" for d in self.diagnostics)


OnDraft = Callable[[Draft], None]


async def generate(
    objective: str,
    inputs: Sequence[TaskInput],
    tools: Sequence[ToolSpec],
    llm: LLM,
    *,
    constrained: bool | None = None,
    min_steps: int = 3,
    max_steps: int = 8,
    seed: int | None = 0,
    temperature: float = 0.4,
    answer_tokens: int | None = None,
    on_token: OnToken | None = None,
    on_draft: OnDraft | None = None,
) -> Draft:
    """Let `llm` write a workflow.

    Args:
        objective: what should get done; a very long one is cut in the middle, with a note.
        inputs: only their names and kinds are shown.
        constrained: True: under the grammar or not at all; False: free text; None: as the backend can.
        min_steps, max_steps: `2 <= min_steps <= max_steps`. A free model is asked for it, a constrained one held to it.
        seed: of the first call; repair rounds count on from it. None: the backend's choice.
        temperature: above 0 so that drafts of other seeds differ.
        answer_tokens: completion tokens that a reply may take. None: what is sensible.
        on_token: called with each piece of text, and with "" where a reply begins anew; must not block.
        on_draft: called after each reply with the best so far, so that a cancelled generation loses nothing.
    Raises: ModelError or BudgetExceeded where the first call failed and left no text; later failures are told in
        `Draft.error`. SettingsError: an argument breaks its rule, or the grammar is asked of a backend that cannot.
    """
    if not 2 <= min_steps <= max_steps:
        raise SettingsError(f"`2 <= min_steps <= max_steps` must hold, but got {min_steps=}, {max_steps=}.")
    messages = asked = first_messages(objective, inputs, tools, min_steps, max_steps)
    work = _Work(_constraint(llm, constrained, min_steps, max_steps), on_token)
    for round_ in range(REPAIR_ROUNDS + 1):
        options = Options(
            temperature=temperature,
            seed=None if seed is None else seed + round_,
            max_tokens=answer_tokens or _room(llm, max_steps),
            constraint=work.constraint,
            label=f"repair round {round_} of the workflow" if round_ else "the workflow",
        )
        await work.call(llm, messages, options)
        draft = work.draft()
        if on_draft is not None:
            on_draft(draft)
        if draft.ok or draft.error:
            break
        messages = [*asked, *work.repair(min_steps, max_steps)]
    return draft


def _room(llm: LLM, max_steps: int) -> int:
    """Completion tokens that a reply may take: a workflow that is cut has errors, also under the grammar."""
    return max(ANSWER_TOKENS if llm.capabilities.grammar else THINKING_TOKENS, STEP_TOKENS * max_steps)


def _constraint(llm: LLM, wanted: bool | None, min_steps: int, max_steps: int) -> Constraint | None:
    able = llm.capabilities.grammar
    if wanted and able is False:
        raise SettingsError(f"`{llm.name}` cannot be held to a grammar.", "Generate freely, or choose another model.")
    return None if wanted is False or able is False else core_grammar(min_steps, max_steps)


@dataclass(slots=True)
class _Work:
    """What a generation has so far."""

    constraint: Constraint | None
    on_token: OnToken | None
    replies: list[str] = field(default_factory=list)
    read: list[ParseResult] = field(default_factory=list)  # the replies, read and mended
    strengths: list[Strength] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    streamed: list[str] = field(default_factory=list)  # pieces of the reply under way
    error: str = ""

    async def call(self, llm: LLM, messages: Sequence[Message], options: Options) -> None:
        """One reply. Where the call fails, what did arrive counts as the reply. Raises: nothing has arrived so far."""
        self._stream("")
        try:
            completion = await llm.complete(messages, options, self._stream)
        except (ModelError, BudgetExceeded) as error:
            partial = (error.partial if isinstance(error, ModelReplyError) else "") or "".join(self.streamed)
            if not self.replies and not partial.strip():
                raise
            log.warning("%s stopped while it wrote a workflow: %s", llm.name, error)
            self.error = str(error)
            if partial.strip():
                self._take(Completion(partial))
            return
        self.totals += totals_of(completion.usage)
        self._take(completion)

    def draft(self) -> Draft:
        """The best so far: any steps before none, then the fewest errors, then the earlier."""
        best = min(self.read, key=lambda r: (not r.workflow.steps, len(r.errors)))
        return Draft(
            text=best.text,
            diagnostics=best.diagnostics,
            rounds=len(self.replies) - 1,
            totals=self.totals,
            replies=tuple(self.replies),
            constrained=all(s == "grammar" for s in self.strengths),
            strength=self.strengths[-1],
            error=self.error,
        )

    def repair(self, min_steps: int, max_steps: int) -> tuple[Message, Message]:
        """The latest reply, as it was read, and what is wrong with it."""
        latest = self.read[-1]
        if latest.workflow.steps:
            shown = shorten(latest.text.strip(), SHOWN_WORKFLOW)
        else:
            shown = shorten(self.replies[-1].strip(), SHOWN_TALK)
        return (
            Message("assistant", shown or "(nothing)"),
            repair_message(latest.diagnostics, latest.text, min_steps, max_steps),
        )

    def _take(self, completion: Completion) -> None:
        self.strengths.append(completion.strength)
        self.replies.append(completion.text)
        self.read.append(mend(completion.text))

    def _stream(self, piece: str) -> None:
        if piece:
            self.streamed.append(piece)
        else:
            self.streamed = []
        if self.on_token is not None:
            self.on_token(piece)


def mend(reply: str) -> ParseResult:
    """The workflow in a reply, with all fixes that are certain."""
    found = extract(reply)
    text, applied = fix_all(found.text)
    return parse(text) if applied else found
