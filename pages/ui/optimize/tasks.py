"""The tasks of a study in words: what each asks, in the order of its splits."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.study import Study, SuiteSpec
from autoflow.suites.base import SPLITS, SuiteTask, in_words
from autoflow.suites.registry import dealt_suite
from pages.ui import services
from pages.ui.plain import cut


def tasks_of(study: Study) -> dict[str, SuiteTask]:
    """Every task by its id; empty where the suite cannot be opened any more, which `missing` then says."""
    try:
        return _tasks(study.spec.suite.model_dump_json(), study.spec.judge)
    except AutoFlowError:
        return {}


def missing(study: Study) -> str:
    """Why the words of the tasks are not known; empty where they are."""
    try:
        _tasks(study.spec.suite.model_dump_json(), study.spec.judge)
    except AutoFlowError as error:
        return str(error)
    return ""


@st.cache_resource(max_entries=20, ttl=600, show_spinner=False)
def _tasks(spec: str, judge: str) -> dict[str, SuiteTask]:
    suite = dealt_suite(SuiteSpec.model_validate_json(spec), judge, saved=services.store().get_suite)
    return {task.id: task for split in SPLITS for task in suite.tasks(split)}


def words(tasks: Mapping[str, SuiteTask], task: str, limit: int = 110) -> str:
    """What a task asks, on one line; its id where that is not known."""
    found = tasks.get(task)
    return task if found is None else cut(in_words(found), limit)
