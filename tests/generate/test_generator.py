"""From an objective to a workflow, whatever the model says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autoflow.errors import BudgetExceeded, ModelReplyError, ModelUnavailable, SettingsError
from autoflow.generate.generator import ANSWER_TOKENS, REPAIR_ROUNDS, THINKING_TOKENS, Draft, generate
from autoflow.lang import parse
from autoflow.lang.grammar import core_grammar
from autoflow.llm.base import LLM, Completion, Usage
from autoflow.llm.scripted import ScriptedLLM
from tests.generate.fakes import Teller

GOOD = """Step 1:::process:::Read the mail.:::next::Step 2
Step 2:::decision:::Is it justified?:::yes::Step 3::no::Step 1
Step 3:::terminal:::Answer the mail.:::
"""
FIXABLE = "Step 1:::Proces:::Read the mail.:::Step 2\nStep 2:::terminal:::Answer the mail.\n"
ONE_ERROR = GOOD.replace("no::Step 1", "no::Step 9")
TWO_ERRORS = ONE_ERROR.replace("next::Step 2", "next::Step 8")


async def _draft(llm: LLM, **options: object) -> Draft:
    return await generate("Decide on the mail", [], [], llm, **options)  # type: ignore[arg-type]


async def test_a_model_that_can_be_held_to_the_grammar_is() -> None:
    llm = Teller(GOOD, grammar=True)
    draft = await _draft(llm, min_steps=2, max_steps=5)
    assert (draft.text, draft.ok, draft.rounds) == (GOOD, True, 0)
    assert (draft.constrained, draft.strength) == (True, "grammar")
    assert llm.asked[0][1].constraint == core_grammar(2, 5)


@pytest.mark.parametrize(("grammar", "constrained"), [(False, None), (True, False), (None, False)])
async def test_free_text_is_asked_for_where_there_is_no_grammar_or_none_is_wanted(
    grammar: bool | None, constrained: bool | None
) -> None:
    llm = Teller(f"Here you are:\n```\n{GOOD}```", grammar=grammar)
    draft = await _draft(llm, constrained=constrained)
    assert (draft.text, draft.constrained, draft.strength) == (GOOD, False, "none")
    assert llm.asked[0][1].constraint is None


async def test_what_an_endpoint_can_is_learned_by_asking_for_the_grammar() -> None:
    llm = Teller(GOOD, grammar=None)
    draft = await _draft(llm)
    assert llm.asked[0][1].constraint is not None
    assert (draft.constrained, draft.strength) == (False, "prompt")


async def test_a_grammar_that_cannot_be_had_is_refused_before_any_call() -> None:
    llm = Teller(GOOD, grammar=False)
    with pytest.raises(SettingsError, match="scripted:teller"):
        await _draft(llm, constrained=True)
    assert not llm.asked


async def test_certain_faults_are_mended_without_a_call() -> None:
    llm = Teller(FIXABLE)
    draft = await _draft(llm)
    assert draft.ok
    assert draft.text == "Step 1:::process:::Read the mail.:::next::Step 2\nStep 2:::terminal:::Answer the mail.:::\n"
    assert (len(llm.asked), draft.rounds, draft.replies) == (1, 0, (FIXABLE,))


async def test_a_repair_round_shows_the_model_its_workflow_and_the_errors() -> None:
    llm = Teller(ONE_ERROR, GOOD)
    draft = await _draft(llm, seed=7)
    assert (draft.text, draft.rounds, draft.replies) == (GOOD, 1, (ONE_ERROR, GOOD))
    first, second = llm.asked
    assert second[0][: len(first[0])] == first[0]
    assert second[0][-2].content == ONE_ERROR.strip()
    assert "Step 9" in second[0][-1].content
    assert (first[1].seed, second[1].seed) == (7, 8)


async def test_at_most_two_repair_rounds_and_the_best_text_is_kept() -> None:
    llm = Teller(TWO_ERRORS, ONE_ERROR, TWO_ERRORS, GOOD)
    draft = await _draft(llm)
    assert len(llm.asked) == 1 + REPAIR_ROUNDS == 3
    assert (draft.text, draft.ok, draft.rounds) == (ONE_ERROR, False, 2)
    assert draft.replies == (TWO_ERRORS, ONE_ERROR, TWO_ERRORS)
    assert draft.diagnostics == parse(ONE_ERROR).diagnostics


async def test_a_workflow_with_errors_is_better_than_none() -> None:
    draft = await _draft(Teller(TWO_ERRORS, "Sorry, I cannot.", "No."))
    assert draft.text == TWO_ERRORS


@pytest.mark.parametrize(
    "reply", ["", "I cannot help with that.", "Das geht leider nicht.", "x" * 200_000, "\x00\ud800", "{"]
)
async def test_replies_without_a_workflow_are_kept_and_said_to_have_none(reply: str) -> None:
    draft = await _draft(Teller(reply))
    assert [d.slug for d in draft.diagnostics if d.severity == "error"] == ["no-steps"]
    assert draft.replies == (reply,) * 3
    assert not parse(draft.text).workflow.steps


async def test_endless_repetition_ends_at_the_limit_and_is_shown_in_short() -> None:
    cut = Completion("again and again and " * 5_000, usage=Usage(), finish="length")
    llm = Teller(cut, GOOD)
    draft = await _draft(llm, answer_tokens=100)
    assert draft.ok
    assert [options.max_tokens for _, options in llm.asked] == [100, 100]
    assert len(llm.asked[1][0][-2].content) < 1_200


async def test_a_model_that_may_think_first_gets_room_for_it() -> None:
    held, free = Teller(GOOD, grammar=True), Teller(GOOD, grammar=None)
    await _draft(held)
    await _draft(free)
    assert [llm.asked[0][1].max_tokens for llm in (held, free)] == [ANSWER_TOKENS, THINKING_TOKENS]
    await _draft(held, max_steps=40)
    assert (held.asked[1][1].max_tokens or 0) > ANSWER_TOKENS


async def test_a_first_call_that_fails_is_the_error_of_the_generation() -> None:
    with pytest.raises(ModelUnavailable, match="gone"):
        await _draft(Teller(ModelUnavailable("gone")))


@pytest.mark.parametrize("error", [ModelUnavailable("gone away"), BudgetExceeded("max-calls", "gone away")])
async def test_a_later_failure_keeps_what_was_written(error: Exception) -> None:
    draft = await _draft(Teller(ONE_ERROR, error))
    assert (draft.text, draft.ok, draft.replies) == (ONE_ERROR, False, (ONE_ERROR,))
    assert "gone away" in draft.error


async def test_a_reply_that_is_cut_in_the_middle_is_kept() -> None:
    draft = await _draft(Teller(ModelReplyError("cut", partial=GOOD + "Step 4:::pro")))
    assert draft.replies == (GOOD + "Step 4:::pro",)
    assert draft.error == "cut"
    assert "Step 3:::terminal" in draft.text
    assert draft.totals.calls == 0


async def test_text_that_was_streamed_before_a_failure_is_kept() -> None:
    class Breaks(Teller):
        async def complete(self, messages, options, on_token=None):  # type: ignore[no-untyped-def]
            on_token(GOOD[:60])
            raise ModelUnavailable("broke off")

    draft = await _draft(Breaks("unused"))
    assert draft.replies == (GOOD[:60],)
    assert draft.error == "broke off"


async def test_listeners_hear_the_text_so_far_and_a_new_attempt_begins_anew() -> None:
    class Retries(Teller):
        async def complete(self, messages, options, on_token=None):  # type: ignore[no-untyped-def]
            on_token("Step 1:::pro")
            on_token("")
            return await super().complete(messages, options, on_token)

    heard: list[str] = []
    drafts: list[Draft] = []
    draft = await _draft(Retries(GOOD), on_token=heard.append, on_draft=drafts.append)
    lines = GOOD.splitlines(keepends=True)
    assert heard == ["", "Step 1:::pro", "", *lines]
    assert drafts == [draft]


async def test_a_cancelled_generation_has_told_what_it_had() -> None:
    drafts: list[Draft] = []

    class Hangs(Teller):
        async def complete(self, messages, options, on_token=None):  # type: ignore[no-untyped-def]
            if self.asked:
                await asyncio.sleep(60)
            return await super().complete(messages, options, on_token)

    task = asyncio.create_task(_draft(Hangs(ONE_ERROR), on_draft=drafts.append))
    while not drafts:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert drafts[0].text == ONE_ERROR


async def test_totals_add_up_and_an_unknown_price_stays_unknown() -> None:
    totals = (await _draft(Teller(ONE_ERROR, GOOD))).totals
    assert (totals.calls, totals.prompt_tokens, totals.completion_tokens) == (2, 200, 100)
    assert (totals.seconds, totals.cost_usd) == (3.0, 0.02)
    unknown = (await _draft(Teller(Completion(GOOD, usage=Usage(None, None, 1.0, None))))).totals
    assert (unknown.cost_usd, unknown.unknown_tokens) == (None, 1)


@pytest.mark.parametrize(("least", "most"), [(1, 5), (6, 5), (0, 0)])
async def test_a_number_of_steps_that_cannot_be_is_refused(least: int, most: int) -> None:
    with pytest.raises(SettingsError, match="min_steps"):
        await _draft(Teller(GOOD), min_steps=least, max_steps=most)


async def test_a_script_from_a_file_generates_and_repairs(tmp_path: Path) -> None:
    lines = [{"match": "faults", "reply": GOOD}, {"match": "Objective", "reply": ONE_ERROR}]
    path = tmp_path / "script.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    draft = await _draft(ScriptedLLM.from_file(path))
    assert (draft.text, draft.rounds) == (GOOD, 1)


async def test_an_objective_of_100_000_characters_is_no_obstacle() -> None:
    llm = Teller(GOOD)
    draft = await generate("so viel " * 12_500, [], [], llm)
    assert draft.ok
    assert sum(len(m.content) for m in llm.asked[0][0]) < 12_000


_: Callable[..., LLM] = Teller  # the fake keeps to the Protocol
