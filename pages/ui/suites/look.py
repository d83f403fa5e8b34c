"""The tasks of a suite, to look at: what is asked, what is expected, which split they are in, who made them."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import is_id
from autoflow.study import SPLITS, SuiteSpec
from autoflow.suites.base import Suite, SuiteTask
from autoflow.suites.registry import open_suite, title_of
from autoflow.suites.table_body import read_body
from pages.ui import services
from pages.ui.plain import cut, plain
from pages.ui.suites import from_task, known

SHOWN = 50  # tasks a split
WORDS = {"train": "train", "val": "validation", "test": "test"}


def draw(key: str, spec: SuiteSpec) -> None:
    if st.button("Look at them", icon=":material/visibility:", type="tertiary", key=f"{key}-look"):
        _dialog(key, spec)


@st.dialog("The tasks", width="large")
def _dialog(key: str, spec: SuiteSpec) -> None:
    try:
        suite = open_suite(spec, saved=known.saved)
        st.markdown(f"**{plain(title_of(spec, known.saved))}**")
    except AutoFlowError as error:
        services.show_error(error)
        return
    rows = [_row(suite, split, task) for split in SPLITS for task in suite.tasks(split)[:SHOWN]]
    st.dataframe(rows, hide_index=True, width="stretch", height=420)
    more = f"The first {SHOWN} of each split. " if max(spec.sizes.values()) > SHOWN else ""
    st.caption(f"{more}What is expected is told to the generator on train tasks, and to a judge; to no workflow.")
    suite_id = known.key_of(spec)
    if is_id(suite_id, "su"):
        _saved(key, suite_id)


def _saved(key: str, suite_id: str) -> None:
    """What was told of its rows, and what can be done with it."""
    body = read_body(known.saved(suite_id).body)
    for note in body.notes:
        st.text(note)
    with st.container(horizontal=True):
        if from_task.can_be_copied(body) and st.button(
            "Correct a copy", icon=":material/edit:", key=f"{key}-copy", on_click=from_task.begin_copy, args=(suite_id,)
        ):
            st.rerun()  # closes the dialog
        _delete(key, suite_id)


def _row(suite: Suite, split: str, task: SuiteTask) -> dict[str, str]:
    inputs = {f"Input {cut(given.name, 40)}": cut(given.text, 400) for given in task.task.inputs}
    return {
        "Split": WORDS[split], "What is asked": cut(task.task.objective, 400), **inputs,
        "Expected": cut(suite.expected(task), 400), "Tags": ", ".join(task.tags),
    }  # fmt: skip


def _delete(key: str, suite_id: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"{key}-delete"):
        st.text("Studies on it stay, but cannot be run any more.")
        st.button("Delete these tasks", key=f"{key}-delete-now", on_click=_deleted, args=(key, suite_id))


@services.said
def _deleted(key: str, suite_id: str) -> None:
    services.store().delete_suite(suite_id)
    known.forget()
    st.session_state.pop(f"{key}-suite", None)
