"""The task of a run: its objective, its named inputs (text, file, image) and the tools that steps may call."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import Run, Task, TaskInput, WorkflowRecord
from pages.ui import picture, services, toolpick, uploads
from pages.ui.format import size
from pages.ui.plain import plain


def draw_inputs(workflow: WorkflowRecord, run: Run | None) -> Task:
    """Fields for the task, filled with that of the run on show, else the workflow's own."""
    start = (run.task if run else workflow.task) or Task(id="", objective="")
    scope = run.id if run else workflow.id
    objective = st.text_area("What should get done?", value=start.objective, key=f"objective-{scope}", height="content")
    inputs = [_field(item, scope) for item in start.inputs]
    inputs += _added(scope, inputs)
    tools = toolpick.draw(start.tools, key=f"tools-{scope}")
    return start.model_copy(update={"objective": objective, "inputs": tuple(inputs), "tools": tools})


def _field(item: TaskInput, scope: str) -> TaskInput:
    """One input that the task already has: a text can be changed, a file is named."""
    if item.kind == "text":
        text = st.text_area(f"Input: {plain(item.name)}", value=item.text, key=f"in-{scope}-{item.name}", height=120)
        return item.model_copy(update={"text": text})
    _shown(item)
    return item


def _shown(item: TaskInput) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if item.kind == "image":
            picture.draw(item)
        file = "" if item.filename == item.name else f": {item.filename or 'file'}"
        st.text(f"{item.name}{file}, {size(item.size or 0)}")


def _added(scope: str, given: Sequence[TaskInput]) -> list[TaskInput]:
    """Inputs that the person adds here: one more text, and files."""
    with st.expander("Add inputs", icon=":material/attach_file:"):
        left, right = st.columns(2)
        name = left.text_input("Name of a text", key=f"add-name-{scope}", placeholder="mail", max_chars=200)
        text = left.text_area("Its text", key=f"add-text-{scope}", height=100)
        files = right.file_uploader("Files and images", accept_multiple_files=True, key=f"add-files-{scope}")
        found: list[TaskInput] = []
        if text.strip():
            found.append(TaskInput(name=uploads.free_name(name.strip() or "text", given), text=text))
        for file in files or []:
            try:
                found.append(uploads.kept(file, [*given, *found]))
            except AutoFlowError as error:
                services.show_error(error)
            else:
                _shown(found[-1])
    return found
