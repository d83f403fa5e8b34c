"""A training for real in a real browser: set up with a model of one's own, watched, stopped, and its model taken up."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from autoflow.store import SqlStore, open_store
from scripts.appserver import AppServer
from tests.browser.test_optimize import wait_until
from tests.browser.test_pages import settle
from tests.browser.test_training import points
from tests.optimize import trainable

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
STEPS = 200  # more than anybody waits for: it is stopped
OPTIONS = {**trainable.OPTIONS, "learning_rate": 0.02}  # slow enough not to collapse before it is stopped


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def server_env(files: Path) -> dict[str, str]:
    return {"AUTOFLOW_OFFLINE": "1", "AUTOFLOW_DEFAULT_MODEL": trainable.make_interpreter(files / "interpreter.jsonl")}


@pytest.fixture
def store(server: AppServer) -> SqlStore:
    return open_store(f"sqlite:///{server.home / 'autoflow.db'}")


def set_up(page: Page, server: AppServer, store: SqlStore, model: str) -> str:
    """A workflow to begin with, a table of tasks, and a model by the path of its folder; returns the workflow's id."""
    workflow = store.create_workflow("Skilful", trainable.LINES[0])
    trainable.make_suite(store)
    asked = {f"search-lora-{name}": value for name, value in OPTIONS.items()}
    asked |= {"workflow": workflow.id, "search-updates": STEPS, "search-name": "Skilful"}
    page.goto(f"{server.url}/optimize?{urlencode(asked)}")
    settle(page)
    page.get_by_label("Tasks", exact=True).first.click()
    page.get_by_role("option", name=re.compile("Skills")).first.click()
    page.get_by_role("radio", name="Fine-tuning").click()
    typed = page.get_by_role("combobox", name="Model to train")
    typed.click()
    typed.fill(model.removeprefix("local:"))
    typed.press("Enter")
    settle(page)
    return workflow.id


def test_a_training_is_set_up_watched_and_stopped_and_its_adapter_is_a_model(
    server: AppServer, page: Page, store: SqlStore, files: Path
) -> None:
    model = trainable.make_model(files / "model")
    workflow = set_up(page, server, store, model)
    page.get_by_test_id("stMain").get_by_role("button", name="Optimize", exact=True).click()
    page.wait_for_url(re.compile(r"study=st_"))
    study = store.list_studies()[0]
    assert study.spec.generator == model
    assert study.spec.options["learning_rate"] == OPTIONS["learning_rate"]

    wait_until(lambda: points(page, 0).get("mean", 0) >= 3 and points(page, 1).get("counts", 0) >= 3)
    seen = points(page, 0)["mean"]
    wait_until(lambda: points(page, 0)["mean"] > seen and points(page, 1)["counts"] > seen)
    wait_until(lambda: len({step.figures.reward_mean for step in store.training_steps(study.id)}) > 5)
    page.get_by_test_id("stMain").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the training").click()
    wait_until(lambda: store.get_study(study.id).stop == "person")
    steps = store.training_steps(study.id)
    assert 5 < len(steps) < STEPS
    wait_until(lambda: points(page, 0).get("mean") == len(steps))
    assert Axe().run(page).violations_count == 0

    page.goto(f"{server.url}/models?models-tab=Adapters")
    expect(page.get_by_text(f"{model}+skilful", exact=True)).to_be_visible()
    assert (server.home / "adapters" / "skilful" / "adapter_model.safetensors").is_file()
    page.goto(f"{server.url}/write?workflow={workflow}")
    page.get_by_text(re.compile("^Task:")).click()
    page.get_by_role("combobox", name="Model that writes").click()
    expect(page.get_by_role("option", name=f"{model}+skilful", exact=True)).to_be_visible()
