"""The Models page: catalogue, connections, prices; and that no key is ever shown or stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.records import Connection
from autoflow.settings import secret, settings
from autoflow.store import SqlStore
from pages.ui import services
from tests.adapters import write_adapter
from tests.app.conftest import words
from tests.grids import worked


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


@pytest.fixture
def adapter(home: Path) -> Path:
    """An adapter on a model of the catalogue, as a study leaves it."""
    return write_adapter(home / "adapters" / "first", study_name="[Re](x)funds")


@pytest.fixture
def adapters(adapter: Path, visit: Callable[..., AppTest]) -> AppTest:
    return visit("models", **{"models-tab": "Adapters"})


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def test_without_adapters_it_is_said_how_one_comes_to_be(visit: Callable[..., AppTest]) -> None:
    assert "No adapter yet" in words(visit("models", **{"models-tab": "Adapters"}))


def test_an_adapter_tells_its_base_and_its_study(adapters: AppTest) -> None:
    shown = words(adapters).replace("\\", "")
    assert "local:smollm2-135m+first" in shown
    assert "From the study [Re](x)funds, after step 7, mean reward 0.25" in shown
    assert "LoRA of rank 2 on q_proj" in shown


def test_half_an_adapter_is_told_in_words_and_can_only_be_removed(
    adapter: Path, visit: Callable[..., AppTest], home: Path
) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    (home / "adapters" / "<b>no name<b>").mkdir()
    app = visit("models", **{"models-tab": "Adapters"})
    shown = words(app).replace("\\", "")
    assert "damaged or incomplete" in shown
    assert "<b>no name<b>" in shown
    assert {button.label for button in app.button} & {"Test", "Write with it"} == set()
    assert app.button(key="drop-adapter-first").click().run()
    assert not adapter.exists()


def test_an_adapter_from_elsewhere_is_told_its_base(adapter: Path, visit: Callable[..., AppTest]) -> None:
    (adapter / "autoflow.json").unlink()
    app = visit("models", **{"models-tab": "Adapters"})
    assert "Nothing in it says which base" in words(app).replace("\\", "")
    assert "No base was chosen" in words(press(app, "Keep that"))
    app.selectbox(key="base-first").select("local:smollm2-135m").run()
    assert "local:smollm2-135m+first" in words(press(app, "Keep that"))


def test_every_picker_offers_it(adapter: Path, visit: Callable[..., AppTest]) -> None:
    names = services.model_names()
    assert "local:smollm2-135m+first" in names
    assert "local:smollm2-135m" not in names, "its base is not on this machine"
    for page, label in (("home", "Model that writes"), ("optimize", "Generator"), ("benchmark", "Generators")):
        app = visit(page)
        picker = next(box for box in [*app.selectbox, *app.multiselect] if box.label == label)
        assert "local:smollm2-135m+first" in picker.options


def test_a_form_is_written_by_the_worker_and_then_offered(adapters: AppTest, adapter: Path, store: SqlStore) -> None:
    app = press(adapters, "peft folder (zip)")
    (job,) = store.list_jobs(kind="export")
    assert (job.subject_id, job.payload) == ("peft:first", {"adapter": "first", "form": "peft"})
    assert next(b for b in app.button if b.label == "peft folder (zip)").disabled
    worked(store, job)
    app.run()
    (button,) = app.get("download_button")
    assert button.label.startswith("Save first.zip (")
    write_adapter(adapter, rank=3)
    app.run()
    assert app.get("download_button") == [], "these weights are not those that were written"


def test_a_form_that_cannot_be_had_says_why(adapters: AppTest, store: SqlStore) -> None:
    app = press(adapters, "Merged model (folder)")
    worked(store, store.list_jobs(kind="export")[0])
    app.run()
    assert "The model smollm2-135m is not on this machine yet." in words(app)


def test_what_was_written_goes_with_the_adapter(adapters: AppTest, store: SqlStore, home: Path) -> None:
    app = press(adapters, "peft folder (zip)")
    worked(store, store.list_jobs(kind="export")[0])
    assert (home / "exports" / "first.zip").is_file()
    press(app.run(), "Remove the adapter")
    assert list((home / "exports").iterdir()) == []


def test_an_adapter_may_be_the_default(
    adapter: Path, visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOFLOW_DEFAULT_MODEL", "embedded:smollm2-135m+first")
    settings.cache_clear()
    app = visit("home")
    assert "The default model is not on this machine yet" in words(app)
    assert next(box for box in app.selectbox if box.label == "Model that writes").value == "embedded:smollm2-135m+first"


def test_it_gets_another_name(adapters: AppTest, home: Path) -> None:
    adapters.text_input(key="rename-first").input("second").run()
    app = press(adapters, "Rename")
    assert "local:smollm2-135m+second" in words(app)
    app.text_input(key="rename-second").input("../up").run()
    app = press(app, "Rename")
    assert "no name for an adapter" in words(app)
    assert [path.name for path in (home / "adapters").iterdir()] == ["second"]


def test_a_damaged_list_of_own_models_leaves_the_adapters(
    adapter: Path, visit: Callable[..., AppTest], home: Path
) -> None:
    (home / "models.json").write_text("{broken")
    app = visit("models", **{"models-tab": "Adapters"})
    assert "cannot be read" in words(app).replace("\\", "")
    assert not app.exception


def test_write_with_it_opens_the_page_with_it_chosen(adapters: AppTest) -> None:
    app = press(adapters, "Write with it")
    assert app.session_state["home-model"] == "local:smollm2-135m+first"
