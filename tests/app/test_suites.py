"""The choice of tasks, on the page Optimize: suites, sizes, tables, and examples that a model proposed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.generate.examples import Example
from autoflow.jobs.payloads import ProposePayload
from autoflow.records import Job
from autoflow.store import SqlStore
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests.app.conftest import words
from tests.suites.tables import numbered

Visit = Callable[..., AppTest]
KEY = "search-tasks"
MAILS = (
    "mail\tdepartment\nWhere is it?\tdelivery\nMoney back!\trefund\nWhere is it?\trefund\nLate.\tdelivery\n\trefund\n"
)


def find(app: AppTest, kind: str, part: str) -> Any:
    """The widget whose key holds this."""
    return next(widget for widget in getattr(app, kind) if part in str(widget.key))


def query(app: AppTest, name: str) -> str:
    value = app.query_params.get(name, "")
    return value[0] if isinstance(value, list) else value


def sizes(app: AppTest) -> list[int]:
    return [int(find(app, "number_input", f"{KEY}-{split}-").value) for split in ("train", "val", "test")]


def pasted(app: AppTest, text: str) -> AppTest:
    return find(app, "text_area", "-pasted").set_value(text).run()  # type: ignore[no-any-return]


def proposed(store: SqlStore, count: int = 4, **ended: Any) -> Job:
    """A job that has proposed examples; no worker is needed to look at them."""
    payload = ProposePayload(model="scripted:writer", objective="Sort the mail.", inputs=("mail",))
    job = store.submit("propose-examples", payload.model_dump(), title="Propose examples")
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    examples = [Example(inputs={"mail": f"mail {n}"}, expected=f"answer {n}").model_dump() for n in range(count)]
    result = {"model": "scripted:writer", "examples": examples, "errors": [], "totals": {}, **ended}
    return store.finish(lease, "done", result=result)


def test_what_is_always_there_is_chosen_and_described(visit: Visit) -> None:
    app = visit("optimize")
    assert find(app, "selectbox", f"{KEY}-suite").options == ["openagi-plan", "openagi", "reasoning"]
    assert sizes(app) == [8, 12, 24]
    assert "185 tasks that ask for a plan" in words(app).replace("\\", "")


def test_more_tasks_than_there_are_is_told_in_place(visit: Visit) -> None:
    app = visit("optimize")
    find(app, "number_input", f"{KEY}-test-").set_value(180).run()
    assert "There are 185 tasks, but the splits ask for 200. Make them smaller." in words(app)


def test_a_pasted_table_is_told_by_row_and_becomes_the_tasks(visit: Visit, store: SqlStore) -> None:
    app = pasted(visit("optimize"), MAILS)
    shown = words(app)
    assert "3 of 5 rows can be used." in shown
    assert "Left out: row 4 asks the same as an earlier row, with another answer." in shown
    assert "Left out: row 6 asks nothing." in shown
    assert find(app, "multiselect", "-inputs").value == ["mail"]
    assert find(app, "selectbox", "-scorer-").value == "exact"
    next(w for w in app.text_input if w.label == "Name of these tasks").set_value("Our *mails*").run()
    find(app, "button", "-table-save").click().run()
    [(suite_id, name)] = store.suite_names().items()
    assert name == "Our *mails*"
    assert find(app, "selectbox", f"{KEY}-suite").value == suite_id
    assert sizes(app) == [1, 1, 1]
    assert "3 tasks were saved as “Our *mails*”, and are chosen." in words(app).replace("\\", "")
    assert query(app, "tasks") == suite_id
    assert find(app, "text_area", "-pasted").value == ""  # ready for another


def test_columns_and_scorer_can_be_changed(visit: Visit, store: SqlStore) -> None:
    app = pasted(visit("optimize"), MAILS)
    find(app, "selectbox", "-scorer-").set_value("contains").run()
    find(app, "checkbox", "whole_words").uncheck().run()
    find(app, "text_area", "-instruction-").set_value("Which department?").run()
    find(app, "button", "-table-save").click().run()
    [suite_id] = store.suite_names()
    body = store.get_suite(suite_id).body
    assert body["scorer"] == {"name": "contains", "options": {"whole_words": False}}
    assert body["rows"][0]["objective"] == "Which department?"


def test_a_column_that_would_tell_the_answer_is_refused(visit: Visit) -> None:
    app = pasted(visit("optimize"), MAILS)
    find(app, "multiselect", "-inputs").set_value(["mail", "department"]).run()
    assert "every run would be told its answer" in words(app)
    assert not [b for b in app.button if "-table-save" in str(b.key)]


@pytest.mark.parametrize("text", ["mail\tanswer", "{broken", "\x00\x01\x02", "a" * 10])
def test_what_is_no_table_is_told(visit: Visit, text: str) -> None:
    app = pasted(visit("optimize"), text)
    assert not app.exception
    assert "This did not work" in words(app) or "can be used" in words(app)


def test_a_table_of_one_row_says_what_to_do(visit: Visit, store: SqlStore) -> None:
    store.save_suite("One", suite_body(numbered(1), "exact"))
    app = visit("optimize")
    [suite_id] = store.suite_names()
    find(app, "selectbox", f"{KEY}-suite").set_value(suite_id).run()
    shown = words(app)
    assert "one row that can be used" in shown
    assert "Add rows to the table" in shown
    assert "Choose the tasks first." in shown


def test_a_suite_that_was_deleted_gives_way(visit: Visit, store: SqlStore) -> None:
    suite = store.save_suite("Gone", suite_body(numbered(50), "exact"))
    app = visit("optimize")
    find(app, "selectbox", f"{KEY}-suite").set_value(suite.id).run()
    assert sizes(app) == [8, 12, 24]
    store.delete_suite(suite.id)
    app.run()
    assert not app.exception
    assert find(app, "selectbox", f"{KEY}-suite").value == "openagi-plan"


def test_an_address_with_a_deleted_suite_is_told(visit: Visit, store: SqlStore) -> None:
    suite = store.save_suite("Gone", suite_body(numbered(50), "exact"))
    store.delete_suite(suite.id)
    app = visit("optimize", tasks=suite.id)
    assert not app.exception
    assert suite.id in words(app)


def test_proposing_needs_a_task_and_queues_one_job(visit: Visit, store: SqlStore) -> None:
    app = visit("optimize")
    assert find(app, "button", f"{KEY}-propose").disabled
    find(app, "text_area", f"{KEY}-objective").set_value("Sort the mail.").run()
    find(app, "text_input", f"{KEY}-names").set_value("mail, date").run()
    find(app, "button", f"{KEY}-propose").click().run()
    [job] = store.list_jobs(kind="propose-examples")
    asked = ProposePayload.model_validate(job.payload)
    assert (asked.objective, asked.inputs, asked.count) == ("Sort the mail.", ("mail", "date"), 10)
    assert query(app, "propose") == job.id
    assert "Waiting for the worker" in words(app)


def test_accepted_examples_become_tasks_that_stay_marked(visit: Visit, store: SqlStore) -> None:
    app = visit("optimize", propose=proposed(store).id)
    assert "4 of 4 examples are as scripted:writer proposed them" in words(app).replace("\\", "").replace("\u2060", "")
    find(app, "button", f"{KEY}-accept").click().run()
    [suite_id] = store.suite_names()
    body = store.get_suite(suite_id).body
    assert [row["origin"] for row in body["rows"]] == ["model"] * 4
    assert body["model"] == "scripted:writer"
    assert find(app, "selectbox", f"{KEY}-suite").value == suite_id
    assert "4 of 4 proposed by a model" in words(app)
    assert "propose" not in app.query_params


def test_a_tab_that_was_loaded_again_knows_the_words_of_its_task(visit: Visit, store: SqlStore) -> None:
    app = visit("optimize", propose=proposed(store).id)
    assert find(app, "text_area", f"{KEY}-objective").value == "Sort the mail."
    assert find(app, "text_input", f"{KEY}-names").value == "mail"
    find(app, "text_area", f"{KEY}-objective").set_value("Sort it.").run()
    assert find(app, "text_area", f"{KEY}-objective").value == "Sort it."


def test_a_copy_of_saved_examples_can_be_corrected(visit: Visit, store: SqlStore) -> None:
    rows = [
        Row("Sort it.", {"mail": "hi"}, "a", ("late",), "model", 1), Row("Sort it.", {"mail": "yo"}, "b", row=2),
    ]  # fmt: skip
    body = suite_body(rows, "judge", {"rubric": "Is it one word?"}, rubric="model", model="scripted:writer")
    suite = store.save_suite("Mails", body)
    app = visit("optimize", tasks=suite.id)
    find(app, "button", f"{KEY}-look").click().run()
    find(app, "button", f"{KEY}-copy").click().run()
    assert query(app, "copy") == suite.id
    assert find(app, "text_area", f"{KEY}-objective").value == "Sort it."
    assert find(app, "text_input", f"{KEY}-names").value == "mail"
    assert find(app, "text_area", "-judge-rubric").value == "Is it one word?"
    find(app, "text_area", f"{KEY}-objective").set_value("Sort the mail.").run()
    find(app, "button", f"{KEY}-accept").click().run()
    [copied] = [s for s in store.list_suites() if s.id != suite.id]
    assert [(row["objective"], row.get("origin"), row.get("tags")) for row in copied.body["rows"]] == [
        ("Sort the mail.", "model", ["late"]), ("Sort the mail.", None, None),
    ]  # fmt: skip
    assert copied.body["scorer"] == body["scorer"]
    assert store.get_suite(suite.id).body == body  # what was saved is not changed
    assert find(app, "selectbox", f"{KEY}-suite").value == copied.id
    assert query(app, "copy") == ""


def test_rows_that_ask_different_things_are_not_copied(visit: Visit, store: SqlStore) -> None:
    suite = store.save_suite("Sums", suite_body(numbered(30), "exact"))
    app = visit("optimize", tasks=suite.id)
    find(app, "button", f"{KEY}-look").click().run()
    assert not [b for b in app.button if str(b.key) == f"{KEY}-copy"]
    assert not visit("optimize", copy=suite.id).exception


def test_a_scorer_that_a_person_chose_stays_when_the_answers_change(visit: Visit) -> None:
    app = pasted(visit("optimize"), MAILS)
    find(app, "selectbox", "-scorer-").set_value("rouge-l").run()
    answer = next(box for box in app.selectbox if box.label == "The right answer")
    answer.set_value("").run()
    assert find(app, "selectbox", "-scorer-").value == "rouge-l"


def test_a_scorer_is_guessed_anew_until_a_person_chooses(visit: Visit) -> None:
    app = pasted(visit("optimize"), MAILS)
    assert find(app, "selectbox", "-scorer-").value == "exact"
    next(box for box in app.selectbox if box.label == "The right answer").set_value("").run()
    assert find(app, "selectbox", "-scorer-").value == "judge"


def test_fewer_examples_than_asked_for_come_with_the_reason(visit: Visit, store: SqlStore) -> None:
    errors = ["2 of 10 examples were proposed.", "The model had nothing new to say."]
    shown = words(visit("optimize", propose=proposed(store, 2, errors=errors).id))
    assert all(error in shown for error in errors)


def test_a_failed_proposal_says_why(visit: Visit, store: SqlStore) -> None:
    job = store.submit("propose-examples", ProposePayload(model="m", objective="x").model_dump(), title="Propose")
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    store.finish(lease, "failed", error="The model is out of order.")
    assert "Nothing was proposed: The model is out of order." in words(visit("optimize", propose=job.id))


@pytest.mark.parametrize("named", ["jb_000000000000", "nonsense", "jb_<script>"])
def test_an_address_that_names_no_proposal_is_told(visit: Visit, named: str) -> None:
    app = visit("optimize", propose=named)
    assert not app.exception
    assert "This did not work" in words(app)


def test_a_rubric_that_was_proposed_stands_in_its_field(visit: Visit, store: SqlStore) -> None:
    app = pasted(visit("optimize"), "question\tcontext\nWho?\tx\nWhat?\ty\n")
    assert find(app, "selectbox", "-scorer-").value == "judge"
    find(app, "button", "-rubric-go").click().run()
    [job] = store.list_jobs(kind="propose-examples")
    assert job.payload["what"] == "rubric"
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    store.finish(lease, "done", result={"rubric": "Is it *short*?", "model": "m", "totals": {}})
    app.run()
    assert find(app, "text_area", "-judge-rubric").value == "Is it *short*?"
    find(app, "button", "-table-save").click().run()
    [suite_id] = store.suite_names()
    body = store.get_suite(suite_id).body
    assert body["scorer"] == {"name": "judge", "options": {"rubric": "Is it *short*?"}, "origin": "model"}
    assert body["model"] == job.payload["model"]
    assert "Rubric proposed by a model." in words(app).replace("\\", "")


def test_what_people_named_is_shown_as_text(visit: Visit, store: SqlStore) -> None:
    evil = "![x](http://evil.example/x.png) <img src=x>"
    rows = [Row(f"{evil} {n}", {evil: evil}, evil, (evil,), row=n) for n in range(1, 60)]
    suite = store.save_suite(evil, suite_body(rows, "exact"))
    app = visit("optimize", tasks=suite.id)
    find(app, "button", f"{KEY}-look").click().run()
    assert not app.exception
    shown = [str(m.value) for m in (*app.markdown, *app.caption)]
    assert [text for text in shown if re.search(r"(?<!\\)\[x|(?<!\\)<img", text)] == []
