"""What the tests of the Optimize page share: a model that a search can be carried out on, and what a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.store import SqlStore
from autoflow.study import Study
from tests import searching
from tests.app.conftest import words
from tests.llm.server import Server

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
