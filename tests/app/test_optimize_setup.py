"""The Optimize page: how a search is set up, and what it is estimated to take."""

from __future__ import annotations

import pytest

from autoflow.jobs.payloads import PilotPayload
from autoflow.optimize.methods import open_optimizer
from autoflow.records import Totals
from autoflow.store import SqlStore
from autoflow.study import MANUAL, PLAIN, RewardSpec, SuiteSpec
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests import searching
from tests.app.optimizing import Visit, act, query, server, shown
from tests.llm.server import Server

__all__ = ["server"]  # fixtures


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

    def test_options_of_the_method_are_kept_where_they_differ_from_its_own(self, visit: Visit, store: SqlStore) -> None:
        app = visit("optimize")
        app.number_input(key="search-in-context-drafts").set_value(5)
        app.number_input(key="search-in-context-worst").set_value(2)
        app.number_input(key="search-in-context-temperature").set_value(0.2)
        app.multiselect(key="search-in-context-operators").set_value(["rewrite", "drop a step"])
        act(app.run(), "search-start")
        (study,) = store.list_studies()
        assert study.spec.options == {"drafts": 5, "temperature": 0.2, "operators": ["rewrite", "drop a step"]}
        assert open_optimizer(study.spec).rules.minibatch == 4

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
