"""The page that says which tasks run without the hub is up to date, and says what the suite does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autoflow.llm.scripted import ScriptedLLM
from autoflow.study import SuiteSpec
from autoflow.suites.openagi_open import open_openagi
from autoflow.suites.openagi_page import page
from tests.models import offline_files, offline_parts  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs" / "openagi-tasks.md"
SPEC = SuiteSpec(name="openagi", train=1, val=1, test=1, options={"provider": "offline"})


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: make docs"


@pytest.mark.model
@pytest.mark.usefixtures("offline_parts")
def test_it_tells_of_every_task_what_the_suite_takes() -> None:
    rows = re.findall(
        r"^\| (\d+) \| (Given [^|]+) \| ([^|]+) \| (yes|no|with a language model) \| ([^|]*) \|$", page(), re.M
    )
    assert [int(row[0]) for row in rows] == list(range(185))
    alone = {task.number for task in open_openagi(SPEC).runnable}
    asking = {task.number for task in open_openagi(SPEC, ScriptedLLM([{"match": "", "reply": "x"}])).runnable}
    assert {int(row[0]) for row in rows if row[3] == "yes"} == alone
    assert {int(row[0]) for row in rows if row[3] == "with a language model"} == asking - alone
    assert all(bool(row[4].strip()) == (row[3] == "no") for row in rows), (
        "a task that does not run says what is lacking"
    )
