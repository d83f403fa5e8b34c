"""What a URL may name: every parameter of every page with what it can never mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.records import RunPolicy
from autoflow.store import SqlStore
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, HOSTILE

PARAMETERS = {  # beside the object of the page, which is told apart below
    "home": ("workflow", "run", "job", "step"),
    "write": ("step", "view", "version", "run"),
    "run": ("job", "step", "version"),
    "models": ("models-tab", "job", "workflow"),
    "benchmark": (
        "benchmark-preset",
        "benchmark-method",
        "benchmark-generators",
        "benchmark-suites",
        "benchmark-workflows",
        "benchmark-rounds",
        "benchmark-seed",
        "benchmark-name",
        "study",
    ),
}
OBJECTS = [("write", "workflow"), ("run", "workflow"), ("run", "run"), ("write", "job"), ("benchmark", "benchmark")]
UNKNOWN = ("wf_8k2m1x0c9d7e", "rn_8k2m1x0c9d7e", "jb_8k2m1x0c9d7e")  # of the right form, borne by nobody
ODD = ("", "-1", "9" * 30, "²", "٣", "'; DROP TABLE runs; --\n", "x" * 100_000, "".join(
    HOSTILE[kind] for kind in ("markup", "markdown", "escapes", "bidi", "nul", "noncharacters")
))  # fmt: skip


def opened(visit: Callable[..., AppTest], page: str, **query: str) -> str:
    """What the page shows; it neither fails nor drowns the person in what the address held."""
    app = visit(page, **query)
    shown = words(app)
    assert not app.exception, app.exception
    assert "Something in AutoFlow failed" not in shown, shown
    assert len(shown) < 20_000
    return shown


@pytest.mark.parametrize("value", [*UNKNOWN, *ODD], ids=range(len(UNKNOWN + ODD)))
@pytest.mark.parametrize("page", list(PARAMETERS))
def test_odd_parameters_do_not_keep_a_page_from_being_shown(
    visit: Callable[..., AppTest], store: SqlStore, page: str, value: str
) -> None:
    good = {"workflow": store.create_workflow("Mails", GOOD).id} if page in ("write", "run") else {}
    shown = opened(visit, page, **good, **dict.fromkeys(PARAMETERS[page], value))
    assert "This did not work" not in shown


@pytest.mark.parametrize("value", ["xx_8k2m1x0c9d7e", *ODD], ids=range(len(ODD) + 1))
@pytest.mark.parametrize(("page", "name"), OBJECTS)
def test_an_address_of_nothing_is_told_in_a_sentence(
    visit: Callable[..., AppTest], store: SqlStore, page: str, name: str, value: str
) -> None:
    good = {"workflow": store.create_workflow("Mails", GOOD).id} if name == "job" else {}
    shown = opened(visit, page, **good | {name: value})
    assert f"The address of this page names `{value[:40]}" in shown
    assert f"is no {name} id" in shown


def test_a_run_of_another_workflow_or_none_is_told(visit: Callable[..., AppTest], store: SqlStore) -> None:
    one, other = store.create_workflow("One", GOOD), store.create_workflow("Other", GOOD)
    run = store.create_run(
        text=GOOD, task=store.add_task("x"), model="scripted:x", policy=RunPolicy(), workflow_id=one.id
    )
    app = visit("run", run=run.id, workflow=other.id)
    assert not app.exception
    assert "Something in AutoFlow failed" not in words(app)


@pytest.mark.parametrize("page", ["write", "run"])
def test_an_id_that_nobody_bears_is_told_with_the_id(visit: Callable[..., AppTest], store: SqlStore, page: str) -> None:
    assert "There is no workflow 'wf_8k2m1x0c9d7e'" in words(visit(page, workflow="wf_8k2m1x0c9d7e"))
