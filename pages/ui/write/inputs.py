"""The named inputs of the task: texts, files and images."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import TaskInput
from pages.ui import services, uploads
from pages.ui.format import plural, size
from pages.ui.plain import cut
from pages.ui.write import draft, task
from pages.ui.write.draft import Draft


def draw(shown: Draft) -> None:
    given = task.task_of(shown).inputs
    for number, item in enumerate(given):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, key=f"input-{number}"):
            st.text(f"{item.name}: {_words(item)}", width="stretch")
            st.button(
                "Remove", icon=":material/close:", type="tertiary", key=f"input-remove-{number}", on_click=_remove,
                args=(shown.id, item.name),
            )  # fmt: skip
    with st.popover("Add an input", icon=":material/attach_file:", key="input-add"):
        _text(shown.id)
        _files(shown.id, len(given))


def _words(item: TaskInput) -> str:
    if item.kind == "text":
        return f"{cut(item.text, 40)} ({plural(len(item.text), 'character')})"
    return f"{item.filename or 'file'}, {item.media_type or 'unknown type'}, {size(item.size or 0)}"


def _given(workflow_id: str) -> tuple[TaskInput, ...]:
    """The inputs as they are by now, for callbacks."""
    present = services.store().get_workflow(workflow_id).task
    return present.inputs if present else ()


def _remove(workflow_id: str, name: str) -> None:
    task.change(workflow_id, inputs=tuple(i for i in _given(workflow_id) if i.name != name))


def _text(workflow_id: str) -> None:
    with st.form("input-text", border=False, clear_on_submit=True):
        st.text_input("Name of a text", key="input-name", placeholder="mail", max_chars=uploads.MAX_NAME)
        st.text_area("Its text", key="input-words", height=100)
        st.form_submit_button("Add the text", on_click=_add_text, args=(workflow_id,))


def _add_text(workflow_id: str) -> None:
    words = str(st.session_state["input-words"])
    if words.strip():
        given = _given(workflow_id)
        name = uploads.free_name(str(st.session_state["input-name"]).strip() or "text", given)
        task.change(workflow_id, inputs=(*given, TaskInput(name=name, text=words)))


def _files(workflow_id: str, count: int) -> None:
    key = f"input-files-{count}"  # a new widget once files were taken
    st.file_uploader(
        "Files and images", accept_multiple_files=True, key=key, on_change=_add_files, args=(workflow_id, key)
    )


def _add_files(workflow_id: str, key: str) -> None:
    given = taken = _given(workflow_id)
    for file in st.session_state[key] or []:
        try:
            added = uploads.kept(file, taken)
        except AutoFlowError as error:
            draft.notice(str(error))
        else:
            taken = (*taken, added)
    if taken != given:
        task.change(workflow_id, inputs=taken)
