"""The task of a run: its objective and its named inputs (text, file, image)."""

from __future__ import annotations

import mimetypes

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import Run, Task, TaskInput, WorkflowRecord
from pages.ui import picture, services
from pages.ui.format import size
from pages.ui.plain import plain


def draw_inputs(workflow: WorkflowRecord, run: Run | None) -> Task:
    """Fields for the task, filled with that of the run on show, else the workflow's own."""
    start = (run.task if run else workflow.task) or Task(id="", objective="")
    scope = run.id if run else workflow.id
    objective = st.text_area("What should get done?", value=start.objective, key=f"objective-{scope}", height="content")
    inputs = [shown for item in start.inputs if (shown := _field(item, scope))]
    inputs += _added(scope)
    return start.model_copy(update={"objective": objective, "inputs": tuple(inputs)})


def _field(item: TaskInput, scope: str) -> TaskInput | None:
    """One input that the task already has: a text can be changed, a file is named."""
    if item.kind == "text":
        text = st.text_area(f"Input: {plain(item.name)}", value=item.text, key=f"in-{scope}-{item.name}", height=120)
        return item.model_copy(update={"text": text})
    with st.container(horizontal=True, vertical_alignment="center"):
        if item.kind == "image":
            picture.draw(item)
        st.text(f"{item.name}: {item.filename or 'file'}, {size(item.size or 0)}")
    return item


def _added(scope: str) -> list[TaskInput]:
    """Inputs that the person adds here: one more text, and files."""
    with st.expander("Add inputs", icon=":material/attach_file:"):
        left, right = st.columns(2)
        name = left.text_input("Name of a text", key=f"add-name-{scope}", placeholder="mail")
        text = left.text_area("Its text", key=f"add-text-{scope}", height=100)
        files = right.file_uploader("Files and images", accept_multiple_files=True, key=f"add-files-{scope}")
    found = [TaskInput(name=name.strip() or "text", text=text)] if text.strip() else []
    for file in files or []:
        try:
            kind = file.type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            found.append(
                services.store().add_file(file.getvalue(), name=file.name, filename=file.name, media_type=kind)
            )
        except AutoFlowError as error:
            services.show_error(error)
    return found
