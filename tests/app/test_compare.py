"""The Compare page: what it compares, what it says of it, and what it does where something is missing or wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.records import WorkflowRecord
from autoflow.report.comparisons import REFS
from autoflow.store import SqlStore
from autoflow.study import Outcome, Study, StudyBatch
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.suites.table_add import Choice, add_table
from autoflow.suites.table_read import read_pasted
from pages.ui.compare.export import file_name
from tests.app.conftest import words
from tests.report.reports import report_of
from tests.report.studies import HOSTILE, MODEL, NEW, OLD, suite_of, written
from tests.studies import finished_study

Visit = Callable[..., AppTest]


@pytest.fixture
def workflow(store: SqlStore) -> WorkflowRecord:
    made = store.create_workflow("Refund", OLD)
    store.save_version(made.id, origin="generated", text=NEW)
    return store.get_workflow(made.id)


@pytest.fixture
def study(store: SqlStore, workflow: WorkflowRecord) -> Study:
    return written(store, options={"names": ["Refund v1", "Refund v2"], REFS: [f"{workflow.id}:1", f"{workflow.id}:2"]})


def picked(app: AppTest, name: str) -> object:
    """What a picker of the address shows; its key holds the value."""
    return next(box.value for box in app.selectbox if str(box.key).startswith(f"compare-{name}-"))


def pick(app: AppTest, name: str, value: str) -> AppTest:
    return next(box for box in app.selectbox if str(box.key).startswith(f"compare-{name}-")).set_value(value).run()


def query(app: AppTest, name: str) -> str:
    value = app.query_params.get(name, "")
    return value[0] if isinstance(value, list) else value


def test_with_nothing_to_compare_it_says_what_to_do_first(visit: Visit) -> None:
    shown = words(visit("compare"))
    assert "There is nothing to compare yet. Keep a second version of a workflow" in shown


def test_without_an_address_it_offers_the_first_and_the_latest_version(visit: Visit, workflow: WorkflowRecord) -> None:
    app = visit("compare")
    assert (picked(app, "a"), picked(app, "b")) == (f"{workflow.id}:1", f"{workflow.id}:2")
    assert "Steps: 1 changed, 2 added." in words(app)
    assert app.button(key="run-missing").label == "Run both"


def test_a_comparison_says_its_verdict_figures_and_what_differs(visit: Visit, study: Study) -> None:
    shown = words(visit("compare", study=study.id)).replace("\\", "")
    assert "Refund v2 is better by 0.53 (95 % interval 0.28 to 0.73, 9 tasks, p 0.016)." in shown
    assert "Refund v2 better on 7 tasks, same on 2, Refund v1 better on 0" in shown
    assert "| Median time of a run |" in shown
    assert "Steps: 1 changed, 2 added." in shown


def test_versions_on_the_same_setting_find_the_comparison_there_is(
    visit: Visit, study: Study, workflow: WorkflowRecord
) -> None:
    address = {"a": f"{workflow.id}:1", "b": f"{workflow.id}:2", "suite": study.id, "model": MODEL}
    app = visit("compare", study=study.id)
    assert not [button for button in app.button if button.key == "run-missing"]
    there = visit("compare", **(address | {"model": "embedded:none"}))
    assert there.button(key="run-missing").label == "Run both"  # no such model can be chosen: the default one is shown


def test_swapping_turns_the_verdict_round_and_the_address_keeps_it(visit: Visit, study: Study) -> None:
    app = visit("compare", study=study.id)
    before = (picked(app, "a"), picked(app, "b"))
    app.button(key="swap").click().run()
    assert (query(app, "b"), query(app, "a")) == before
    assert (picked(app, "b"), picked(app, "a")) == before
    assert "Steps: 1 changed, 2 removed." in words(app)


def test_two_candidates_of_a_search_are_compared_where_it_scored_them(visit: Visit, store: SqlStore) -> None:
    found = finished_study(store)
    app = visit("compare", study=found.id, a="0", b="1", split="val")
    shown = words(app).replace("\\", "")
    assert (picked(app, "a"), picked(app, "b")) == (f"{found.id}:0", f"{found.id}:1")
    assert "#1 plain prompt" in shown
    assert "The search chose by these validation tasks" in shown
    assert "10 tasks" in shown


def test_a_search_is_shown_on_its_sealed_test_where_both_were_scored_on_it(visit: Visit, store: SqlStore) -> None:
    found = finished_study(store)
    app = visit("compare", study=found.id)
    assert (picked(app, "split"), picked(app, "b")) == ("test", f"{found.id}:{found.best}")
    assert "Scored on the sealed test, which was opened once." in words(app).replace("\\", "")
    other = next(n for n in range(2, 9) if n != found.best)
    assert picked(visit("compare", study=found.id, b=str(other)), "split") == "val"


def test_what_the_suite_brings_and_the_best_of_searches_can_be_chosen(
    visit: Visit, store: SqlStore, workflow: WorkflowRecord
) -> None:
    found = finished_study(store)
    app = visit("compare", a="manual", b=f"{workflow.id}:2")
    box = next(box for box in app.selectbox if str(box.key).startswith("compare-b-"))
    assert box.options[1:4] == ["manual workflow", "plain prompt", f"Best of Plans for images (#{found.best})"]
    assert "Refund v2 (generated)" in box.options
    app = pick(app, "b", "plain")
    assert (query(app, "a"), query(app, "b")) == ("manual", "plain")
    app.button(key="run-missing").click().run()
    made = store.get_study(query(app, "study"))
    suite = OpenAGIPlanSuite(seed=0, sizes={"train": 0, "val": 0, "test": 0})
    assert [c.text for c in store.study_candidates(made.id)] == [suite.baseline, suite.plain]


def test_how_many_tasks_is_kept_in_the_address_and_run(visit: Visit, store: SqlStore, workflow: WorkflowRecord) -> None:
    app = visit("compare", a=f"{workflow.id}:1", b=f"{workflow.id}:2")
    assert app.number_input(key="compare-val-12").value == 12
    app.number_input(key="compare-val-12").set_value(40).run()
    app.number_input(key="compare-seed-0").set_value(3).run()
    assert (query(app, "val"), query(app, "seed"), query(app, "train")) == ("40", "3", "")
    app.button(key="run-missing").click().run()
    made = store.get_study(query(app, "study"))
    assert (made.spec.suite.seed, len(made.splits["val"]), len(made.splits["test"])) == (3, 40, 24)


def test_a_single_version_is_held_against_the_plain_prompt(visit: Visit, store: SqlStore) -> None:
    only = store.create_workflow("Alone", OLD)
    app = visit("compare")
    assert (picked(app, "a"), picked(app, "b")) == ("plain", f"{only.id}:1")


def test_what_a_person_wrote_stands_against_what_a_model_made_of_it(visit: Visit, store: SqlStore) -> None:
    made = store.create_workflow("Refund", OLD)
    store.save_version(made.id, origin="optimized", text=NEW)
    store.save_version(made.id, origin="edited", text=NEW + "# mine\n")
    app = visit("compare")
    assert (picked(app, "a"), picked(app, "b")) == (f"{made.id}:1", f"{made.id}:2")


def test_a_text_that_cannot_run_is_told_and_not_run(visit: Visit, store: SqlStore) -> None:
    made = store.create_workflow("Refund", OLD)
    store.save_version(made.id, origin="edited", text="A:::process:::Go:::next::Nowhere\n")
    app = visit("compare", a=f"{made.id}:1", b=f"{made.id}:2")
    assert "Refund v2 cannot run:" in words(app).replace("\\", "")
    assert not [button for button in app.button if button.key == "run-missing"]


def test_the_sealed_test_is_opened_only_when_the_person_says_so(visit: Visit, study: Study, store: SqlStore) -> None:
    app = pick(visit("compare", study=study.id), "split", "test")
    assert "This opens the sealed test, and the opening is counted." in words(app)
    assert app.button(key="run-missing").disabled
    box = next(box for box in app.checkbox if str(box.key).startswith("open-test"))
    box.check().run()
    assert not app.button(key="run-missing").disabled


def test_the_scored_test_says_how_often_it_was_opened(visit: Visit, store: SqlStore) -> None:
    written(store, split="test")
    shown = words(visit("compare", study=written(store, split="test").id)).replace("\\", "")
    assert "Scored on the sealed test, which was opened 2 times by now" in shown


def test_what_is_missing_is_asked_of_the_worker_once(visit: Visit, store: SqlStore) -> None:
    study = written(store, only=4)
    app = visit("compare", study=study.id)
    button = app.button(key="run-missing")
    assert button.label == "Run what is missing (10 runs)"
    button.click().run()
    (job,) = store.list_jobs(kind="study")
    assert (job.payload, job.subject_id) == ({"study_id": study.id}, study.id)
    assert query(app, "study") == study.id


def test_while_it_runs_the_page_shows_how_far_it_is_and_a_reload_finds_it(visit: Visit, store: SqlStore) -> None:
    study = written(store, only=1)
    store.submit("study", {"study_id": study.id}, title="Compare", subject_id=study.id)
    lease = store.claim("worker", lease_s=60)
    assert lease is not None
    late = study.splits["val"][1]
    for candidate in (0, 1):
        run = Outcome(candidate=candidate, task=late, score=0.25, stop="terminal", answer="late answer")
        store.checkpoint(
            lease, done=3 + candidate, total=18, unit="runs", study=StudyBatch(study.id, outcomes=[(run, ())])
        )
    for _ in range(2):
        app = visit("compare", study=study.id)
        shown = words(app).replace("\\", "")
        assert "Running, 4 of 18 runs" in shown
        assert "Not finished: 14 runs still missing." in shown
        assert "2 tasks" in shown
    app.button(key="stop-compare").click().run()
    assert store.get_job(lease.job.id).state == "cancelling"


def test_a_job_that_failed_says_why_and_can_be_taken_up(visit: Visit, store: SqlStore) -> None:
    study = written(store, only=1)
    job = store.submit("study", {"study_id": study.id}, title="Compare", subject_id=study.id)
    lease = store.claim("worker", lease_s=60)
    assert lease is not None
    store.finish(lease, "failed", error="The model `telepathy` is gone.")
    app = visit("compare", study=study.id)
    assert "It failed: The model `telepathy` is gone." in words(app)
    app.button(key="run-missing").click().run()
    assert store.get_job(job.id).state == "queued"


def test_texts_that_are_the_same_are_not_run(visit: Visit, workflow: WorkflowRecord) -> None:
    app = visit("compare", a=f"{workflow.id}:2", b=f"{workflow.id}:2")
    assert "A and B are the same text." in words(app)
    assert not [button for button in app.button if button.key == "run-missing"]


def test_names_and_answers_of_others_are_text(visit: Visit, store: SqlStore) -> None:
    study = written(store, names=[f"old {HOSTILE}", f"*new* {HOSTILE}"], reply=lambda _: HOSTILE)
    app = visit("compare", study=study.id)
    assert not app.exception
    marked = [element.value for kind in (app.header, app.markdown, app.caption) for element in kind]
    assert not [text for text in marked if "<img" in text.replace("\\<", "")]


@pytest.mark.parametrize(
    "address",
    [
        {"study": "st_000000000000"}, {"study": "nonsense"}, {"a": "wf_000000000000:1", "b": "wf_000000000000:2"},
        {"a": "wf_8k2m1x0c9d7e:1"}, {"a": "../../etc/passwd", "b": "<script>"},
        {"a": "wf_8k2m1x0c9d7e:-1", "b": "st_8k2m1x0c9d7e:1"},
    ],
)  # fmt: skip
def test_an_address_that_names_nothing_is_told(visit: Visit, address: dict[str, str]) -> None:
    app = visit("compare", **address)
    assert not app.exception
    assert "This did not work" in words(app)


def test_a_candidate_that_the_study_has_not_is_told(visit: Visit, study: Study) -> None:
    app = visit("compare", study=study.id, b="99")
    assert "has no candidate 99" in words(app)


def test_a_wrong_setting_in_the_address_is_left_out(visit: Visit, workflow: WorkflowRecord) -> None:
    address = {"split": "all", "model": "m" * 500, "repeats": "1e9", "suite": "../x", "task": "<b>", "show": "none"}
    app = visit("compare", a=f"{workflow.id}:1", b=f"{workflow.id}:2", **address)
    assert not app.exception
    assert (picked(app, "split"), picked(app, "repeats"), picked(app, "suite")) == ("val", "1", "openagi-plan")


def test_the_file_is_named_after_both_in_plain_letters(store: SqlStore) -> None:
    report = report_of(store, written(store, names=["Ärger/../v1", "new: v2\n"]))
    assert file_name(report) == "rger-v1-and-new-v2"
    assert file_name(report_of(store, written(store, names=["日本", "中文"]))) == "and"


def test_the_setting_of_a_study_is_that_of_its_suite(visit: Visit, study: Study) -> None:
    spec, _ = suite_of()
    app = visit("compare", study=study.id)
    assert picked(app, "suite") == "openagi-plan"
    assert app.number_input(key=f"compare-val-{spec.val}").value == spec.val
    assert (study.spec.suite, picked(app, "model")) == (spec, MODEL)


def test_tasks_are_found_by_words_and_ordered(visit: Visit, store: SqlStore) -> None:
    found = finished_study(store)
    app = visit("compare", study=found.id, show="all")
    app.text_input(key="find").set_value("zebra").run()
    assert "No task holds these words." in words(app)
    app.text_input(key="find").set_value("").run()
    app.selectbox(key="order").set_value("a").run()
    assert not app.exception


def test_a_suite_that_a_model_scores_asks_for_the_judge(
    visit: Visit, store: SqlStore, workflow: WorkflowRecord
) -> None:
    table = read_pasted("mail,answer\nMoney back!,refund\nWhere is it?,delivery\nIt is broken,refund\n")
    saved, _ = add_table(store, table, "Mails", Choice(scorer="judge"))
    app = visit("compare", a="plain", b=f"{workflow.id}:2", suite=saved.id)
    assert picked(app, "suite") == saved.id
    assert picked(app, "judge") == picked(app, "model")
    assert "manual workflow" not in next(b for b in app.selectbox if str(b.key).startswith("compare-a-")).options
    app.button(key="run-missing").click().run()
    made = store.get_study(query(app, "study"))
    assert (made.spec.judge, made.spec.suite.options) == (picked(app, "model"), {"suite": saved.id})
    other = visit("compare", a="manual", b=f"{workflow.id}:2", suite=saved.id)
    assert picked(other, "a") == "plain"  # a table brings no manual workflow
    assert "Judge" not in [box.label for box in pick(app, "suite", "openagi-plan").selectbox]


def test_answers_that_wait_for_a_person_are_said_and_the_way_to_rate_them_is_there(
    visit: Visit, store: SqlStore
) -> None:
    found = finished_study(store, pending=True)
    app = visit("compare", study=found.id, a="0", b="1", split="val")
    assert "left out until a person has rated the answers." in words(app).replace("\\", "")
    labels = [link.proto.label for link in app.get("page_link")]
    assert "Rate the answers" in labels
    calm = visit("compare", study=finished_study(store).id, split="val")
    assert "Rate the answers" not in [link.proto.label for link in calm.get("page_link")]


def test_a_comparison_outlives_its_suite(visit: Visit, store: SqlStore, workflow: WorkflowRecord) -> None:
    spec, _ = suite_of()
    gone = spec.model_copy(update={"name": "table", "options": {"suite": "su_000000000000"}})
    kept = written(store)
    study = store.create_study("Mails", kept.spec.model_copy(update={"suite": gone}), kept.splits)
    runs = [(o, store.outcome_events(kept.id, o.candidate, o.task)) for _, o in store.study_outcomes(kept.id)]
    store.add_to_study(StudyBatch(study.id, store.study_candidates(kept.id), runs, stop="evaluated"))
    shown = words(visit("compare", study=study.id)).replace("\\", "")
    assert "Refund v8 is better by 0.53" in shown
    assert "This did not work" not in shown
    told = words(visit("compare", study=study.id, a="plain", b=f"{workflow.id}:1")).replace("\\", "")
    assert "is not there any more." in told


@pytest.mark.parametrize("size", ["999999999", "-1", "1e3", "²", ""])
def test_a_size_that_the_suite_cannot_have_is_left_out(visit: Visit, workflow: WorkflowRecord, size: str) -> None:
    app = visit("compare", a="plain", b=f"{workflow.id}:2", suite="reasoning", val=size, seed="1234567890")
    assert not app.exception
    assert app.number_input(key="compare-val-12").value == 12
    assert app.number_input(key="compare-seed-1234567890").value == 1234567890
