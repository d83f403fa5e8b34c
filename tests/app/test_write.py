"""The Write page: forms, problems, text, versions, generations; and that nothing a person typed is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.jobs.payloads import GeneratePayload
from autoflow.lang import parse
from autoflow.records import WorkflowRecord
from autoflow.store import SqlStore
from pages.ui import services
from pages.ui.write import fields
from pages.ui.write.draft import At
from tests.app.conftest import words

TEXT = """Read:::process:::Read the mail:::next::Refund?
Refund?:::decision:::Is money asked for?:::yes::Grant::no::Answer
Grant:::terminal:::Grant it:::
Answer:::terminal:::Answer kindly:::
"""
BROKEN = "Read:::proces:::Read the mail:::next::End\nEnd:::terminal:::Answer it\n"
Visit = Callable[..., AppTest]


@pytest.fixture
def record(store: SqlStore) -> WorkflowRecord:
    task = store.add_task("Answer the refund mail")
    return store.create_workflow("Mails", TEXT, task=task)


def cards(app: AppTest) -> dict[str, Any]:
    """What the step cards were given to draw."""
    return next(d for e in app.get("bidi_component") if "steps" in (d := json.loads(e.proto.json)))


def named(elements: Sequence[Any], label: str) -> Any:
    """The one widget of a kind with this label: keys of fields change with what they hold."""
    (found,) = [e for e in elements if e.label == label]
    return found


def step_names(store: SqlStore, record: WorkflowRecord) -> list[str]:
    return [s.name for s in parse(store.get_workflow(record.id).text).workflow.steps]


def test_without_a_workflow_it_offers_to_begin_one(visit: Visit, store: SqlStore) -> None:
    app = visit("write")
    assert "There is no workflow yet" in words(app)
    app.button(key="write-blank").click().run()
    assert app.query_params["workflow"] == store.list_workflows()[0].id


def test_an_unknown_id_is_told_in_a_sentence(visit: Visit) -> None:
    assert "wf_000000000000" in words(visit("write", workflow="wf_000000000000"))
    assert "is no workflow id" in words(visit("write", workflow="../etc/passwd"))


def test_cards_show_every_step_and_the_url_selects_one(visit: Visit, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id, step="2")
    drawn = cards(app)
    assert [s["name"] for s in drawn["steps"]] == ["Read", "Refund?", "Grant", "Answer"]
    assert drawn["selected"] == 1
    assert named(app.text_input, "Name").value == "Refund?"
    assert named(app.text_input, "Answer of branch 1").value == "yes"
    assert named(app.selectbox, "Target of branch 2").value == "Answer"


@pytest.mark.parametrize("step", ["0", "-1", "99", "x", "²", "9" * 30])
def test_a_step_that_is_not_there_selects_another(visit: Visit, record: WorkflowRecord, step: str) -> None:
    app = visit("write", workflow=record.id, step=step)
    assert named(app.text_input, "Name").value in ("Read", "Answer")


def test_an_instruction_is_saved_when_its_field_is_left(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    named(app.text_area, "Instruction").set_value("Read it\ntwice").run()
    assert parse(store.get_workflow(record.id).text).workflow.steps[0].instruction == "Read it twice"
    assert named(app.text_area, "Instruction").value == "Read it twice"
    assert "v1, edited · saved just now · no problems" in words(app)


def test_renaming_lets_references_follow_and_undo_takes_it_back(
    visit: Visit, store: SqlStore, record: WorkflowRecord
) -> None:
    app = visit("write", workflow=record.id, step="2")
    named(app.text_input, "Name").set_value("Money?").run()
    workflow = parse(store.get_workflow(record.id).text).workflow
    assert workflow.steps[0].branches[0].target == "Money?"
    app.button(key="undo").click().run()
    assert store.get_workflow(record.id).text == TEXT
    assert named(app.text_input, "Name").value == "Refund?"
    app.button(key="redo").click().run()
    assert named(app.text_input, "Name").value == "Money?"


@pytest.mark.parametrize("name", ["Grant", "", "a::b", "# no"])
def test_a_name_that_breaks_a_rule_is_refused_and_stays_in_its_field(
    visit: Visit, store: SqlStore, record: WorkflowRecord, name: str
) -> None:
    app = visit("write", workflow=record.id)
    named(app.text_input, "Name").set_value(name).run()
    assert store.get_workflow(record.id).text == TEXT
    assert named(app.text_input, "Name").value == name
    assert any(":material/error:" in c.value for c in app.markdown)


def test_branches_can_be_changed_added_and_removed(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id, step="2")
    named(app.text_input, "Answer of branch 1").set_value("of course").run()
    named(app.selectbox, "Target of branch 2").set_value("Read").run()
    app.button(key="branch-add").click().run()
    step = parse(store.get_workflow(record.id).text).workflow.steps[1]
    assert [(b.key, b.target) for b in step.branches] == [("of course", "Grant"), ("no", "Read"), ("yes", "Grant")]
    app.button(key="branch-remove-2").click().run()
    assert len(parse(store.get_workflow(record.id).text).workflow.steps[1].branches) == 2


def test_a_decision_becomes_a_process_and_back(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id, step="2")
    named(app.button_group, "Type").set_value("process").run()
    step = parse(store.get_workflow(record.id).text).workflow.steps[1]
    assert (step.type, [b.key for b in step.branches]) == ("process", ["next"])
    named(app.button_group, "Type").set_value("decision").run()
    assert [b.key for b in parse(store.get_workflow(record.id).text).workflow.steps[1].branches] == ["yes", "no"]


def test_steps_are_added_and_moved(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    app.button(key="step-add").click().run()
    assert app.query_params["step"] == "2"
    assert len(step_names(store, record)) == 5
    app.button(key="step-up").click().run()
    assert step_names(store, record)[1:] == ["Read", "Refund?", "Grant", "Answer"]


def test_problems_are_listed_and_fixed_with_one_press(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("Broken", BROKEN)
    app = visit("write", workflow=record.id)
    app.button_group(key="view").set_value("Problems").run()
    assert "2 problems" in words(app)
    assert any(text.value.startswith("Line 1, column 8: ") for text in app.text)
    assert app.query_params["view"] in ("Problems", ["Problems"])  # its name: the number on it changes
    app.button(key="fix-all").click().run()
    assert not parse(store.get_workflow(record.id).text).diagnostics
    assert "No problems" in words(app)


def test_a_conflict_offers_both_texts_and_loses_none(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    theirs = TEXT.replace("Read the mail", "Theirs")
    store.save_draft(record.id, theirs, revision=record.revision)
    named(app.text_area, "Instruction").set_value("Mine").run()
    shown = words(app)
    assert "saved in another tab" in shown
    assert "-Read:::process:::Theirs" in shown
    assert "+Read:::process:::Mine" in shown
    assert store.get_workflow(record.id).text == theirs
    app.button(key="conflict-mine").click().run()
    assert "Mine" in store.get_workflow(record.id).text
    assert "saved in another tab" not in words(app)


def test_a_conflict_can_keep_both(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    store.save_draft(record.id, TEXT.replace("Read the mail", "Theirs"), revision=record.revision)
    named(app.text_area, "Instruction").set_value("Mine").run()
    app.button(key="conflict-both").click().run()
    assert {"Mails", "Mails (mine)"} == {r.name for r in store.list_workflows()}
    assert "Mine" in store.get_workflow(app.query_params["workflow"]).text


def test_a_store_that_cannot_be_written_keeps_the_text(
    visit: Visit, store: SqlStore, record: WorkflowRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoflow.errors import StorageUnavailable

    def full(*_: object, **__: object) -> None:
        raise StorageUnavailable("The disk is full.", "Make room.")

    app = visit("write", workflow=record.id)
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "save_draft", full)
        named(app.text_area, "Instruction").set_value("Precious").run()
    shown = words(app)
    assert "The disk is full. Make room." in shown
    assert "Precious" in shown
    app.button(key="unsaved-again").click().run()
    assert "Precious" in store.get_workflow(record.id).text


def test_the_workflow_is_renamed_in_place(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    named(app.text_input, "Name of the workflow").set_value("  Refund   mails ").run()
    assert store.get_workflow(record.id).name == "Refund mails"
    named(app.text_input, "Name of the workflow").set_value("  ").run()
    assert store.get_workflow(record.id).name == "Refund mails"
    assert "needs a name" in words(app)


def test_task_tools_and_inputs_are_saved(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    named(app.text_area, "What should get done?").set_value("Something else").run()
    named(app.multiselect, "Tools").set_value(["calculator"]).run()
    app.text_input(key="input-name").set_value("mail")
    app.text_area(key="input-words").set_value("Dear shop")
    next(b for b in app.button if b.label == "Add the text").click().run()
    app.file_uploader(key="input-files-1").upload("mail", b"\x00\x01").run()
    task = store.get_workflow(record.id).task
    assert task is not None
    assert (task.objective, task.tools) == ("Something else", ("calculator",))
    assert [(i.name, i.kind) for i in task.inputs] == [("mail", "text"), ("mail 2", "file")]
    app.button(key="input-remove-0").click().run()
    task = store.get_workflow(record.id).task
    assert task is not None
    assert [i.name for i in task.inputs] == ["mail 2"]


def test_generate_again_keeps_what_is_typed_meanwhile(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id)
    app.number_input(key="drafts").set_value(3).run()
    app.button(key="generate").click().run()
    (job,) = store.list_jobs(kind="generate")
    asked = GeneratePayload.model_validate(job.payload)
    assert (asked.drafts, asked.revision, asked.workflow_id) == (3, record.revision, record.id)
    assert app.query_params["job"] == job.id
    assert "waiting for the worker" in words(app)
    assert app.button(key="generate").disabled


def live_job(store: SqlStore, record: WorkflowRecord, drafts: int = 1) -> str:
    asked = GeneratePayload(model="scripted:x", workflow_id=record.id, drafts=drafts)
    return store.submit("generate", asked.model_dump(), title="Write Mails", subject_id=record.id).id


def test_lines_appear_as_they_are_decoded(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("New")
    job_id = live_job(store, record)
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    half = "Read:::process:::Read it:::next::End\nEnd:::termi"
    store.heartbeat(lease, {"status": "Loading x, 3 s", "drafts": [{"index": 0, "text": half}]})
    app = visit("write", workflow=record.id, job=job_id)
    (step,) = cards(app)["steps"]
    assert step["name"] == "Read"
    assert step["problems"]["error"] == 0  # that `End` is still missing is no fault of this line
    assert "End:::termi▌" in words(app)
    assert "Loading" not in words(app)  # it was waited for before the first word
    app.button(key="stop-writing").click().run()
    assert store.get_job(job_id).state == "cancelling"


def test_a_generation_is_found_again_without_its_job_in_the_url(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("New")
    live_job(store, record)
    assert "waiting for the worker" in words(visit("write", workflow=record.id))


def test_a_generation_that_failed_says_why_and_can_be_tried_again(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("New")
    job_id = live_job(store, record)
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    store.finish(lease, "failed", error="The key was refused (401).")
    app = visit("write", workflow=record.id, job=job_id)
    assert "The key was refused (401)." in words(app)
    app.button(key="generate-retry").click().run()
    assert app.query_params["job"] != job_id
    assert len(store.list_jobs(kind="generate")) == 2


def finished(text: str, index: int) -> dict[str, object]:
    return {"index": index, "text": text, "diagnostics": [], "error": ""}


def test_a_draft_is_chosen_from_several(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    job_id = live_job(store, record, drafts=2)
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    other = "Look:::process:::Look:::next::End\nEnd:::terminal:::Say:::\n"
    store.finish(lease, "done", result={"drafts": [finished(BROKEN, 0), finished(other, 1)]})
    app = visit("write", workflow=record.id, job=job_id)
    assert "Choose a draft" in words(app)
    assert "2 steps, 2 problems" in words(app)
    app.button(key="use-1").click().run()
    assert store.get_workflow(record.id).text == other
    version = store.list_versions(record.id)[0]
    assert (version.origin, version.model, version.note) == ("generated", "scripted:x", "draft 2 of 2")
    assert "job" not in app.query_params


def test_what_a_stopped_model_wrote_can_be_kept(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("New")
    job_id = live_job(store, record)
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    store.finish(lease, "cancelled", result={"drafts": [finished("Read:::process:::Read it:::next::End\n", 0)]})
    app = visit("write", workflow=record.id, job=job_id)
    assert "Stopped: keep what is there?" in words(app)
    app.button(key="use-0").click().run()
    assert store.get_workflow(record.id).text.startswith("Read:::process")


def test_an_unknown_job_in_the_url_is_told_and_dropped(visit: Visit, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id, job="jb_000000000000")
    assert "not known here" in words(app)
    assert "job" not in app.query_params


def test_model_and_user_text_never_becomes_markdown(visit: Visit, store: SqlStore) -> None:
    evil = "![x](http://evil.example/a.png)"
    text = f"{evil}:::process:::{evil}:::next::{evil} 2\n{evil} 2:::terminal:::{evil}:::\n"
    record = store.create_workflow(evil, text, task=store.add_task(evil))
    app = visit("write", workflow=record.id)
    app.button_group(key="view").set_value("Problems").run()
    rendered = [e.value for kind in ("markdown", "caption", "title", "header") for e in getattr(app, kind)]
    labels = [e.label for kind in ("button", "expander", "text_input", "selectbox") for e in getattr(app, kind)]
    assert not [r for r in [*rendered, *labels] if evil in str(r)]


def test_two_hundred_steps_are_shown_a_page_at_a_time(visit: Visit, store: SqlStore) -> None:
    lines = [f"Step {n}:::process:::Do {n}:::next::Step {n + 1}\n" for n in range(1, 200)]
    record = store.create_workflow("Long", "".join(lines) + "Step 200:::terminal:::End:::\n")
    app = visit("write", workflow=record.id, step="130")
    drawn = cards(app)
    assert len(drawn["steps"]) == 25
    assert drawn["selected"] == 129
    assert any("Draw the graph of all 200 steps" in t.label for t in app.toggle)


def test_a_field_belongs_to_its_step_when_another_is_selected_at_once(
    visit: Visit, store: SqlStore, record: WorkflowRecord
) -> None:
    app = visit("write", workflow=record.id)
    named(app.text_area, "Instruction").set_value("First")
    app.query_params["step"] = "2"
    app.run()
    steps = parse(store.get_workflow(record.id).text).workflow.steps
    assert [s.instruction for s in steps[:2]] == ["First", "Is money asked for?"]
    assert named(app.text_area, "Instruction").value == "Is money asked for?"


def test_two_fields_left_at_once_are_both_saved(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id, step="2")
    named(app.text_input, "Answer of branch 1").set_value("sure")
    named(app.text_input, "Answer of branch 2").set_value("never")
    named(app.text_input, "Name").set_value("Money?")
    named(app.text_area, "Instruction").set_value("Is it?").run()
    step = parse(store.get_workflow(record.id).text).workflow.steps[1]
    assert (step.name, step.instruction, [b.key for b in step.branches]) == ("Money?", "Is it?", ["sure", "never"])


def test_what_was_typed_before_the_app_came_back_is_saved(
    visit: Visit, store: SqlStore, record: WorkflowRecord
) -> None:
    """A new session whose browser brings along what its fields hold, which no callback tells of."""
    app = visit("home")
    place = At(record.id, 0, 0)
    app.session_state[fields.key_of("step-instruction", place, "Read the mail")] = "Read it twice"
    app.session_state[fields.key_of("objective", record.id, "Answer the refund mail")] = "Answer it well"
    app.session_state[fields.key_of("step-name", place, "Read")] = ""
    app.query_params["workflow"] = record.id
    app.switch_page(services.PAGES["write"]).run()
    saved = store.get_workflow(record.id)
    assert parse(saved.text).workflow.steps[0].instruction == "Read it twice"
    assert saved.task is not None
    assert saved.task.objective == "Answer it well"
    assert step_names(store, record)[0] == "Read"
    assert "This would break a rule" in words(app)


def test_removing_the_wrong_step_is_impossible(visit: Visit, store: SqlStore, record: WorkflowRecord) -> None:
    app = visit("write", workflow=record.id, step="2")
    app.button(key="step-up").click()
    app.button(key="step-down").click().run()  # both pressed on the page as it was
    assert step_names(store, record) in (["Refund?", "Read", "Grant", "Answer"], ["Read", "Grant", "Refund?", "Answer"])
    assert "changed places" in words(app)


def test_the_view_that_the_address_names_is_open(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("Broken", BROKEN)
    assert visit("write", workflow=record.id, view="Problems").button_group(key="view").value == "Problems"
    assert visit("write", workflow=record.id, view="2 problems").button_group(key="view").value == "Graph"


def test_a_deleted_workflow_says_so_and_comes_back(visit: Visit, store: SqlStore) -> None:
    record = store.create_workflow("Mails", TEXT)
    store.delete_workflow(record.id)
    app = visit("write", workflow=record.id)
    assert "This workflow was deleted" in words(app)
    app.button(key="write-restore").click().run()
    assert "This workflow was deleted" not in words(app)
    assert [w.id for w in store.list_workflows()] == [record.id]
