"""The Run page: what it shows before, while and after a run, and what it does when something is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.interpret.events import event
from autoflow.records import Run, RunPolicy, TaskInput, Totals, WorkflowRecord
from autoflow.store import SqlStore
from tests.app.conftest import words

TEXT = """Read:::process:::Read the mail.:::next::Refund?
Refund?:::decision:::Does it ask for money?:::yes::Grant::no::Refuse
Grant:::terminal:::Write that it is granted.:::
Refuse:::terminal:::Write that it is not.:::
"""


@pytest.fixture
def workflow(store: SqlStore) -> WorkflowRecord:
    task = store.add_task("Decide about the mail", [TaskInput(name="mail *bold*", text="Money back, please.")])
    return store.create_workflow("Refund", TEXT, task=task)


def finished_run(store: SqlStore, workflow: WorkflowRecord, stop: str = "terminal", error: str = "") -> Run:
    assert workflow.task is not None
    run = store.create_run(
        text=TEXT, task=workflow.task, model="scripted:x", policy=RunPolicy(), workflow_id=workflow.id, version=1
    )
    now = time.time()
    done = {"calls": 1, "prompt_tokens": 10, "completion_tokens": 2, "cost_usd": 0.0, "seconds": 0.5, "tools": []}
    store.append_events(
        run.id,
        [
            event("step_entered", 1, now, step="Read", type="process", instruction="Read the mail."),
            event(
                "step_finished", 1, now, step="Read", type="process", answer="read", branch=None, next="Refund?", **done
            ),
        ],
    )
    totals = Totals(calls=1, prompt_tokens=10, completion_tokens=2, seconds=0.5)
    return store.finish_run(run.id, stop=stop, answer="The answer <b>is</b> this", error=error, totals=totals)  # type: ignore[arg-type]


def test_without_a_workflow_it_says_what_to_do_first(visit: Callable[..., AppTest]) -> None:
    assert "no workflow yet" in words(visit("run"))


def test_the_task_is_filled_in_and_run_can_be_pressed(visit: Callable[..., AppTest], workflow: WorkflowRecord) -> None:
    app = visit("run", workflow=workflow.id)
    values = [area.value for area in app.text_area]
    assert "Decide about the mail" in values
    assert "Money back, please." in values
    assert not app.button(key="start").disabled


def test_names_of_inputs_are_text_and_no_markdown(visit: Callable[..., AppTest], workflow: WorkflowRecord) -> None:
    labels = [area.label for area in visit("run", workflow=workflow.id).text_area]
    assert "Input: mail \\*bold\\*" in labels


def test_pressing_run_makes_a_run_and_a_job_and_opens_its_address(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    app = visit("run", workflow=workflow.id)
    app.button(key="start").click().run()
    (run,) = store.list_runs(workflow.id)
    (job,) = store.list_jobs(kind="run")
    assert job.payload == {"run_id": run.id}
    assert run.task.objective == "Decide about the mail"
    assert run.version == 1
    assert app.query_params["run"] in (run.id, [run.id])
    assert "Queued" in words(app)


def test_a_workflow_with_errors_cannot_be_run_and_says_why(visit: Callable[..., AppTest], store: SqlStore) -> None:
    broken = store.create_workflow("Broken", "A:::process:::x:::next::Nowhere\n")
    app = visit("run", workflow=broken.id)
    assert app.button(key="start").disabled
    assert "Nowhere" in words(app)


def test_a_finished_run_shows_its_end_answer_and_figures(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    shown = words(visit("run", run=finished_run(store, workflow).id))
    assert "The workflow reached its end." in shown
    assert "The answer <b>is</b> this" in shown
    assert "10 → 2" in shown


def test_a_run_that_stopped_says_why_in_words_and_can_go_on(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    run = finished_run(store, workflow, "model-error", "The model at http://localhost:1 cannot be reached.")
    app = visit("run", run=run.id)
    assert "cannot be reached" in words(app)
    app.button(key="go-on").click().run()
    assert store.get_run(run.id).stop is None
    assert [job.state for job in store.list_jobs(subject_id=run.id)] == ["queued"]


def test_after_a_limit_going_on_makes_a_run_that_inherits_the_steps(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    run = finished_run(store, workflow, "max-steps")
    visit("run", run=run.id).button(key="go-on").click().run()
    fresh = store.list_runs(workflow.id)[0]
    assert (fresh.parent_run_id, fresh.fork_visit) == (run.id, 2)
    assert [e.kind for _, e in store.run_events(fresh.id)] == ["step_entered", "step_finished"]


@pytest.mark.parametrize("value", ["rn_000000000000", "nonsense", "wf_000000000000", "../../etc/passwd", "<script>"])
def test_an_unknown_run_in_the_address_is_told(visit: Callable[..., AppTest], value: str) -> None:
    app = visit("run", run=value)
    assert value[:12] in words(app)
    assert not app.exception


def test_the_page_of_a_run_names_what_carried_it_out_and_offers_its_version(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    run = finished_run(store, workflow)  # of v1
    store.save_draft(workflow.id, TEXT.replace("granted", "given"), revision=workflow.revision)
    app = visit("run", run=run.id)
    assert "v1, carried out by scripted:x, just now" in words(app).replace("\\", "")
    assert app.selectbox(key=f"version-{workflow.id}").value == 1
    assert visit("run", workflow=workflow.id).selectbox(key=f"version-{workflow.id}").value == 0  # the draft


def test_earlier_runs_say_in_words_how_they_ended(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    finished_run(store, workflow)
    assert "The workflow reached its end · v1 · scripted:x · 1 call, 0.5 s" in words(visit("run", workflow=workflow.id))


def test_the_strip_takes_the_limit_of_a_run_for_no_measure_of_it(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    store.submit("run", {"run_id": "rn_000000000000"}, title="Run Refund")
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    store.checkpoint(lease, done=2, total=50, unit="steps", message="Read done")
    shown = words(visit("home"))
    assert "running, 2 steps" in shown
    assert "of 50" not in shown
    assert "left" not in shown
