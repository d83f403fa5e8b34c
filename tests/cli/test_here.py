"""A study carried out in the command line's own process: how its job is found again."""

from __future__ import annotations

from autoflow.cli.here import carry_out_here, submitted
from autoflow.store import open_store
from tests.report.studies import written


def test_a_job_that_was_paused_or_failed_is_taken_up_and_an_ended_one_is_followed_by_a_new_one() -> None:
    store = open_store()
    study = written(store, only=1)
    first = submitted(store, study.id, "Compare")
    assert submitted(store, study.id, "Compare").id == first.id  # it is under way
    lease = store.claim("w", lease_s=60)
    assert lease is not None
    store.finish(lease, "failed", error="gone")
    again = submitted(store, study.id, "Compare")
    assert (again.id, again.state) == (first.id, "queued")
    store.request(first.id, "cancel")
    assert submitted(store, study.id, "Compare").id != first.id


def test_the_job_of_a_study_that_was_deleted_fails_in_words() -> None:
    store = open_store()
    study = written(store, only=1)
    job = submitted(store, study.id, "Compare")
    store.delete_study(study.id)
    ended = carry_out_here(store, job)
    assert ended.state == "failed"
    assert study.id in ended.error
