"""`autoflow adopt`: the best of a study, or the candidate that is named, becomes a version; once."""

from __future__ import annotations

from autoflow.store import open_store
from tests.cli.conftest import Cli
from tests.report.studies import OLD
from tests.studies import finished_study, new_study


def test_the_best_becomes_the_next_version_of_the_workflow_it_began_with(cli: Cli) -> None:
    store = open_store()
    workflow = store.create_workflow("Plans", OLD)
    study = finished_study(store, workflow_id=workflow.id)
    found = cli("adopt", study.id)
    assert (found.code, found.out) == (0, f"{workflow.id}@2\n")
    assert found.err.startswith(f"Plans v2: Candidate {study.best} of {study.id}, study Plans for images")
    best = store.study_candidates(study.id)[study.best or 0]
    version = store.get_version(workflow.id, 2)
    assert (version.text, version.origin) == (best.text, "optimized")
    assert cli("adopt", study.id).out == found.out
    assert len(store.list_versions(workflow.id)) == 2


def test_a_candidate_can_be_named_and_what_it_gives_can_be_compared(cli: Cli) -> None:
    store = open_store()
    study = finished_study(store)
    told = cli("adopt", study.id, "--candidate", "1", "--json").json
    assert told["text"] == store.study_candidates(study.id)[1].text
    assert store.get_study(study.id).workflow_id == told["workflow_id"]
    kept = store.create_workflow("Elsewhere", OLD)
    assert cli("adopt", study.id, "--candidate", "1", "--workflow", kept.id).out == f"{kept.id}@2\n"


def test_what_cannot_be_adopted_is_told(cli: Cli) -> None:
    store = open_store()
    study = new_study(store).study
    found = cli("adopt", study.id)
    assert (found.code, found.out) == (2, "")
    assert "has not chosen a best candidate" in found.err
    assert "has no candidate 9" in cli("adopt", study.id, "--candidate", "9").err
    assert "st_000000000000" in cli("adopt", "st_000000000000").err
    assert store.list_workflows() == []
