"""The Optimize page: what it shows of a search, what it lets one do with it, and how a search is set up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from autoflow.jobs.payloads import PilotPayload
from autoflow.records import Connection, Totals
from autoflow.store import SqlStore
from autoflow.study import (
    MANUAL,
    PERSON,
    PLAIN,
    Candidate,
    Outcome,
    Rating,
    RewardSpec,
    Study,
    StudyBatch,
    SuiteSpec,
)
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests import searching
from tests.app.conftest import words
from tests.llm.server import Server
from tests.report.studies import HOSTILE, written
from tests.studies import finished_study, new_study

Visit = Callable[..., AppTest]


@pytest.fixture
def server(store: SqlStore) -> Iterator[Server]:
    with searching.model_server() as running:
        searching.connect(store, running)
        yield running


@pytest.fixture
def searched(store: SqlStore, server: Server) -> Study:
    study = searching.begun(store)
    job = searching.carried_out(store, study)
    assert (job.state, job.error) == ("done", "")
    return store.get_study(study.id)


def shown(app: AppTest) -> str:
    return words(app).replace("\\", "")


def query(app: AppTest, name: str) -> str:
    value = app.query_params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def act(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def rate(app: AppTest, grade: int) -> AppTest:
    return next(button for button in app.button if str(button.key).startswith(f"rate-{grade}-")).click().run()


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


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

    def test_when_all_is_rated_the_search_can_go_on(self, visit: Visit, store: SqlStore, waiting: Study) -> None:
        pending = [o for _, o in store.study_outcomes(waiting.id) if o.pending]
        for one in pending[1:]:
            store.rate(waiting.id, Rating(candidate=one.candidate, task=one.task, value=0.5, rater="other"))
        app = visit("optimize", study=waiting.id)
        app = rate(app, 3)
        assert "All answers there are were rated." in shown(app)
        act(app, "rated-go-on")
        assert store.list_jobs(kind="study")[0].state == "queued"

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


class TestSettingUp:
    def test_what_is_chosen_becomes_a_study_with_a_job_and_its_own_address(
        self, visit: Visit, store: SqlStore, server: Server
    ) -> None:
        workflow = store.create_workflow("My plans", searching.workflow(1))
        app = visit("optimize", workflow=workflow.id)
        for name in ("generator", "interpreter"):
            app.selectbox(key=f"search-{name}").set_value(searching.MODEL)
        app.number_input(key="search-rounds").set_value(2)
        app.number_input(key="search-calls").set_value(500)
        app.number_input(key="search-minutes").set_value(3.0)
        app.number_input(key="search-repeats").set_value(2)
        app.number_input(key="search-answer").set_value(64)
        app.number_input(key="search-w-tokens").set_value(0.02)
        app.run()
        next(c for c in app.segmented_control if c.key == "search-method").set_value("paper")
        app = act(app.run(), "search-start")
        (study,) = store.list_studies()
        spec = study.spec
        assert query(app, "study") == study.id
        assert (study.name, study.workflow_id, spec.baseline) == ("My plans", workflow.id, workflow.text)
        assert (spec.method, spec.generator, spec.interpreter, spec.judge) == (
            "paper", searching.MODEL, searching.MODEL, "",
        )  # fmt: skip
        assert (spec.budget.max_rounds, spec.budget.max_calls, spec.budget.max_time_s) == (2, 500, 180.0)
        assert (spec.policy.max_steps, spec.policy.answer_tokens) == (30, 64)
        assert (spec.repeats, spec.reward) == (2, RewardSpec(tokens=0.02))
        (job,) = store.list_jobs(kind="study")
        assert (job.subject_id, job.title) == (study.id, "Optimize My plans")

    def test_without_a_workflow_the_search_begins_from_what_the_suite_has(self, visit: Visit, store: SqlStore) -> None:
        app = visit("optimize")
        app.text_input(key="search-name").set_value("  From   nothing ").run()
        act(app, "search-start")
        (study,) = store.list_studies()
        assert (study.name, study.workflow_id, study.spec.baseline) == ("From nothing", None, None)
        assert [c.operator for c in store.study_candidates(study.id)] == [MANUAL, PLAIN]

    def test_a_judge_is_chosen_where_answers_are_judged(self, visit: Visit, store: SqlStore, server: Server) -> None:
        rows = [Row(objective=f"Answer mail {n}", expected="", row=n) for n in range(1, 6)]
        saved = store.save_suite("Mails", suite_body(rows, "judge"))
        address = {"tasks": saved.id, "tasks-train": "1", "tasks-val": "2", "tasks-test": "2"}
        assert "search-judge" not in {box.key for box in visit("optimize").selectbox}
        app = visit("optimize", **address)
        app.selectbox(key="search-judge").set_value(searching.MODEL).run()
        act(app, "search-start")
        (study,) = store.list_studies()
        assert (study.spec.judge, study.spec.suite.options) == (searching.MODEL, {"suite": saved.id})
        assert "judged by openai:careful" in shown(visit("optimize", study=study.id))

    def test_a_budget_that_is_too_small_is_told_before_and_nothing_typed_is_lost(
        self, visit: Visit, store: SqlStore
    ) -> None:
        app = visit("optimize")
        app.number_input(key="search-calls").set_value(3)
        app.number_input(key="search-rounds").set_value(7)
        app = act(app.run(), "search-start")
        text = shown(app)
        assert "3 calls are too few: scoring what there is and one new candidate takes at least 37." in text
        assert "Allow at least 37 calls" in text
        assert (app.number_input(key="search-calls").value, app.number_input(key="search-rounds").value) == (3, 7)
        assert store.list_studies() == []
        app.number_input(key="search-calls").set_value(37)
        act(app.run(), "search-start")
        assert len(store.list_studies()) == 1

    def test_a_workflow_with_errors_is_sent_to_where_it_can_be_mended(self, visit: Visit, store: SqlStore) -> None:
        workflow = store.create_workflow("Broken", "A:::process:::x:::next::Nowhere\n")
        app = visit("optimize", workflow=workflow.id)
        assert "This workflow has errors and cannot run." in shown(app)
        assert app.button(key="search-start").disabled

    def test_the_address_brings_back_the_tasks(self, visit: Visit, store: SqlStore) -> None:
        address = {"tasks": "openagi-plan", "tasks-train": "2", "tasks-val": "3", "tasks-test": "4", "tasks-seed": "9"}
        act(visit("optimize", **address), "search-start")
        (study,) = store.list_studies()
        assert study.spec.suite == SuiteSpec(name="openagi-plan", train=2, val=3, test=4, seed=9)

    @pytest.mark.parametrize(
        "address",
        [
            {"tasks": "no-such-suite"}, {"tasks": "su_000000000000"}, {"tasks": "reasoning", "tasks-options": "{{{"},
            {"tasks": "openagi-plan", "tasks-train": "99999999999", "tasks-val": "-1", "tasks-seed": "x"},
        ],
    )  # fmt: skip
    def test_an_address_that_names_no_tasks_is_told_or_left_out(self, visit: Visit, address: dict[str, str]) -> None:
        app = visit("optimize", **address)
        assert not app.exception
        assert "Something in AutoFlow failed" not in shown(app)
        assert app.selectbox(key="search-tasks-suite").value

    @pytest.mark.parametrize(
        "address", [{"study": "st_000000000000"}, {"study": "nonsense"}, {"workflow": "wf_000000000000"}]
    )
    def test_an_address_that_names_nothing_is_told(self, visit: Visit, address: dict[str, str]) -> None:
        app = visit("optimize", **address)
        assert not app.exception
        assert "This did not work" in shown(app)


class TestEstimate:
    def test_it_is_measured_on_a_few_runs(self, visit: Visit, store: SqlStore, server: Server) -> None:
        app = visit("optimize")
        for name in ("generator", "interpreter"):
            app.selectbox(key=f"search-{name}").set_value(searching.MODEL)
        app = act(app.run(), "search-pilot")
        (job,) = store.list_jobs(kind="pilot")
        assert "Waiting for the worker" in shown(app)
        done = searching.worked(store, job)
        assert (done.state, done.error) == ("done", "")
        text = shown(app.run())
        estimate = (done.result or {})["estimate"]
        assert f"About **{estimate['calls']:,} calls · {estimate['tokens']:,} tokens" in text
        assert "price unknown** in all" in text  # of this endpoint nobody knows one
        assert estimate["calls"] > 2 * 12  # the first candidates on validation alone take as many

    def test_it_is_asked_for_once_and_told_with_what_it_rests_on(self, visit: Visit, store: SqlStore) -> None:
        app = visit("optimize")
        app.number_input(key="search-calls").set_value(1000)
        app = act(app.run(), "search-pilot")
        (job,) = store.list_jobs(kind="pilot")
        assert "Waiting for the worker" in shown(app)
        lease = store.claim("test", lease_s=60)
        assert lease is not None
        estimate = {"calls": 1240, "tokens": 310_000, "cost_usd": None, "seconds": 2280.0}
        spent = Totals(calls=8, prompt_tokens=900, completion_tokens=80, seconds=12.0).model_dump()
        store.finish(lease, "done", result={"estimate": estimate, "runs": 3, "spent": spent})
        text = shown(app.run())
        assert "About **1,240 calls · 310,000 tokens · 38 min · price unknown** in all" in text
        assert "Reckoned from 3 runs, which took 8 calls, 12 s, 0 $." in text
        assert "Your limit of calls ends it sooner." in text
        assert PilotPayload.model_validate(job.payload).spec.budget.max_calls == 1000

    def test_another_setting_is_another_estimate_and_a_failed_one_says_why(self, visit: Visit, store: SqlStore) -> None:
        app = act(visit("optimize"), "search-pilot")
        lease = store.claim("test", lease_s=60)
        assert lease is not None
        store.finish(lease, "failed", error="The model is gone.")
        app = app.run()
        assert "It could not be estimated: The model is gone." in shown(app)
        app.number_input(key="search-rounds").set_value(3)
        assert "Not estimated yet." in shown(app.run())
