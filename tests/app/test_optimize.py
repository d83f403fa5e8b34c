"""The Optimize page: what it shows of a search, what it lets one do with it, and how a search is set up."""

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


def test_a_search_that_ended_shows_its_best_what_it_found_and_what_it_took(visit: Visit, searched: Study) -> None:
    app = visit("optimize", study=searched.id)
    assert not app.exception
    text = shown(app)
    assert "Careful plans" in text
    assert "All rounds were done" in text


def test_setup(visit: Visit, store: SqlStore, server: Server) -> None:
    app = visit("optimize")
    print(app.exception, shown(app))
    app.number_input(key="search-rounds").set_value(2).run()
    app.selectbox(key="search-generator").set_value(searching.MODEL).run()
    app.selectbox(key="search-interpreter").set_value(searching.MODEL).run()
    print(app.query_params)
    app.button(key="search-start").click().run()
    print(app.exception, shown(app), app.query_params)
    print(store.list_studies())
