"""The Optimize page: what it shows of a search, and what it lets one do with it."""

from __future__ import annotations

import re

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from autoflow.errors import StorageUnavailable
from autoflow.records import Connection, Totals
from autoflow.store import SqlStore
from autoflow.store.tables import jobs
from autoflow.study import (
    MANUAL,
    PERSON,
    PLAIN,
    Candidate,
    Outcome,
    Rating,
    Study,
    StudyBatch,
    SuiteSpec,
)
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests import searching
from tests.app.optimizing import Visit, act, keys, query, rate, searched, server, shown
from tests.llm.server import Server
from tests.report.studies import HOSTILE, written
from tests.studies import finished_study, new_study

__all__ = ["searched", "server"]  # fixtures


class TestWatching:
    def test_a_search_that_ended_shows_its_best_what_it_found_and_what_it_took(
        self, visit: Visit, searched: Study, store: SqlStore
    ) -> None:
        app = visit("optimize", study=searched.id)
        assert not app.exception
        text = shown(app)
        assert "**All rounds were done** · best 0.97 on validation" in text
        assert "On the sealed test set" in text
        assert "Against the manual workflow: Candidate 4 scored higher by" in text
        assert "3 train / 5 validation / 4 test tasks · written by openai:careful, run by openai:careful" in text
        assert "was opened once, after the search" in text
        assert len(store.study_candidates(searched.id)) == 5  # manual, plain, three rounds
        assert not {"study-pause", "study-resume", "study-start"} & keys(app)

    def test_the_candidate_that_the_address_names_is_shown_with_what_changed_and_its_reward(
        self, visit: Visit, searched: Study
    ) -> None:
        app = visit("optimize", study=searched.id, candidate="3")
        text = shown(app)
        assert "Candidate 3" in text
        assert "made of candidate 2 in round 2" in text
        assert "Steps: 2 changed." in text
        view = next(control for control in app.segmented_control if control.key == "candidate-view")
        table = view.set_value("Reward").run().table[-1].value
        assert list(table["Term"]) == ["score", "Reward"]

    def test_a_task_that_the_address_names_shows_its_trace(self, visit: Visit, searched: Study) -> None:
        task = searched.splits["val"][0]
        text = shown(visit("optimize", study=searched.id, candidate="4", task=task))
        assert f"Validation · {task}" in text
        assert "Expected" in text

    def test_edits_of_the_default_method_are_named_and_say_why(
        self, visit: Visit, store: SqlStore, server: Server
    ) -> None:
        study = searching.begun(store, method="in-context", rounds=2)
        assert searching.carried_out(store, study).state == "done"
        found = next(c for c in store.study_candidates(study.id) if c.note and not c.error)
        text = shown(visit("optimize", study=study.id, candidate=str(found.number)))
        assert f"{found.operator}" in text
        assert found.note in text
        assert f"in round {found.round}" in text

    def test_a_study_whose_table_was_deleted_still_shows_what_it_found(
        self, visit: Visit, store: SqlStore, server: Server
    ) -> None:
        rows = [Row(objective=f"Mail {n}", expected="refund", row=n) for n in range(1, 5)]
        saved = store.save_suite("Mails", suite_body(rows, "exact"))
        suite = SuiteSpec(name="table", train=1, val=2, test=1, options={"suite": saved.id})
        study = searching.begun(store, rounds=1, suite=suite)
        assert searching.carried_out(store, study).state == "done"
        assert "Mails: 1 train / 2 validation / 1 test tasks" in shown(visit("optimize", study=study.id))
        store.delete_suite(saved.id)
        st.cache_data.clear()
        st.cache_resource.clear()
        app = visit("optimize", study=study.id)
        assert not app.exception
        text = shown(app)
        assert "a table that was deleted: 1 train" in text
        assert "The words of the tasks are not known any more" in text
        assert "On the sealed test set" in text

    def test_a_search_that_was_not_given_to_the_worker_can_be(self, visit: Visit, store: SqlStore) -> None:
        study = new_study(store)
        study.begin()
        app = visit("optimize", study=study.study.id)
        assert "Not started" in shown(app)
        act(app, "study-start")
        (job,) = store.list_jobs(kind="study")
        assert (job.subject_id, job.payload) == (study.study.id, {"study_id": study.study.id})

    def test_pause_resume_and_cancel_reach_the_job(self, visit: Visit, store: SqlStore, server: Server) -> None:
        study = searching.begun(store)
        job = store.list_jobs(kind="study")[0]
        app = act(visit("optimize", study=study.id), "study-pause")
        assert store.get_job(job.id).state == "paused"
        assert "Paused" in shown(app)
        act(app, "study-resume")
        assert store.get_job(job.id).state == "queued"
        app = act(app, "study-cancel-now")
        assert (store.get_job(job.id).state, store.get_study(study.id).stop) == ("cancelled", "person")
        assert "It was stopped by a person" in shown(app)
        assert not {"study-pause", "study-resume", "study-start", "study-cancel-now"} & keys(app)

    def test_time_left_counts_no_pauses_and_ends_with_the_limit_of_time(
        self, visit: Visit, store: SqlStore, server: Server
    ) -> None:
        study = searching.begun(store, rounds=10, max_time_s=600.0)
        lease = store.claim("w", lease_s=600)
        assert lease is not None
        worked = StudyBatch(study.id, rounds=2, seconds=60.0)
        store.checkpoint(lease, done=2, total=10, unit="rounds", study=worked)
        with store.database.write() as connection:  # and paused for the most of a day
            connection.execute(jobs.update().values(started_at=jobs.c.started_at - 86_400))
        text = shown(visit("optimize", study=study.id))
        assert text.count("about 4 min left") == 2  # beside the search, and in the strip of what is under way
        store.checkpoint(lease, study=StudyBatch(study.id, seconds=500.0))
        assert shown(visit("optimize", study=study.id)).count("at most 100 s left") == 2

    def test_a_study_that_is_deleted_while_its_search_goes_on_leaves_the_pages_standing(
        self, visit: Visit, store: SqlStore, server: Server
    ) -> None:
        study = searching.begun(store, rounds=10)
        lease = store.claim("w", lease_s=600)
        assert lease is not None
        store.checkpoint(lease, done=2, total=10, unit="rounds", study=StudyBatch(study.id, rounds=2, seconds=60.0))
        store.delete_study(study.id)
        app = visit("optimize")
        assert not app.exception
        assert "running, 2 of 10 rounds" in shown(app)
        assert "This did not work" not in shown(app)

    def test_a_search_that_failed_says_why_and_goes_on_when_that_is_mended(self, visit: Visit, store: SqlStore) -> None:
        with searching.model_server() as running:
            searching.connect(store, running)
            study = searching.begun(store)
            store.save_connection(Connection(name="careful", kind="scripted", path="/nowhere/script.jsonl"))
            job = searching.carried_out(store, study)
            assert job.state == "failed"
            app = visit("optimize", study=study.id)
            assert job.error[:60] in shown(app)
            searching.connect(store, running)
            act(app, "study-resume")
            assert searching.carried_out(store, study).state == "done"
        assert "All rounds were done" in shown(visit("optimize", study=study.id))

    def test_several_searches_are_listed_each_with_how_it_stands(self, visit: Visit, store: SqlStore) -> None:
        finished_study(store, "Done one")
        other = new_study(store, "Waiting one")
        other.begin()
        store.submit("study", {"study_id": other.study.id}, title="Optimize", subject_id=other.study.id)
        written(store, names=["A comparison", "of two"])
        text = shown(visit("optimize"))
        assert "Done one" in text
        assert "Done · in-context · openagi-plan · best 0.66 on validation" in text
        assert "Waiting for the worker · in-context" in text
        assert "A comparison" not in text

    def test_a_recording_is_called_one_and_cannot_go_on(self, visit: Visit, store: SqlStore) -> None:
        made = new_study(store, recorded="Made on 1 May with a model.")
        made.begin()
        app = visit("optimize", study=made.study.id)
        assert "A recording, to show around." in shown(app)
        assert "Made on 1 May with a model." in shown(app)
        assert not {"study-start", "study-pause"} & keys(app)

    def test_words_of_models_and_people_are_shown_as_text(self, visit: Visit, store: SqlStore) -> None:
        study = new_study(store, f"Study {HOSTILE}")
        study.begin()
        note = Candidate(number=2, text=f"A:::terminal:::{HOSTILE}:::\n", operator=HOSTILE, note=HOSTILE, parent=1)
        study.add(note)
        app = visit("optimize", study=study.study.id, candidate="2")
        assert not app.exception
        marked = [element.value for kind in (app.title, app.header, app.markdown, app.caption) for element in kind]
        assert not [text for text in marked if "<img" in text.replace("\\<", "")]


class TestWarnings:
    def test_they_stand_on_the_page_with_examples(self, visit: Visit, store: SqlStore) -> None:
        writer = new_study(store, rounds=4)
        writer.begin()
        for number in range(1, 5):
            store.add_to_study(StudyBatch(writer.study.id, rounds=number))
        text = shown(visit("optimize", study=writer.study.id))
        assert "No gain for some rounds" in text
        assert "4 rounds found nothing better than candidate 1 (plain prompt)." in text

    def test_a_test_that_does_not_bear_validation_out_is_told(self, visit: Visit, searched: Study) -> None:
        text = shown(visit("optimize", study=searched.id))
        assert "Candidate 4 scores 0.97 on validation, by which it was chosen, but" in text

    def test_nothing_is_said_where_there_is_nothing_to_say(self, visit: Visit, store: SqlStore) -> None:
        text = shown(visit("optimize", study=finished_study(store).id))
        assert "On the sealed test set" in text
        assert ":material/warning:" not in text


class TestAdopting:
    def test_the_best_becomes_the_next_version_of_the_workflow_where_the_study_began(
        self, visit: Visit, store: SqlStore
    ) -> None:
        workflow = store.create_workflow("Plans", searching.workflow(1))
        study = finished_study(store, workflow_id=workflow.id)
        app = visit("optimize", study=study.id)
        assert app.button(key="adopt-now").label == "Adopt as v2"
        app = act(app, "adopt-now")
        (latest, _) = store.list_versions(workflow.id)
        best = store.study_candidates(study.id)[study.best or 0]
        assert (latest.text, latest.origin, latest.number) == (best.text, "optimized", 2)
        assert f"Candidate {study.best} is v2 of Plans." in shown(app)
        act(app, "adopt-now")
        assert len(store.list_versions(workflow.id)) == 2

    def test_it_may_become_a_workflow_of_its_own(self, visit: Visit, searched: Study, store: SqlStore) -> None:
        app = visit("optimize", study=searched.id, candidate="3")
        assert app.button(key="adopt-now").label == "Adopt as v1 of a new workflow"
        act(app, "adopt-now")
        (made,) = store.list_workflows()
        assert (made.name, made.text) == ("Careful plans", store.study_candidates(searched.id)[3].text)

    def test_a_candidate_with_errors_is_run_and_adopted_by_nobody(self, visit: Visit, store: SqlStore) -> None:
        study = finished_study(store)
        broken = next(c for c in store.study_candidates(study.id) if c.error)
        app = visit("optimize", study=study.id, candidate=str(broken.number))
        assert broken.error in shown(app)
        assert app.button(key="candidate-run").disabled


class TestBranching:
    def test_an_edited_text_begins_a_study_of_its_own(self, visit: Visit, searched: Study, store: SqlStore) -> None:
        app = visit("optimize", study=searched.id, candidate="2")
        area = next(area for area in app.text_area if str(area.key).startswith("branch-text"))
        edited = area.value.replace("Care 3", "Care 7")
        area.set_value(edited).run()
        app.number_input(key="branch-rounds").set_value(1).run()
        app = act(app, "branch-start")
        branch = store.list_studies(1)[0]
        assert query(app, "study") == branch.id
        assert (branch.parent_id, branch.spec.budget.max_rounds) == (searched.id, 1)
        assert [c.operator for c in store.study_candidates(branch.id)] == [MANUAL, PLAIN, PERSON]
        assert store.study_candidates(branch.id)[2].text == edited
        assert store.list_jobs(kind="study", subject_id=branch.id)[0].state == "queued"
        assert len(store.study_candidates(searched.id)) == 5

    def test_a_text_with_errors_cannot_begin_one_and_stays(self, visit: Visit, searched: Study) -> None:
        app = visit("optimize", study=searched.id)
        area = next(area for area in app.text_area if str(area.key).startswith("branch-text"))
        app = area.set_value("A:::process:::x:::next::Nowhere").run()
        assert "This text cannot run yet. The first error:" in shown(app)
        assert app.button(key="branch-start").disabled


def undone_twice() -> None:
    """The answers to rate, and a click on Undo that is heard twice."""
    import streamlit as st

    from pages.ui.optimize import loaded, rating

    view = loaded.load(st.session_state["study"])
    rating.draw(view, None)

    def press() -> None:
        last = rating._rated_here(view)[-1]
        for _ in range(2):
            rating._undo_last(view.study.id, last)

    st.button("press", key="press", on_click=press)


def overlapping() -> None:
    """The answers to rate, and a key that the buttons of the one before hear as well."""
    import streamlit as st

    from pages.ui.optimize import loaded, rating

    view = loaded.load(st.session_state["study"])
    rating.draw(view, None)
    heard = [*st.session_state.get("heard", [])[-1:], rating.queue(view)[0]]

    def press() -> None:
        for one in heard:
            rating._rate(view.study.id, one, st.session_state["grade"])
        st.session_state["heard"] = heard

    st.button("press", key="press", on_click=press)


class TestRating:
    @pytest.fixture
    def waiting(self, store: SqlStore) -> Study:
        writer = new_study(store, pending=True)
        writer.begin()
        store.submit("study", {"study_id": writer.study.id}, title="Optimize", subject_id=writer.study.id)
        store.request(store.list_jobs(kind="study")[0].id, "pause")
        return writer.study

    def test_answers_are_rated_blind_one_by_one_and_the_last_can_be_taken_back(
        self, visit: Visit, store: SqlStore, waiting: Study
    ) -> None:
        app = visit("optimize", study=waiting.id)
        text = shown(app)
        assert "Which candidate gave an answer is not shown. Press 1 to 5, or a button." in text
        panel = text.split("What was asked")[1].split("The answer")[0]
        assert "andidate" not in panel
        rate(app, 5)
        (first,) = store.ratings(waiting.id)
        assert first.value == 1.0
        app = act(app, "rate-undo")
        assert "You rated this one before" in shown(app)
        rate(app, 1)
        again = store.ratings(waiting.id)[-1]
        assert (again.candidate, again.task, again.value) == (first.candidate, first.task, 0.0)

    def test_a_key_that_the_buttons_of_two_answers_hear_grades_the_shown_one_alone(
        self, store: SqlStore, waiting: Study
    ) -> None:
        app = AppTest.from_function(overlapping, default_timeout=60)
        app.session_state["study"] = waiting.id
        app.run()
        for grade in (1, 5, 3):
            app.session_state["grade"] = grade
            act(app, "press")
        given = store.ratings(waiting.id)
        assert len({(one.candidate, one.task) for one in given}) == 3
        assert [one.value for one in given] == [0.0, 1.0, 0.5]

    def test_undo_that_is_heard_twice_takes_one_back(self, store: SqlStore, waiting: Study) -> None:
        app = AppTest.from_function(undone_twice, default_timeout=60)
        app.session_state["study"] = waiting.id
        rate(rate(app.run(), 5), 4)
        app = act(app, "press")
        assert not app.exception
        assert "You rated this one before" in shown(app)
        rate(app, 1)
        assert [one.value for one in store.ratings(waiting.id)] == [1.0, 0.75, 0.0]

    def test_a_grade_that_could_not_be_kept_is_asked_for_again(
        self, visit: Visit, store: SqlStore, waiting: Study, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise StorageUnavailable("The disk is full.")

        app = act(rate(visit("optimize", study=waiting.id), 5), "rate-undo")
        with monkeypatch.context() as patch:
            patch.setattr(SqlStore, "rate", full)
            app = rate(app, 1)
        assert "The disk is full." in shown(app)
        assert "You rated this one before" in shown(app)
        rate(app, 1)
        assert [one.value for one in store.ratings(waiting.id)] == [1.0, 0.0]

    def test_when_all_is_rated_the_search_can_go_on(self, visit: Visit, store: SqlStore, waiting: Study) -> None:
        pending = [o for _, o in store.study_outcomes(waiting.id) if o.pending]
        for one in pending[1:]:
            store.rate(waiting.id, Rating(candidate=one.candidate, task=one.task, value=0.5, rater="other"))
        app = visit("optimize", study=waiting.id)
        app = rate(app, 3)
        assert "All answers there are were rated." in shown(app)
        act(app, "rated-go-on")
        assert store.list_jobs(kind="study")[0].state == "queued"

    def test_a_search_rests_whenever_a_person_is_to_rate_and_ends_when_all_is_rated(
        self, visit: Visit, store: SqlStore, server: Server
    ) -> None:
        rows = [Row(objective=f"Answer mail {n}", expected="", row=n) for n in range(1, 5)]
        saved = store.save_suite("Mails", suite_body(rows, "person"))
        suite = SuiteSpec(name="table", train=1, val=2, test=1, options={"suite": saved.id})
        study = searching.begun(store, rounds=1, suite=suite)
        rests = 0
        while (job := searching.carried_out(store, study)).state == "paused":
            rests += 1
            app = visit("optimize", study=study.id)
            while [button for button in app.button if str(button.key).startswith("rate-5-")]:
                app = rate(app, 5 if len(store.ratings(study.id)) % 3 else 2)
            act(app, "rated-go-on")
        assert (job.state, job.error) == ("done", "")
        assert rests >= 3  # validation of what was there, train of the new one, the test
        outcomes = [o for _, o in store.study_outcomes(study.id)]
        assert len(store.ratings(study.id)) == len(outcomes)
        assert not [o for o in outcomes if o.pending]
        assert "On the sealed test set" in shown(visit("optimize", study=study.id))

    def test_a_judge_is_checked_by_some_of_its_answers(self, visit: Visit, store: SqlStore) -> None:
        study = judged_study(store)
        app = visit("optimize", study=study.id)
        assert "Rate 6 answers yourself, to see whether the judge can be relied on." in shown(app)
        app = act(app, "check-judge")
        for _ in range(6):
            scores = {o.answer: o.score for _, o in store.study_outcomes(study.id)}
            answer = next(str(code.value) for code in app.code if str(code.value).startswith("answer "))
            app = rate(app, 5 if scores[answer] < 0.5 else 1)
        assert {o.score for _, o in store.study_outcomes(study.id)} == {0.0, 1.0}  # what the judge gave stays
        text = shown(app)
        assert "Judge and people disagree" in text
        assert re.search("The judge gave (1.00, people gave 0.00|0.00, people gave 1.00)", text)


def judged_study(store: SqlStore) -> Study:
    """A plain prompt on six tasks whose answers a judge scored."""
    writer = new_study(store)
    tasks = writer.study.splits["val"][:6]
    asked = Totals(calls=1)
    found = [
        Outcome(candidate=0, task=task, score=float(n % 2), stop="terminal", answer=f"answer {n}", judge=asked)
        for n, task in enumerate(tasks)
    ]
    first = Candidate(number=0, text=writer.suite.plain, operator=PLAIN)
    store.add_to_study(StudyBatch(writer.study.id, candidates=[first], outcomes=[(o, ()) for o in found]))
    return writer.study
