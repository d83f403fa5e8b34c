"""A search on a person's table: what differs from task to task lies in the inputs, and every method is shown them."""

from __future__ import annotations

import json

import pytest

from autoflow.jobs.payloads import StudyPayload
from autoflow.optimize.start import start_study
from autoflow.store import SqlStore, open_store
from autoflow.study import Method, StudyBudget, StudySpec, SuiteSpec
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests import searching


@pytest.fixture
def store() -> SqlStore:
    return open_store()


def mails(store: SqlStore) -> SuiteSpec:
    """Ten mails with one objective, each with its department, as a saved suite."""
    told = [one for first in (0, 5) for one in json.loads(searching.proposed(first))["examples"]]
    rows = [
        Row(objective=searching.MAILS, inputs=one["inputs"], expected=one["expected"], row=number)
        for number, one in enumerate(told, 1)
    ]
    saved = store.save_suite("Mails", suite_body(rows, "exact"))
    return SuiteSpec(name="table", train=3, val=4, test=3, options={"suite": saved.id})


@pytest.mark.parametrize("method", ["in-context", "paper"])
def test_a_search_on_rows_that_differ_in_their_inputs_comes_to_its_end(store: SqlStore, method: Method) -> None:
    with searching.model_server() as server:
        model = searching.connect(store, server)
        spec = StudySpec(
            method=method, suite=mails(store), generator=model, interpreter=model, budget=StudyBudget(max_rounds=4)
        )
        study = start_study(store, "Mails", spec)
        store.submit("study", StudyPayload(study_id=study.id).model_dump(), title="Mails", subject_id=study.id)
        job = searching.carried_out(store, study)
        asked = ["\n".join(m["content"] for m in body["messages"]) for body in server.bodies]
    assert (job.state, job.error) == ("done", "")
    study = store.get_study(study.id)
    assert study.best is not None
    assert len(store.study_candidates(study.id)) > 2
    proposals = [said for said in asked if "Write a better workflow" in said or "Provide a new workflow" in said]
    assert proposals
    assert all("about refund." in said or "about delivery." in said for said in proposals)
