"""The Home page: the one question, the ways to begin, recent work and what was deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.errors import StorageUnavailable
from autoflow.examples import list_examples
from autoflow.settings import settings
from autoflow.store import SqlStore
from tests.app.conftest import words

TEXT = "Read:::process:::Read the mail:::next::End\nEnd:::terminal:::Answer it:::\n"


def test_a_first_visit_asks_the_question_and_offers_three_examples(visit: Callable[..., AppTest]) -> None:
    app = visit("home")
    assert app.text_area(key="home-objective").label == "What should get done?"
    assert [b.label for b in app.button].count("Open the example") == 3
    assert all(example.title in words(app) for example in list_examples())
    assert "Recent work" not in words(app)


def test_generate_makes_task_workflow_and_job_and_opens_write(visit: Callable[..., AppTest], store: SqlStore) -> None:
    app = visit("home")
    app.text_area(key="home-objective").set_value("Answer the refund mail")
    app.button(key="home-generate").click().run()
    (record,) = store.list_workflows()
    (job,) = store.list_jobs(kind="generate")
    assert record.task is not None
    assert record.task.objective == "Answer the refund mail"
    assert job.payload["workflow_id"] == job.subject_id == record.id
    assert app.query_params == {"workflow": record.id, "job": job.id}


def test_generate_without_words_starts_nothing(visit: Callable[..., AppTest], store: SqlStore) -> None:
    app = visit("home")
    app.text_area(key="home-objective").set_value("   ")
    app.button(key="home-generate").click().run()
    assert not store.list_workflows()
    assert "Say first" in app.toast[0].value


@pytest.mark.parametrize("slug", [e.slug for e in list_examples()])
def test_an_example_opens_with_its_inputs(visit: Callable[..., AppTest], store: SqlStore, slug: str) -> None:
    visit("home").button(key=f"example-{slug}").click().run()
    (record,) = store.list_workflows()
    example = next(e for e in list_examples() if e.slug == slug)
    assert record.text == example.text
    assert record.task is not None
    assert [i.name for i in record.task.inputs] == [i.name for i in example.inputs]


def test_recent_work_says_how_it_stands(visit: Callable[..., AppTest], store: SqlStore) -> None:
    store.create_workflow("Mails", TEXT)
    store.create_workflow("Broken", "Read:::proces:::Read:::next::Nowhere\n")
    shown = words(visit("home"))
    assert "Mails" in shown
    assert "v1 · 2 steps · changed just now" in shown
    assert "v1 · 1 step · 2 problems" in shown or "v1 · 1 step · 3 problems" in shown
    assert "Never run" in shown


def test_a_name_of_markdown_is_shown_as_text(visit: Callable[..., AppTest], store: SqlStore) -> None:
    name = "![x](http://evil.example/a.png) **bold**"
    record = store.create_workflow(name, TEXT)
    app = visit("home")
    assert name in [t.value for t in app.text]
    assert all("evil.example" not in b.label for b in app.button)
    store.delete_workflow(record.id)
    app = visit("home")
    assert all("![x]" not in e.label for e in app.expander)


def test_what_was_deleted_can_be_restored(visit: Callable[..., AppTest], store: SqlStore) -> None:
    record = store.create_workflow("Mails", TEXT)
    store.delete_workflow(record.id)
    app = visit("home")
    assert "Recent work" not in words(app)
    app.button(key=f"restore-{record.id}").click().run()
    assert [r.id for r in store.list_workflows()] == [record.id]
    assert "Recent work" in words(app)


def test_what_a_callback_cannot_do_is_told_above_its_page(
    visit: Callable[..., AppTest], store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store.create_workflow("Mails", TEXT)
    store.delete_workflow(record.id)
    app = visit("home")

    def refuse(_: str) -> None:
        raise StorageUnavailable("The disk is full.", "Make room.")

    monkeypatch.setattr(store, "restore_workflow", refuse)
    app.button(key=f"restore-{record.id}").click().run()
    assert "The disk is full" in app.toast[0].value
    assert app.button(key=f"restore-{record.id}").label == "Restore"


def test_a_file_becomes_a_workflow(visit: Callable[..., AppTest], store: SqlStore) -> None:
    app = visit("home")
    app.file_uploader(key="home-file").upload("mails.core", TEXT.encode()).run()
    (record,) = store.list_workflows()
    assert (record.name, record.text, record.origin) == ("mails", TEXT, "imported")


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [("a.core", b"\xff\xfe\x00binary", "no text in UTF-8"), ("a.txt", b"Dear Sir or Madam", "There is no workflow in")],
)
def test_a_file_without_a_workflow_is_refused_in_words(
    visit: Callable[..., AppTest], store: SqlStore, name: str, data: bytes, why: str
) -> None:
    app = visit("home")
    app.file_uploader(key="home-file").upload(name, data).run()
    assert why in words(app)
    assert not store.list_workflows()


def test_a_missing_model_offers_a_download_and_other_ways(visit: Callable[..., AppTest], store: SqlStore) -> None:
    app = visit("home")
    assert "The default model is not on this machine yet" in words(app)
    app.button(key="home-get-model").click().run()
    (job,) = store.list_jobs(kind="download")
    assert job.subject_id == settings().default_model.partition(":")[2]
    assert "is on its way" in app.progress[0].text


def test_a_model_that_could_not_be_had_says_why(visit: Callable[..., AppTest], store: SqlStore) -> None:
    entry = settings().default_model.partition(":")[2]
    store.submit("download", {"model": entry}, title="x", subject_id=entry)
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    store.finish(lease, "failed", error="Neither hub nor packages answered.")
    app = visit("home")
    assert "Neither hub nor packages answered." in words(app)
    assert "Use a GGUF file, an endpoint or a key instead" in [link.value for link in app.page_link]
