"""The interpreter from entry to stop, on a scripted model."""

from __future__ import annotations

import pytest
from hypothesis import assume, given

from autoflow.errors import BudgetExceeded, ModelAuthError
from autoflow.lang import Workflow, check, has_errors, parse
from tests.interpret.fakes import FORK, LINE, LOOP, Script, flow, run, said
from tests.lang.workflows import broken


async def test_terminal_is_carried_out_and_its_reply_is_the_answer() -> None:
    ran = await run(LINE, "It asks for a refund.", "We pay you back.")
    assert (ran.result.stop, ran.result.answer) == ("terminal", "We pay you back.")
    assert ran.steps == ["A", "B"]
    assert ran.llm.calls == 2


async def test_one_call_a_step_answers_and_decides() -> None:
    ran = await run(FORK, '{"answer": "The parcel was broken.", "branch": "Yes"}', "Yes.")
    assert ran.steps == ["Ask", "Pay"]
    assert ran.llm.calls == 2
    taken = ran.of("branch_taken")[0].data
    assert (taken["key"], taken["target"], taken["how"]) == ("Yes", "Pay", "schema")


async def test_decision_without_a_branch_is_asked_once_more_with_the_choices_named() -> None:
    ran = await run(FORK, "I am not sure.", "No", "Sorry.")
    assert ran.steps == ["Ask", "Refuse"]
    assert ran.llm.calls == 3
    assert '"Yes", "No"' in ran.llm.asked[1][0][-1].content


async def test_decision_that_stays_unread_is_undecided() -> None:
    ran = await run(FORK, "Yes and no.", "Maybe")
    assert ran.result.stop == "undecided"
    assert "`Ask`" in ran.result.error
    assert ran.result.totals.calls == 2


async def test_decision_that_stays_unread_takes_the_default_branch_of_the_policy() -> None:
    ran = await run(FORK, "Maybe", "Maybe", "Sorry.", default_branch="no")
    assert (ran.result.stop, ran.steps) == ("terminal", ["Ask", "Refuse"])
    assert ran.of("branch_taken")[0].data["how"] == "default"


async def test_default_branch_of_another_decision_does_not_help() -> None:
    assert (await run(FORK, "Maybe", default_branch="later")).result.stop == "undecided"


async def test_max_steps_counts_visits() -> None:
    ran = await run(LOOP, "done", '{"answer": "", "branch": "again"}', "done", '{"branch": "again"}', max_steps=4)
    assert ran.result.stop == "max-steps"
    assert ran.steps == ["Work", "Check", "Work", "Check"]


async def test_max_calls_is_checked_before_each_call() -> None:
    ran = await run(FORK, "Maybe", "Maybe", max_calls=1)
    assert (ran.result.stop, ran.llm.calls) == ("max-calls", 1)


async def test_max_tokens_counts_what_the_endpoint_says() -> None:
    ran = await run(LINE, said("x", tokens=50), max_tokens=100)
    assert (ran.result.stop, ran.llm.calls) == ("max-tokens", 1)


async def test_max_tokens_estimates_where_the_endpoint_says_nothing() -> None:
    ran = await run(LINE, said("x" * 400, tokens=None), max_tokens=100)
    assert (ran.result.stop, ran.llm.calls) == ("max-tokens", 1)
    assert ran.result.totals.unknown_tokens == 1


async def test_max_cost_stops_after_the_call_that_reached_it() -> None:
    ran = await run(LINE, said("x", cost_usd=0.2), max_cost_usd=0.1)
    assert (ran.result.stop, ran.llm.calls) == ("max-cost", 1)


async def test_free_calls_never_reach_a_limit_of_no_money() -> None:
    assert (await run(LINE, said("x", cost_usd=0.0), max_cost_usd=0)).result.stop == "terminal"


async def test_unknown_price_is_said_once_and_stays_unknown() -> None:
    ran = await run(LINE, said("x", cost_usd=None), max_cost_usd=0.1)
    assert (ran.result.stop, ran.result.totals.cost_usd) == ("terminal", None)
    assert len(ran.of("warning")) == 1


async def test_max_cost_counts_what_is_known_where_one_call_is_unknown() -> None:
    """Some endpoints leave out the tokens of a reply now and then: what the others cost is spent all the same."""
    replies = [said("x", cost_usd=None, tokens=None), said("again", cost_usd=0.2)]
    ran = await run(LOOP, *replies, max_cost_usd=0.1)
    assert (ran.result.stop, ran.llm.calls, ran.result.totals.cost_usd) == ("max-cost", 2, None)
    assert "at least 0.2 US dollars" in ran.result.error


async def test_max_time_cancels_a_call_in_flight_and_keeps_what_it_said() -> None:
    ran = await run(LINE, llm=Script(["one two three four"], latency_s=0.2), max_time_s=0.3)
    assert ran.result.stop == "max-time"
    reply = ran.of("reply")[-1].data
    assert (reply["finish"], reply["text"]) == ("cut", "one two ")
    assert ran.result.totals.calls == 0


async def test_model_error_keeps_what_was_done_and_says_what_to_do() -> None:
    ran = await run(LINE, "fine", ModelAuthError("The key was refused.", "Look at the key."))
    assert (ran.result.stop, ran.result.error, ran.result.hint) == (
        "model-error", "The key was refused.", "Look at the key.",
    )  # fmt: skip
    assert ran.of("step_finished")[0].data["answer"] == "fine"
    assert [e.kind for e in ran.result.events] == ["step_entered", "prompt", "run_finished"]


async def test_budget_wrapper_stops_the_run_by_its_own_limit() -> None:
    ran = await run(LINE, BudgetExceeded("max-cost", "Enough."))
    assert (ran.result.stop, ran.result.error) == ("max-cost", "Enough.")


async def test_run_that_resumes_where_the_step_is_gone_stops_before_any_call() -> None:
    first = await run(LINE, "fine", ModelAuthError("no"))
    ran = await run(flow("A|terminal|End."), "x", history=first.events)
    assert (ran.result.stop, ran.llm.calls) == ("invalid-workflow", 0)
    assert "`B`" in ran.result.error


@pytest.mark.parametrize("limit", [{"max_steps": 1}, {"max_calls": 1}, {"max_tokens": 20}])
async def test_what_was_done_before_a_stop_is_kept(limit: dict[str, int]) -> None:
    ran = await run(LINE, "fine", **limit)
    assert ran.result.stop == next(iter(limit)).replace("_", "-")
    assert [e.data["answer"] for e in ran.of("step_finished")] == ["fine"]
    assert ran.events[-1].kind == "run_finished"


@given(broken())
async def test_workflow_with_errors_is_not_run(workflow: Workflow) -> None:
    found = check(workflow)
    assume(has_errors(found))
    ran = await run(workflow, "x")
    assert (ran.result.stop, ran.llm.calls) == ("invalid-workflow", 0)
    assert next(d.message for d in found if d.severity == "error").rstrip(".") in ran.result.error


async def test_workflow_with_errors_is_told_by_its_own_lines_whatever_was_run_before() -> None:
    """That a workflow was looked over is remembered for those that are equal to it, and for no others."""
    text = "A:::process:::Go.:::next::Nowhere\n"
    told = [await run(parse(before + text).workflow) for before in ("", "# one\n", "# one\n# two\n")]
    assert [ran.result.stop for ran in told] == ["invalid-workflow"] * 3
    assert all("Nowhere" in ran.result.error for ran in told)
    assert [ran.result.error.split("Line ")[1][0] for ran in told] == ["1", "2", "3"]
    fine = Workflow(parse("A:::terminal:::Go.:::\n").workflow.steps)
    for _ in range(2):
        assert (await run(fine, "ok")).result.stop == "terminal"
