"""The Models page: catalogue, connections, prices; and that no key is ever shown or stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.records import Connection
from autoflow.settings import secret
from autoflow.store import SqlStore
from tests.app.conftest import words


def test_the_catalogue_offers_downloads(visit: Callable[..., AppTest], store: SqlStore) -> None:
    app = visit("models")
    assert "embedded:smollm2-135m" in words(app)
    app.button(key="get-smollm2-135m").click().run()
    (job,) = store.list_jobs(kind="download")
    assert job.subject_id == "smollm2-135m"
    assert job.payload["model"] == "smollm2-135m"
    assert any(button.label == "Stop" for button in app.button)


def test_a_download_that_failed_says_why_and_goes_on(visit: Callable[..., AppTest], store: SqlStore) -> None:
    job = store.submit("download", {"model": "smollm2-135m"}, title="x", subject_id="smollm2-135m")
    lease = store.claim("test", lease_s=60)
    assert lease is not None
    store.finish(lease, "failed", error="Neither hub nor packages answered.")
    app = visit("models")
    assert "Neither hub nor packages answered." in words(app)
    assert app.button(key="get-smollm2-135m").label == "Continue the download"
    assert job.id


def fill(app: AppTest, **fields: str) -> AppTest:
    for label, value in fields.items():
        next(box for box in app.text_input if box.label.startswith(label.replace("_", " "))).input(value)
    next(b for b in app.button if b.label == "Save the connection").click()
    return app.run()


@pytest.fixture
def connections(visit: Callable[..., AppTest]) -> AppTest:
    return visit("models", **{"models-tab": "Connections"})


def test_a_connection_is_saved_with_the_name_of_its_key_alone(
    connections: AppTest, store: SqlStore, home: Path
) -> None:
    fill(connections, Model="gpt-5-mini", Key="sk-very-secret")
    (saved,) = store.list_connections()
    assert (saved.name, saved.key_env, saved.base_url) == ("gpt-5-mini", "OPENAI_API_KEY", "https://api.openai.com/v1")
    assert secret("OPENAI_API_KEY") == "sk-very-secret"
    assert "sk-very-secret" not in (home / "autoflow.db").read_bytes().decode("latin-1")
    again = connections.run()
    assert "sk-very-secret" not in words(again) + "".join(str(box.value) for box in again.text_input)
    assert "openai:gpt-5-mini" in words(again)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Model": "m", "Address": "file:///etc/passwd"}, "not an address"),
        ({"Model": "m", "Address": "http://169.254.169.254/v1"}, "no model is served"),
        ({"Model": "m", "Variable": "HOME"}, "not a name for the variable of a key"),
        ({"Model": ""}, "Which model is it?"),
        ({"Model": "模型"}, "cannot be a name"),
        ({"Model": "m", "Address": "http://example.com/v1"}, "not encrypted"),
    ],
)
def test_what_cannot_be_a_connection_is_refused_in_words(
    connections: AppTest, store: SqlStore, fields: dict[str, str], said: str
) -> None:
    app = fill(connections, **fields)
    assert said in words(app)
    assert store.list_connections() == []


def test_a_missing_key_is_named(visit: Callable[..., AppTest], store: SqlStore) -> None:
    store.save_connection(Connection(name="m", base_url="https://host/v1", key_env="SOME_API_KEY"))
    assert "key in SOME_API_KEY: missing" in words(visit("models", **{"models-tab": "Connections"}))


def test_prices_name_their_source(visit: Callable[..., AppTest]) -> None:
    app = visit("models", **{"models-tab": "Prices"})
    table = app.dataframe[0].value
    assert {"prompt", "completion", "as of", "source"} <= set(table.columns)
    assert (table["source"] != "").all()


def test_a_broken_price_file_is_told_and_nothing_else_breaks(visit: Callable[..., AppTest], home: Path) -> None:
    (home / "prices.json").write_text("{broken")
    assert "prices.json" in words(visit("models", **{"models-tab": "Prices"}))
