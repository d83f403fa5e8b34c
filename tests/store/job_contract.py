"""What every job store must do: states, leases, fencing, checkpoints."""

from __future__ import annotations

import itertools

import pytest

from autoflow.errors import LeaseLost
from autoflow.records import Event, Job, JobState, Run, Totals
from autoflow.store import SqlStore
from autoflow.store.base import Lease, RunEnd
from autoflow.store.job_rows import j
from autoflow.store.queue import TRANSITIONS
from tests.store.contracts import StoreFixtures, at_once, finished, seen, storable

STATES: tuple[JobState, ...] = (
    "queued", "running", "pausing", "paused", "cancelling", "cancelled", "done", "failed",
)  # fmt: skip


def queued(store: SqlStore, **changes: object) -> Job:
    return store.submit("download", {"n": 1}, **({"title": "Download it"} | changes))  # type: ignore[arg-type]


def claimed(store: SqlStore, owner: str = "one") -> Lease:
    lease = store.claim(owner, lease_s=60)
    assert lease is not None
    return lease


def pass_time(store: SqlStore, seconds: float) -> None:
    """Let all leases be older by this, without waiting."""
    with store.database.write() as connection:
        connection.execute(j.update().values(lease_until=j.c.lease_until - seconds))


def expired(store: SqlStore, owner: str = "dead") -> Lease:
    """A job whose worker died: its lease has run out."""
    lease = claimed(store, owner)
    pass_time(store, 61)
    return lease


def brought_to(store: SqlStore, state: JobState) -> Job:
    """A job in this state, by the ways that lead there."""
    job = queued(store)
    if state in ("paused", "cancelled"):
        store.request(job.id, "pause" if state == "paused" else "cancel")
    elif state != "queued":
        lease = claimed(store)
        if state in ("done", "failed"):
            store.finish(lease, state)  # type: ignore[arg-type]
        elif state != "running":
            store.request(job.id, "pause" if state == "pausing" else "cancel")
    assert store.get_job(job.id).state == state
    return job


class JobContract(StoreFixtures):
    # -- what people ask for
    def test_submitted_job_is_queued(self, store: SqlStore) -> None:
        job = store.submit("generate", {"model": "m", "x": [1, None]}, title="Generate \0", subject_id="s")
        assert store.get_job(job.id) == job
        assert (job.state, job.title, job.payload) == (
            "queued",
            storable("Generate \0"),
            {"model": "m", "x": [1, None]},
        )
        assert (job.claims, job.live, job.result, job.started_at) == (0, {}, None, None)

    def test_unique_job_is_the_one_under_way(self, store: SqlStore) -> None:
        first = queued(store, subject_id="a", unique=True)
        assert queued(store, subject_id="a", unique=True) == first
        assert queued(store, subject_id="b", unique=True).id != first.id
        store.finish(claimed(store), "done")
        assert queued(store, subject_id="a", unique=True).id != first.id

    def test_unique_jobs_submitted_at_once_are_one(self, store: SqlStore) -> None:
        submits = [lambda: queued(store, subject_id="a", unique=True)] * 6
        assert len({job.id for job in at_once(*submits)}) == 1  # type: ignore[attr-defined]

    def test_subject_may_be_a_text_of_any_length(self, store: SqlStore) -> None:
        long = "/path/\U0001f600" * 2_000
        job = queued(store, subject_id=long, unique=True)
        assert queued(store, subject_id=long, unique=True).id == job.id
        assert [found.id for found in store.list_jobs(subject_id=long)] == [job.id]

    def test_jobs_are_listed_newest_first_and_by_state_kind_subject(self, store: SqlStore) -> None:
        a, b = queued(store, subject_id="s"), store.submit("run", {}, title="r")
        claimed(store)
        assert [job.id for job in store.list_jobs()] == [b.id, a.id]
        assert [job.id for job in store.list_jobs(states=["running"])] == [a.id]
        assert store.list_jobs(states=[]) == []
        assert [job.id for job in store.list_jobs(kind="run")] == [b.id]
        assert [job.id for job in store.list_jobs(subject_id="s")] == [a.id]
        assert [job.id for job in store.list_jobs(limit=1)] == [b.id]

    @pytest.mark.parametrize(("want", "state"), [*itertools.product(("pause", "cancel", "resume"), STATES)])
    def test_request_in_every_state(self, store: SqlStore, want: str, state: JobState) -> None:
        job = brought_to(store, state)
        expected = TRANSITIONS.get((want, state), state)  # type: ignore[call-overload]
        assert store.request(job.id, want).state == expected  # type: ignore[arg-type]
        assert store.get_job(job.id).state == expected

    def test_run_job_gives_the_run_its_id_and_cancels_it(self, store: SqlStore, run: Run) -> None:
        store.append_events(run.id, [seen(0, "run_started"), finished(1)])
        job = store.submit("run", {"run_id": run.id}, title="Run", subject_id=run.id)
        assert store.get_run(run.id).job_id == job.id
        store.request(job.id, "cancel")
        ended = store.get_run(run.id)
        assert (ended.stop, ended.totals.seconds) == ("cancelled", 0.5)
        assert store.run_events(run.id)[-1][1].kind == "run_finished"

    # -- claims and leases
    def test_oldest_queued_job_is_claimed_first(self, store: SqlStore) -> None:
        ids = [queued(store).id for _ in range(3)]
        assert [claimed(store).job.id for _ in range(3)] == ids
        assert store.claim("one", lease_s=60) is None

    def test_only_kinds_asked_for_are_claimed(self, store: SqlStore) -> None:
        queued(store)
        assert store.claim("one", lease_s=60, kinds=["run"]) is None
        assert store.claim("one", lease_s=60, kinds=["run", "download"]) is not None

    def test_one_job_can_be_claimed_by_its_id(self, store: SqlStore) -> None:
        queued(store)
        second = queued(store)
        lease = store.claim("one", lease_s=60, job_id=second.id)
        assert lease is not None
        assert lease.job.id == second.id
        assert store.claim("one", lease_s=60, job_id=second.id) is None

    def test_each_job_is_claimed_by_one_of_many_workers(self, store: SqlStore) -> None:
        ids = {queued(store).id for _ in range(6)}
        claims = at_once(*(lambda n=n: store.claim(f"w{n}", lease_s=60) for n in range(8)))  # type: ignore[misc]
        leases = [claim for claim in claims if claim is not None]
        while (more := store.claim("late", lease_s=60)) is not None:  # a claim may give way to one at the same moment
            leases.append(more)
        assert sorted(lease.job.id for lease in leases) == sorted(ids)  # type: ignore[attr-defined]

    def test_orphaned_jobs_can_be_claimed_at_once(self, store: SqlStore) -> None:
        first, other = queued(store), queued(store)
        claimed(store, "dead"), claimed(store, "alive")
        assert store.orphan("dead") == 1
        assert claimed(store, "dead").job.id == first.id
        assert store.claim("dead", lease_s=60) is None
        assert store.get_job(other.id).state == "running"

    def test_lease_that_ran_out_counts_until_it_is_claimed(self, store: SqlStore) -> None:
        job = queued(store)
        lease = expired(store)
        assert store.get_job(job.id).state == "running"
        assert store.heartbeat(lease) == "running"

    def test_stolen_lease_can_write_nothing(self, store: SqlStore, run: Run) -> None:
        job = store.submit("run", {}, title="Run it", subject_id=run.id)
        old = expired(store)
        new = claimed(store, "two")
        end = RunEnd(run.id, "terminal", "stolen", "", Totals(), (seen(0, "run_finished"),))
        for write in (
            lambda: store.checkpoint(old, run_id=run.id, events=[seen(1)], done=7),
            lambda: store.checkpoint(old, run_id=run.id, events=[seen(1)], serial=1),
            lambda: store.heartbeat(old, {"x": 1}),
            lambda: store.check(old),
            lambda: store.finish(old, "done", result={}, run=end),
        ):
            with pytest.raises(LeaseLost, match="Run it"):
                write()
        present = store.get_job(job.id)
        assert (present.state, present.done, present.live) == ("running", 0, {})
        assert store.run_events(run.id) == []
        assert store.get_run(run.id).stop is None
        assert store.checkpoint(new, run_id=run.id, events=[seen(1)]) == "running"

    def test_same_owner_that_claims_again_holds_only_the_new_lease(self, store: SqlStore) -> None:
        queued(store)
        old = expired(store, "same")
        new = claimed(store, "same")
        assert new.token > old.token
        with pytest.raises(LeaseLost):
            store.heartbeat(old)

    def test_heartbeat_renews_the_lease_and_shows_live_data(self, store: SqlStore) -> None:
        job = queued(store)
        lease = claimed(store)
        for _ in range(4):
            pass_time(store, 50)
            store.heartbeat(lease, {"text": "par\0t"})
            assert store.claim("two", lease_s=60) is None
        assert store.get_job(job.id).live == {"text": "par\ufffdt"}
        pass_time(store, 61)
        assert store.claim("two", lease_s=60) is not None

    def test_sixth_claim_without_a_checkpoint_fails_the_job(self, store: SqlStore) -> None:
        job, other = queued(store), queued(store)
        for _ in range(5):
            assert expired(store).job.id == job.id
        assert claimed(store).job.id == other.id
        failed = store.get_job(job.id)
        assert failed.state == "failed"
        assert "5 attempts" in failed.error

    def test_checkpoint_resets_the_count_of_claims(self, store: SqlStore) -> None:
        job = queued(store)
        for _ in range(4):
            expired(store)
        store.checkpoint(claimed(store))
        pass_time(store, 61)
        for _ in range(4):
            assert expired(store).job.id == job.id

    def test_failure_after_five_claims_names_the_last_error(self, store: SqlStore) -> None:
        job = queued(store)
        for _ in range(5):
            store.finish(claimed(store), "queued", error="The disk that holds x is full.")
        assert store.claim("one", lease_s=60) is None
        assert store.get_job(job.id).error.endswith("The disk that holds x is full.")
        resumed = store.request(job.id, "resume")
        assert (resumed.claims, resumed.error, resumed.finished_at) == (0, "", None)
        assert claimed(store).job.id == job.id

    def test_job_handed_back_in_order_does_not_count_as_a_claim(self, store: SqlStore) -> None:
        queued(store)
        for _ in range(8):
            assert store.finish(claimed(store), "queued").claims == 0

    @pytest.mark.parametrize(("want", "end"), [("pause", "paused"), ("cancel", "cancelled")])
    def test_request_outlives_the_worker(self, store: SqlStore, run: Run, want: str, end: str) -> None:
        job = store.submit("run", {}, title="r", subject_id=run.id)
        expired(store)
        store.request(job.id, want)  # type: ignore[arg-type]
        assert store.claim("two", lease_s=60) is None
        assert store.get_job(job.id).state == end
        assert store.get_run(run.id).stop == ("cancelled" if want == "cancel" else None)

    # -- checkpoints
    def test_checkpoint_writes_events_and_progress_together(self, store: SqlStore, run: Run) -> None:
        job = queued(store)
        lease = claimed(store)
        store.heartbeat(lease, {"text": "half"})
        store.checkpoint(lease, run_id=run.id, events=[seen(1)], done=1, total=4, unit="steps", message="Step 1 done")
        store.checkpoint(lease, run_id=run.id, events=[seen(2)], done=2, result={"k": 1})
        present = store.get_job(job.id)
        assert (present.done, present.total, present.unit, present.message) == (2, 4, "steps", "Step 1 done")
        assert (present.result, present.live, present.claims) == ({"k": 1}, {}, 0)
        assert [number for number, _ in store.run_events(run.id)] == [1, 2]

    def test_checkpoint_sent_again_is_written_once(self, store: SqlStore, run: Run) -> None:
        queued(store)
        lease = claimed(store)
        for serial in (1, 1, 2, 2, 2):
            state = store.checkpoint(lease, run_id=run.id, events=[seen(serial)], serial=serial)
            assert state == "running"
        assert [event.visit for _, event in store.run_events(run.id)] == [1, 2]

    def test_checkpoint_numbers_go_on_after_a_crash(self, store: SqlStore, run: Run) -> None:
        queued(store)
        store.checkpoint(claimed(store), run_id=run.id, events=[seen(1)], serial=1)
        pass_time(store, 61)
        lease = claimed(store)
        assert lease.serial == 1
        store.checkpoint(lease, run_id=run.id, events=[seen(2)], serial=lease.serial + 1)
        assert [event.visit for _, event in store.run_events(run.id)] == [1, 2]

    def test_checkpoint_that_fails_half_way_leaves_nothing(self, store: SqlStore, run: Run) -> None:
        job = queued(store)
        lease = claimed(store)
        bad = Event(kind="reply", visit=1, at=0, data={"what": object()})
        with pytest.raises(Exception, match="JSON"):
            store.checkpoint(lease, run_id=run.id, events=[seen(1), bad], done=5, serial=1)
        assert store.run_events(run.id) == []
        assert store.get_job(job.id).done == 0
        store.checkpoint(lease, run_id=run.id, events=[seen(1)], serial=1)

    @pytest.mark.parametrize(("want", "state"), [("pause", "pausing"), ("cancel", "cancelling")])
    def test_worker_learns_what_a_person_wants(self, store: SqlStore, want: str, state: str) -> None:
        job = queued(store)
        lease = claimed(store)
        store.request(job.id, want)  # type: ignore[arg-type]
        assert store.check(lease) == store.heartbeat(lease) == store.checkpoint(lease) == state

    # -- ends
    @pytest.mark.parametrize("end", ["done", "failed", "cancelled", "paused", "queued"])
    def test_end_is_written_with_the_run(self, store: SqlStore, run: Run, end: str) -> None:
        asked = queued(store)
        lease = claimed(store)
        store.heartbeat(lease, {"text": "half"})
        if end == "paused":
            store.request(asked.id, "pause")
        run_end = RunEnd(run.id, "terminal", "yes", "", Totals(calls=3), (seen(0, "run_finished"),))
        job = store.finish(lease, end, result={"a": 1}, error="why", run=run_end)  # type: ignore[arg-type]
        assert (job.state, job.result, job.error, job.live) == (end, {"a": 1}, "why", {})
        assert (job.finished_at is not None) == job.ended
        assert store.get_run(run.id).answer == "yes"
        assert len(store.run_events(run.id)) == 1

    def test_end_sent_again_changes_nothing(self, store: SqlStore, run: Run) -> None:
        queued(store)
        lease = claimed(store)
        run_end = RunEnd(run.id, "terminal", "yes", "", Totals(), (seen(0, "run_finished"),))
        first = store.finish(lease, "done", result={"a": 1}, run=run_end)
        assert store.finish(lease, "done", result={"a": 1}, run=run_end) == first
        assert len(store.run_events(run.id)) == 1

    def test_ended_job_takes_no_more_checkpoints(self, store: SqlStore) -> None:
        queued(store)
        lease = claimed(store)
        store.finish(lease, "done", result={})
        with pytest.raises(LeaseLost):
            store.checkpoint(lease, done=9)

    def test_end_without_result_keeps_that_of_the_checkpoint(self, store: SqlStore) -> None:
        queued(store)
        lease = claimed(store)
        store.checkpoint(lease, result={"drafts": [1]})
        assert store.finish(lease, "failed", error="no").result == {"drafts": [1]}

    @pytest.mark.parametrize(
        ("wants", "end", "state"),
        [
            (["pause", "resume"], "paused", "queued"),  # taken back while the worker was about to pause
            (["pause", "cancel"], "paused", "cancelled"),
            (["cancel"], "paused", "cancelled"),
            (["pause"], "queued", "paused"),  # the worker ends before it could pause
            (["cancel"], "queued", "cancelled"),
            (["cancel"], "done", "done"),
            (["pause"], "done", "done"),
        ],
    )
    def test_what_was_asked_meanwhile_counts(
        self, store: SqlStore, run: Run, wants: list[str], end: str, state: str
    ) -> None:
        job = store.submit("run", {}, title="r", subject_id=run.id)
        lease = claimed(store)
        for want in wants:
            store.request(job.id, want)  # type: ignore[arg-type]
        assert store.finish(lease, end).state == state  # type: ignore[arg-type]
        assert store.get_run(run.id).stop == ("cancelled" if state == "cancelled" else None)
