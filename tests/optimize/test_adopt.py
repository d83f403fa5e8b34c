"""A candidate becomes a version: once, where it belongs, with a note that says where it came from."""

from __future__ import annotations

import pytest

from autoflow.errors import NotFound, SettingsError
from autoflow.optimize.adopt import adopt
from autoflow.store import SqlStore, open_store
from autoflow.study import MANUAL, Candidate, Outcome, Study, StudyBatch, StudySpec, SuiteSpec

OLD, NEW = "Answer:::terminal:::Answer.:::\n", "Answer:::terminal:::Answer well.:::\n"
BROKEN = "A:::process:::x:::next::Nowhere\n"


@pytest.fixture
def store() -> SqlStore:
    return open_store()


def searched(store: SqlStore, *, best: int | None = 1, workflow_id: str | None = None) -> Study:
    spec = StudySpec(
        method="in-context", suite=SuiteSpec(name="table"), generator="scripted:g", interpreter="scripted:i"
    )
    study = store.create_study("Refund mails", spec, {"val": ["v"], "test": ["t"]}, workflow_id=workflow_id)
    texts = ((OLD, MANUAL, ""), (NEW, "other words", ""), (BROKEN, "split", "There is no step `Nowhere`."))
    found = [Candidate(number=n, text=t, operator=o, error=e) for n, (t, o, e) in enumerate(texts)]
    scores = (("v", "val", 0.81), ("t", "test", 0.62))
    runs = [
        (Outcome(candidate=1, task=t, split=s, score=x, stop="terminal"), ())  # type: ignore[arg-type]
        for t, s, x in scores
    ]
    store.add_to_study(StudyBatch(study.id, candidates=found, outcomes=runs, best=best))
    return store.get_study(study.id)


def test_the_best_becomes_the_next_version_of_the_workflow_where_the_study_began(store: SqlStore) -> None:
    workflow = store.create_workflow("Refunds", OLD)
    study = searched(store, workflow_id=workflow.id)
    found = adopt(store, study.id)
    assert (found.workflow_id, found.number, found.text, found.origin) == (workflow.id, 2, NEW, "optimized")
    assert found.model == "scripted:g"
    assert found.note == f"Candidate 1 of {study.id}, study Refund mails: validation 0.81, test 0.62"
    assert store.get_workflow(workflow.id).text == NEW


def test_adopting_twice_is_one_version_even_with_others_in_between(store: SqlStore) -> None:
    workflow = store.create_workflow("Refunds", OLD)
    study = searched(store, workflow_id=workflow.id)
    first = adopt(store, study.id)
    store.save_version(workflow.id, origin="edited", text=OLD)
    assert adopt(store, study.id) == first
    assert len(store.list_versions(workflow.id)) == 3


def test_without_a_workflow_one_is_made_once_and_named_after_the_study(store: SqlStore) -> None:
    study = searched(store)
    first, again = adopt(store, study.id), adopt(store, study.id)
    assert first == again
    assert first.number == 1
    (made,) = store.list_workflows()
    assert (made.name, made.id) == ("Refund mails", store.get_study(study.id).workflow_id)


def test_another_candidate_and_another_workflow_may_be_named(store: SqlStore) -> None:
    other = store.create_workflow("Other", NEW)
    found = adopt(store, searched(store).id, 0, other.id)
    assert (found.workflow_id, found.number, found.text, found.model) == (other.id, 2, OLD, None)


def test_a_workflow_that_was_put_away_comes_back(store: SqlStore) -> None:
    workflow = store.create_workflow("Refunds", OLD)
    store.delete_workflow(workflow.id)
    adopt(store, searched(store, workflow_id=workflow.id).id)
    assert [w.id for w in store.list_workflows()] == [workflow.id]


def test_what_cannot_be_adopted_is_told_and_makes_no_workflow(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="has not chosen a best candidate"):
        adopt(store, searched(store, best=None).id)
    study = searched(store)
    with pytest.raises(NotFound, match="no candidate 9"):
        adopt(store, study.id, 9)
    with pytest.raises(SettingsError, match=r"Candidate 2 of .* cannot run: There is no step `Nowhere`"):
        adopt(store, study.id, 2)
    with pytest.raises(NotFound):
        adopt(store, study.id, 1, "wf_000000000000")
    assert store.list_workflows() == []
