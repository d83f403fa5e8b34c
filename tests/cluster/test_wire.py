"""What crosses between machines is JSON that is checked, and an error arrives as what it was."""

from __future__ import annotations

import inspect
import json

import pytest

from autoflow import errors
from autoflow.cluster.wire import (
    Answer,
    Failure,
    Found,
    Order,
    answered,
    error_of,
    failure_of,
    order_of,
    received,
    sent,
)
from autoflow.errors import AutoFlowError, BudgetExceeded, JobError, ModelReplyError, NotFound
from autoflow.records import Connection, RunPolicy
from autoflow.study import Outcome, SavedSuite, SuiteSpec
from tests.cluster.conftest import TASKS, units

KINDS = [k for _, k in inspect.getmembers(errors, inspect.isclass) if issubclass(k, AutoFlowError)]
POLICY = RunPolicy()


def over_the_wire(error: BaseException) -> AutoFlowError:
    answer = answered(Answer(failure=failure_of(error, "node-7")).model_dump_json())
    assert answer.failure is not None
    return error_of(answer.failure)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_arrives_as_what_it_was(kind: type[AutoFlowError]) -> None:
    first = ("max-calls",) if kind is BudgetExceeded else ()
    came = over_the_wire(kind(*first, "The mail `ä` is gone.", "Look for it."))
    assert type(came) is kind
    assert came.message == "The mail `ä` is gone."
    assert came.hint == "Look for it. It was on the node node-7."


def test_what_only_one_error_has_arrives_as_well() -> None:
    budget = over_the_wire(BudgetExceeded("max-cost", "Enough."))
    assert isinstance(budget, BudgetExceeded)
    assert budget.limit == "max-cost"
    reply = over_the_wire(ModelReplyError("It was cut.", "", "the first ha"))
    assert isinstance(reply, ModelReplyError)
    assert reply.partial == "the first ha"


def test_error_that_is_not_ours_arrives_as_a_job_that_failed_with_its_words() -> None:
    came = over_the_wire(ZeroDivisionError("by nought"))
    assert type(came) is JobError
    assert came.message == "A run failed unexpectedly: ZeroDivisionError: by nought"


def test_name_of_any_other_class_makes_no_other_class() -> None:
    assert type(error_of(Failure(kind="SystemExit", message="gone"))) is JobError


def test_runs_arrive_as_they_were_sent() -> None:
    mine = list(units(repeats=2))[:45]
    came = received(sent(mine))
    assert [(w.candidate, w.text, w.task, w.repeat, w.split, w.round) for w in came] == [
        (u.candidate, u.text, u.task.id, u.repeat, u.split, u.round) for u in mine
    ]


def test_what_would_be_right_does_not_cross() -> None:
    (told,) = json.loads(sent(list(units())[:1]))
    assert set(told) == {"candidate", "text", "task", "repeat", "split", "round"}


@pytest.mark.parametrize(
    "text",
    ["", "null", "{", '{"found": 3}', '{"found": [], "more": 1}', '{"found": [{"outcome": {}}]}', b"\x80\x04K\x01."],
)
def test_what_is_not_what_was_agreed_is_refused(text: str | bytes) -> None:
    with pytest.raises(JobError, match="cannot be read"):
        answered(text)
    with pytest.raises(JobError, match="cannot be read"):
        received(text)  # type: ignore[arg-type]


def test_answer_with_runs_and_a_failure_keeps_both() -> None:
    outcome = Outcome(candidate=0, task=TASKS[0].id, score=0.5, stop="terminal")
    told = Answer(found=(Found(outcome=outcome, events=()),), failure=Failure(kind="ModelUnavailable", message="Gone."))
    assert answered(told.model_dump_json()) == told


def test_order_takes_along_the_table_and_the_connections_that_it_names() -> None:
    table = SavedSuite(id="su_000000000000", name="Mails", body={})
    known = {name: Connection(name=name, base_url=f"http://{name}/v1") for name in ("mine", "other", "judge")}

    def find(name: str) -> Connection:
        if name not in known:
            raise NotFound(f"There is no {name}.")
        return known[name]

    spec = SuiteSpec(name="table", options={"suite": table.id})
    saved = {table.id: table}
    order = order_of(spec, "openai:mine", "judge", POLICY, saved=saved.__getitem__, connections=find)
    assert order.saved == table
    assert [connection.name for connection in order.connections] == ["mine", "judge"]
    plain = order_of(SuiteSpec(name="reasoning"), "openai:gpt", "", POLICY, saved=saved.__getitem__, connections=find)
    assert (plain.saved, plain.connections) == (None, ())
    assert Order.model_validate_json(order.model_dump_json()) == order
