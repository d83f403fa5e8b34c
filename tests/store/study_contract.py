"""What every store of studies must do: candidates without holes, outcomes once, ratings, suites, and the fence."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from autoflow.errors import Conflict, JobError, LeaseLost, NotFound
from autoflow.records import Event, Totals, new_id
from autoflow.store import SqlStore
from autoflow.store.studies import RATED
from autoflow.store.study_rows import o, unpack
from autoflow.study import (
    Candidate,
    Outcome,
    Rating,
    RewardSpec,
    Study,
    StudyBatch,
    StudyBudget,
    StudySpec,
    SuiteSpec,
)
from tests.store.contracts import HOSTILE, StoreFixtures, at_once, seen, storable
from tests.store.job_contract import pass_time
from tests.training import trained

SPEC = StudySpec(
    method="paper", suite=SuiteSpec(name="table", seed=3, options={"suite": "su_x", "n": [1, None]}),
    generator="scripted:g", interpreter="scripted:i", reward=RewardSpec(valid=0.25, tokens=0.5),
    budget=StudyBudget(max_calls=7, max_cost_usd=0.1, patience=2), repeats=3, seed=2**40, baseline="a\n",
)  # fmt: skip
SPLITS = {"train": ("a", "b"), "val": ("c",), "test": ()}
WHOLE = Totals(calls=3, cached=1, prompt_tokens=9, completion_tokens=2, cost_usd=None, seconds=0.5, unknown_tokens=1)


def new_study(store: SqlStore, name: str = "Refund mails", **more: object) -> Study:
    return store.create_study(name, SPEC, SPLITS, **more)  # type: ignore[arg-type]


def texts(*numbers: int) -> list[Candidate]:
    return [Candidate(number=n, text=f"text {n}", parent=n - 1 if n else None) for n in numbers]


def outcome(candidate: int = 0, task: str = "c", **more: object) -> Outcome:
    return Outcome.model_validate({"candidate": candidate, "task": task, "score": 0.5, "stop": "terminal"} | more)


def batch(study: Study, *found: Outcome, events: tuple[Event, ...] = (), **more: object) -> StudyBatch:
    return StudyBatch(study.id, outcomes=[(one, events) for one in found], **more)  # type: ignore[arg-type]


class StudyContract(StoreFixtures):
    @pytest.fixture
    def study(self, store: SqlStore) -> Study:
        return new_study(store)

    # -- studies
    def test_study_comes_back_as_it_was_made(self, store: SqlStore, study: Study) -> None:
        assert store.get_study(study.id) == study
        assert (study.spec, study.splits, study.name) == (SPEC, SPLITS, "Refund mails")
        assert (study.rounds, study.stop, study.best, study.test_uses, study.job_id) == (0, None, None, 0, None)
        assert study.created_at > 0
        assert study.finished_at is None

    def test_studies_are_listed_newest_first_by_workflow_and_by_method(self, store: SqlStore) -> None:
        workflow = store.create_workflow("w", "t")
        first = new_study(store, workflow_id=workflow.id)
        scored = store.create_study("n", SPEC.model_copy(update={"method": "evaluate"}), SPLITS, parent_id=first.id)
        last = new_study(store, recorded="on a Monday")
        assert [s.id for s in store.list_studies()] == [last.id, scored.id, first.id]
        assert [s.id for s in store.list_studies(1)] == [last.id]
        assert [s.id for s in store.list_studies(1, methods=["evaluate", "in-context"])] == [scored.id]
        assert [s.id for s in store.list_studies(workflow_id=workflow.id)] == [first.id]
        assert (scored.parent_id, last.recorded) == (first.id, "on a Monday")

    def test_study_is_renamed_given_a_workflow_and_put_away(self, store: SqlStore, study: Study) -> None:
        workflow = store.create_workflow("w", "t")
        assert store.rename_study(study.id, "Other").name == "Other"
        assert store.set_study_workflow(study.id, workflow.id) == store.get_study(study.id)
        assert store.get_study(study.id).workflow_id == workflow.id
        store.delete_study(study.id)
        assert store.list_studies() == []
        for ask in (store.get_study, store.study_candidates, store.study_outcomes, store.ratings, store.delete_study):
            with pytest.raises(NotFound, match=study.id):
                ask(study.id)

    def test_figures_of_a_batch_are_written_and_the_others_stay(self, store: SqlStore, study: Study) -> None:
        store.add_to_study(StudyBatch(study.id, rounds=2, seconds=1.5))
        store.add_to_study(StudyBatch(study.id, test_uses=1))
        assert store.get_study(study.id) == study.model_copy(update={"rounds": 2, "seconds": 1.5, "test_uses": 1})
        store.add_to_study(StudyBatch(study.id, stop="patience", best=0))
        ended = store.get_study(study.id)
        assert (ended.rounds, ended.stop, ended.best) == (2, "patience", 0)
        assert ended.finished_at is not None

    # -- candidates
    def test_candidates_come_back_by_number(self, store: SqlStore, study: Study) -> None:
        made = Candidate(
            number=0, round=4, text="x\n", parent=None, operator="split", note="n", error="e", totals=WHOLE
        )
        store.add_to_study(StudyBatch(study.id, candidates=[made, *texts(1, 2)]))
        store.add_to_study(StudyBatch(study.id, candidates=texts(3)))
        found = store.study_candidates(study.id)
        assert [c.number for c in found] == [0, 1, 2, 3]
        assert found[0].model_copy(update={"created_at": 0.0}) == made
        assert found[0].created_at > 0
        assert store.study_candidates(study.id, after=1) == found[2:]
        assert store.study_candidates(study.id, after=3) == []

    @pytest.mark.parametrize("numbers", [(2,), (0,), (1,), (3, 2), (2, 4), (2, 2)])
    def test_number_that_is_taken_or_leaves_a_hole_is_a_conflict(
        self, store: SqlStore, study: Study, numbers: tuple[int, ...]
    ) -> None:
        store.add_to_study(StudyBatch(study.id, candidates=texts(0, 1)))
        added = StudyBatch(study.id, texts(*numbers), [(outcome(), ())], rounds=9)
        if numbers == (2,):
            store.add_to_study(added)
            return
        with pytest.raises(Conflict, match="next has the number 2"):
            store.add_to_study(added)
        assert [c.text for c in store.study_candidates(study.id)] == ["text 0", "text 1"]
        assert store.study_outcomes(study.id) == []
        assert store.get_study(study.id).rounds == 0

    def test_of_candidates_added_at_once_under_one_number_one_is_kept(self, store: SqlStore, study: Study) -> None:
        adds = (
            lambda n=n: store.add_to_study(StudyBatch(study.id, [Candidate(number=0, text=str(n))]))  # type: ignore[misc]
            for n in range(4)
        )
        results = at_once(*adds)
        assert sum(isinstance(result, Conflict) for result in results) == 3
        (kept,) = store.study_candidates(study.id)
        assert results[int(kept.text)] is None

    # -- outcomes and their events
    def test_outcomes_come_back_in_order_and_by_candidate_and_split(self, store: SqlStore, study: Study) -> None:
        full = outcome(
            parts={"valid": 1.0}, answer="yes", expected="no", error="e", steps=3, totals=WHOLE, judge=WHOLE, at=1.5,
            round=2, repeat=1, pending=True,
        )  # fmt: skip
        given = [full, outcome(1, "a", split="train"), outcome(0, "z", split="test", stop="max-steps")]
        store.add_to_study(batch(study, *given[:2]))
        store.add_to_study(batch(study, given[2]))
        found = store.study_outcomes(study.id)
        numbers = [number for number, _ in found]
        assert [one for _, one in found] == given
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 0
        assert store.study_outcomes(study.id, after=numbers[0]) == found[1:]
        assert store.study_outcomes(study.id, candidate=1) == [found[1]]
        assert store.study_outcomes(study.id, split="test") == [found[2]]
        assert store.study_outcomes(study.id, candidate=1, split="test") == []

    def test_of_two_outcomes_of_one_run_the_first_stays(self, store: SqlStore, study: Study) -> None:
        first, again = outcome(score=0.25, answer="first"), outcome(score=1.0, answer="again")
        store.add_to_study(batch(study, first, events=(seen(1),)))
        before = store.study_outcomes(study.id)
        store.add_to_study(batch(study, again, outcome(repeat=1), events=(seen(2),)))
        found = store.study_outcomes(study.id)
        assert found[:1] == before
        assert [(one.repeat, one.answer) for _, one in found] == [(0, "first"), (1, "")]
        assert store.outcome_events(study.id, 0, "c") == [seen(1)]

    def test_outcomes_are_those_of_their_study(self, store: SqlStore, study: Study) -> None:
        other = new_study(store)
        store.add_to_study(batch(study, outcome(), events=(seen(1),)))
        store.add_to_study(batch(other, outcome(score=1.0), events=(seen(2),)))
        assert [one.score for _, one in store.study_outcomes(other.id)] == [1.0]
        assert store.outcome_events(study.id, 0, "c") == [seen(1)]

    def test_events_are_kept_deflated_and_come_back(self, store: SqlStore, study: Study) -> None:
        events = tuple(seen(n, "prompt", parts=[{"text": "You carry out a step. \U0001f600" * 200}]) for n in range(50))
        store.add_to_study(batch(study, outcome(), outcome(1), events=events))
        assert store.outcome_events(study.id, 0, "c") == list(events)
        told = sum(len(event.model_dump_json()) for event in events)
        with store.database.read() as connection:
            (trace, _) = connection.execute(o.select().with_only_columns(o.c.trace)).scalars()
        assert len(trace) < told / 20
        assert unpack(trace) == list(events)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_any_unicode_comes_back_storable(self, store: SqlStore, text: str) -> None:
        spec = SPEC.model_copy(update={"baseline": text, "options": {"k": text}})
        study = store.create_study(text, spec, {"val": [text]}, recorded=text)
        made = Candidate(number=0, text=text, operator=text, note=text, error=text)
        run = outcome(task=text, answer=text, expected=text, error=text, parts={text: 1.0}, pending=True)
        store.add_to_study(StudyBatch(study.id, [made], [(run, [seen(1, text=text)])]))
        store.rate(study.id, Rating(candidate=0, task=text, value=1.0, rater=text))
        kept = storable(text)
        found = store.get_study(study.id)
        assert (found.name, found.spec.baseline, found.splits["val"], found.recorded) == (kept, kept, (kept,), kept)
        candidate = store.study_candidates(study.id)[0]
        assert {candidate.text, candidate.operator, candidate.note, candidate.error} == {kept}
        (_, one), *_ = store.study_outcomes(study.id)
        assert {one.task, one.answer, one.expected, one.error} == {kept}
        assert (one.score, one.parts) == (1.0, {kept: 1.0, RATED: 1.0})
        assert (
            store.outcome_events(study.id, 0, text) == store.outcome_events(study.id, 0, kept) == [seen(1, text=text)]
        )
        assert [rating.rater for rating in store.ratings(study.id)] == [kept]

    def test_huge_texts_are_kept(self, store: SqlStore) -> None:
        huge = "\U0001f600 line\n" * 200_000
        study = new_study(store, huge)
        run = outcome(task=huge[:2000], answer=huge, expected=huge, error=huge)
        store.add_to_study(StudyBatch(study.id, [Candidate(number=0, text=huge)], [(run, [seen(1, text=huge)])]))
        assert store.get_study(study.id).name == huge
        assert store.study_candidates(study.id)[0].text == huge
        assert store.study_outcomes(study.id)[0][1].answer == huge
        assert store.outcome_events(study.id, 0, huge[:2000]) == [seen(1, text=huge)]

    # -- ratings
    # -- training
    def test_steps_of_a_training_come_back_in_order_and_after_one(self, store: SqlStore, study: Study) -> None:
        steps = [trained(1), trained(2, HOSTILE[3] + HOSTILE[4]), trained(3, ending="All alike.")]
        store.add_to_study(StudyBatch(study.id, steps=steps[:2]))
        store.add_to_study(StudyBatch(study.id, steps=steps[2:]))
        found = store.training_steps(study.id)
        assert [step.step for step in found] == [1, 2, 3]
        assert [found[0], found[2]] == [steps[0], steps[2]]
        assert found[1].samples[0].text == storable(HOSTILE[3] + HOSTILE[4])
        assert store.training_steps(study.id, after=2) == found[2:]

    def test_of_two_steps_of_one_number_the_first_stays(self, store: SqlStore, study: Study) -> None:
        store.add_to_study(StudyBatch(study.id, steps=[trained(1)]))
        store.add_to_study(StudyBatch(study.id, steps=[trained(1, "another"), trained(2)]))
        assert store.training_steps(study.id) == [trained(1), trained(2)]

    def test_steps_are_those_of_their_study(self, store: SqlStore, study: Study) -> None:
        store.add_to_study(StudyBatch(new_study(store).id, steps=[trained(1)]))
        assert store.training_steps(study.id) == []

    def test_rating_scores_what_waits_and_may_be_changed(self, store: SqlStore, study: Study) -> None:
        store.add_to_study(batch(study, outcome(score=0.0, pending=True, parts={"valid": 1.0})))
        for value in (0.25, 0.75):
            store.rate(study.id, Rating(candidate=0, task="c", value=value, rater="Ada"))
            (_, one), *_ = store.study_outcomes(study.id)
            assert (one.score, one.pending, one.parts) == (value, False, {"valid": 1.0, RATED: value})
        given = store.ratings(study.id)
        assert [(r.value, r.rater) for r in given] == [(0.25, "Ada"), (0.75, "Ada")]
        assert all(r.at > 0 for r in given)

    def test_rating_leaves_a_score_of_the_suite_alone(self, store: SqlStore, study: Study) -> None:
        store.add_to_study(batch(study, outcome(score=0.5), outcome(repeat=1, pending=True)))
        store.rate(study.id, Rating(candidate=0, task="c", value=0.0))
        assert [(one.score, one.pending) for _, one in store.study_outcomes(study.id)] == [(0.5, False), (0.5, True)]
        assert [r.value for r in store.ratings(study.id)] == [0.0]

    def test_ratings_given_at_once_are_all_kept_and_one_of_them_scores(self, store: SqlStore, study: Study) -> None:
        store.add_to_study(batch(study, outcome(pending=True)))
        values = [n / 8 for n in range(8)]
        rates = (lambda v=v: store.rate(study.id, Rating(candidate=0, task="c", value=v)) for v in values)  # type: ignore[misc]
        assert at_once(*rates) == [None] * 8
        assert sorted(r.value for r in store.ratings(study.id)) == values
        (_, one), *_ = store.study_outcomes(study.id)
        assert one.score == one.parts[RATED] == store.ratings(study.id)[-1].value

    # -- jobs: the fence, what submit and cancel do to a study
    def test_submitted_job_is_the_one_of_the_study(self, store: SqlStore, study: Study) -> None:
        job = store.submit("study", {}, title="s", subject_id=study.id)
        assert store.get_study(study.id).job_id == job.id
        again = store.submit("study", {}, title="s", subject_id=study.id, unique=True)
        assert again.id == store.get_study(study.id).job_id == job.id
        store.submit("run", {}, title="r", subject_id=study.id)
        assert store.get_study(study.id).job_id == job.id

    @pytest.mark.parametrize("began", [False, True])
    def test_cancelled_job_stops_its_study(self, store: SqlStore, study: Study, began: bool) -> None:
        other = new_study(store)
        store.submit("study", {}, title="s", subject_id=other.id)
        job = store.submit("study", {}, title="s", subject_id=study.id)
        lease = store.claim("one", lease_s=60, job_id=job.id) if began else None
        store.request(job.id, "cancel")
        if lease is not None:
            assert store.get_study(study.id).stop is None  # its worker is still at it
            store.finish(lease, "cancelled")
        ended = store.get_study(study.id)
        assert ended.stop == "person"
        assert ended.finished_at is not None
        assert store.get_study(other.id).stop is None

    def test_cancelled_job_leaves_the_end_of_a_study_alone(self, store: SqlStore, study: Study) -> None:
        job = store.submit("study", {}, title="s", subject_id=study.id)
        store.add_to_study(StudyBatch(study.id, stop="rounds"))
        store.request(job.id, "cancel")
        assert store.get_study(study.id).stop == "rounds"

    def test_batch_of_a_worker_that_lost_its_lease_is_refused_whole(self, store: SqlStore, study: Study) -> None:
        job = store.submit("study", {}, title="s", subject_id=study.id)
        old = store.claim("one", lease_s=60, job_id=job.id)
        assert old is not None
        store.checkpoint(old, study=StudyBatch(study.id, candidates=texts(0)), serial=1)
        pass_time(store, 61)
        new = store.claim("two", lease_s=60, job_id=job.id)
        assert new is not None
        late = StudyBatch(study.id, texts(1), [(outcome(1), ())], rounds=5, stop="rounds", best=1, test_uses=1)
        with pytest.raises(LeaseLost):
            store.checkpoint(old, study=late, serial=2)
        assert len(store.study_candidates(study.id)) == 1
        assert store.study_outcomes(study.id) == []
        assert store.get_study(study.id).model_copy(update={"job_id": None}) == study
        store.checkpoint(new, study=late, serial=2)
        assert [c.number for c in store.study_candidates(study.id)] == [0, 1]
        assert store.get_study(study.id).test_uses == 1

    def test_of_two_jobs_of_one_study_only_the_later_may_write(self, store: SqlStore, study: Study) -> None:
        leases = []
        for owner in ("one", "two"):
            job = store.submit("study", {}, title="s", subject_id=study.id)
            leases.append(store.claim(owner, lease_s=60, job_id=job.id))
        first, second = leases
        assert first is not None
        assert second is not None
        with pytest.raises(JobError, match=f"another job by now, {second.job.id}"):
            store.checkpoint(first, study=StudyBatch(study.id, texts(0)), serial=1)
        assert store.study_candidates(study.id) == []
        store.checkpoint(second, study=StudyBatch(study.id, texts(0)), serial=1)
        assert len(store.study_candidates(study.id)) == 1

    def test_checkpoint_that_is_sent_again_adds_to_the_study_once(self, store: SqlStore, study: Study) -> None:
        store.submit("study", {}, title="s", subject_id=study.id)
        lease = store.claim("one", lease_s=60)
        assert lease is not None
        added = StudyBatch(study.id, texts(0), [(outcome(), ())])
        for _ in range(2):
            assert store.checkpoint(lease, study=added, serial=1, done=1) == "running"
        assert len(store.study_candidates(study.id)) == len(store.study_outcomes(study.id)) == 1

    def test_batch_that_is_refused_takes_its_checkpoint_with_it(self, store: SqlStore, study: Study) -> None:
        job = store.submit("study", {}, title="s", subject_id=study.id)
        lease = store.claim("one", lease_s=60)
        assert lease is not None
        for wrong, error in (
            (StudyBatch(study.id, texts(1)), Conflict),
            (StudyBatch(new_id("st"), rounds=1), NotFound),
        ):
            with pytest.raises(error):
                store.checkpoint(lease, study=wrong, serial=1, done=7)
        assert store.get_job(job.id).done == 0
        assert store.checkpoint(lease, study=StudyBatch(study.id, texts(0)), serial=1) == "running"

    # -- suites
    def test_suite_is_kept_replaced_listed_and_put_away(self, store: SqlStore) -> None:
        first = store.save_suite("Mails", {"rows": [{"objective": "a\0", "n": 1.5}], "none": None})
        assert store.get_suite(first.id) == first
        assert first.body == {"rows": [{"objective": "a\ufffd", "n": 1.5}], "none": None}
        second = store.save_suite("Letters", {})
        assert [s.id for s in store.list_suites()] == [second.id, first.id]
        changed = store.save_suite("Mails 2", {"rows": []}, first.id)
        assert (changed.id, changed.name, changed.body) == (first.id, "Mails 2", {"rows": []})
        assert changed.created_at == first.created_at < changed.updated_at
        assert [s.id for s in store.list_suites()] == [first.id, second.id]
        assert [s.id for s in store.list_suites(1)] == [first.id]
        assert list(store.suite_names().items()) == [(first.id, "Mails 2"), (second.id, "Letters")]
        assert store.suite_names(1) == {first.id: "Mails 2"}
        store.delete_suite(first.id)
        assert [s.id for s in store.list_suites()] == [second.id]
        assert list(store.suite_names()) == [second.id]
        for ask in (store.get_suite, store.delete_suite, lambda i: store.save_suite("n", {}, i)):
            with pytest.raises(NotFound, match=first.id):
                ask(first.id)

    def test_suite_of_100000_rows_is_kept(self, store: SqlStore) -> None:
        rows = [{"objective": f"Mail {n} \U0001f600", "answer": str(n)} for n in range(100_000)]
        assert store.get_suite(store.save_suite("Large", {"rows": rows}).id).body == {"rows": rows}

    # -- what is not there
    @pytest.mark.parametrize("bad", ["", "st_", "wf_8k2m1x0c9d7e", "' OR 1=1 --", "\0", "x" * 100_000])
    def test_what_is_no_id_is_not_found(self, store: SqlStore, bad: str) -> None:
        rating = Rating(candidate=0, task="c", value=1)
        asks: list[Callable[[], object]] = [
            lambda: store.get_study(bad), lambda: store.study_candidates(bad), lambda: store.study_outcomes(bad),
            lambda: store.outcome_events(bad, 0, "c"), lambda: store.ratings(bad), lambda: store.rate(bad, rating),
            lambda: store.rename_study(bad, "n"), lambda: store.delete_study(bad), lambda: store.get_suite(bad),
            lambda: store.delete_suite(bad), lambda: store.save_suite("n", {}, bad),
            lambda: store.add_to_study(StudyBatch(bad, rounds=1)),
        ]  # fmt: skip
        for ask in asks:
            with pytest.raises(NotFound) as caught:
                ask()
            assert len(str(caught.value)) < 200

    def test_unknown_ids_are_named(self, store: SqlStore, study: Study) -> None:
        st, wf, su = new_id("st"), new_id("wf"), new_id("su")
        rating = Rating(candidate=0, task="c", value=1)
        asks: list[tuple[str, Callable[[], object]]] = [
            (st, lambda: store.get_study(st)),
            (st, lambda: store.study_candidates(st)),
            (st, lambda: store.study_outcomes(st)),
            (st, lambda: store.outcome_events(st, 0, "c")),
            (st, lambda: store.rate(st, rating)),
            (st, lambda: store.ratings(st)),
            (st, lambda: store.rename_study(st, "n")),
            (st, lambda: store.set_study_workflow(st, wf)),
            (st, lambda: store.delete_study(st)),
            (st, lambda: store.add_to_study(StudyBatch(st, rounds=1))),
            (st, lambda: store.add_to_study(StudyBatch(st, candidates=texts(0)))),
            (st, lambda: store.add_to_study(StudyBatch(st, outcomes=[(outcome(), ())]))),
            (st, lambda: new_study(store, parent_id=st)),
            (wf, lambda: new_study(store, workflow_id=wf)),
            (wf, lambda: store.set_study_workflow(study.id, wf)),
            (su, lambda: store.get_suite(su)),
            (su, lambda: store.save_suite("n", {}, su)),
            (su, lambda: store.delete_suite(su)),
        ]
        for identifier, ask in asks:
            with pytest.raises(NotFound, match=identifier):
                ask()
        assert store.list_studies() == [study]

    @pytest.mark.parametrize("number", [1, 2**31, 2**63, 10**30])
    def test_run_that_never_was_is_told(self, store: SqlStore, study: Study, number: int) -> None:
        store.add_to_study(batch(study, outcome(pending=True)))
        assert store.study_outcomes(study.id, candidate=number) == []
        for candidate, task, repeat in ((number, "c", 0), (0, "c", number), (0, "other", 0), (-number, "c", 0)):
            with pytest.raises(NotFound, match=r"Candidate .* was not run"):
                store.outcome_events(study.id, candidate, task, repeat)
            with pytest.raises(NotFound, match="to rate"):
                store.rate(study.id, Rating(candidate=candidate, task=task, repeat=repeat, value=1))
        assert store.ratings(study.id) == []

    @pytest.mark.parametrize("value", [math.nan, -0.1, 1.1, math.inf])
    def test_rating_outside_of_its_range_is_no_record(self, value: float) -> None:
        with pytest.raises(ValueError, match=r"less than|greater than"):
            Rating(candidate=0, task="c", value=value)
