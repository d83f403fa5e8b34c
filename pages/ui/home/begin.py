"""Ways to begin: say what should get done, take a worked example, open a file, start blank."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.examples import Example, list_examples
from autoflow.jobs.payloads import GeneratePayload
from autoflow.lang import parse
from autoflow.records import WorkflowRecord
from pages.ui import services
from pages.ui.components.thumbnail import thumbnail
from pages.ui.format import plural
from pages.ui.home import model
from pages.ui.plain import cut
from pages.ui.write import draft, files, generation

NAME_CHARACTERS = 60


def ask() -> None:
    """The one question, and the button that lets a model answer it with a workflow."""
    objective = st.text_area(
        "What should get done?", key="home-objective", height=90, persist_state="session",
        placeholder="Decide whether a refund mail is justified, and answer the customer.",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", key="home-ask"):
        writer = st.selectbox(
            "Model that writes", services.model_names(), key="home-model", persist_state="session", width=320,
            label_visibility="collapsed",
        )  # fmt: skip
        if st.button("Generate", type="primary", icon=":material/auto_awesome:", key="home-generate"):
            if objective.strip():
                _generate(objective.strip(), writer)
            else:
                st.toast("Say first what should get done.", icon=":material/edit:")
        model.chip()
        st.space("stretch")
        _others()


def _generate(objective: str, writer: str) -> None:
    store = services.store()
    record = store.create_workflow(cut(objective, NAME_CHARACTERS), task=store.add_task(objective), origin="generated")
    asked = GeneratePayload(model=writer, workflow_id=record.id, revision=record.revision)
    services.go("write", workflow=record.id, job=generation.submit(asked, record.name))


def examples() -> None:
    """Worked examples with their inputs, ready to run."""
    found = list_examples()
    if not found:
        return
    st.header("Begin with an example")
    for column, example in zip(st.columns(len(found), border=True), found, strict=True):
        with column:
            _example(example)


def _example(example: Example) -> None:
    workflow = parse(example.text).workflow
    thumbnail(workflow)
    st.markdown(f"**{example.title}**")
    st.text(example.shows)
    st.space("stretch")
    inputs = f", {plural(len(example.inputs), 'input')}" if example.inputs else ""
    st.caption(f"{plural(len(workflow.steps), 'step')}{inputs}")
    if st.button("Open the example", key=f"example-{example.slug}", width="stretch"):
        services.go("write", workflow=from_example(example).id)


def from_example(example: Example) -> WorkflowRecord:
    store = services.store()
    task = store.add_task(example.objective, example.inputs, example.tools)
    return store.create_workflow(example.title, example.text, task=task, origin="example")


def _others() -> None:
    """From a file, or from nothing."""
    with st.popover("Open a file", icon=":material/upload_file:"):
        _file()
    if st.button("Begin blank", icon=":material/add:", key="home-blank"):
        services.go("write", workflow=services.store().create_workflow("Untitled workflow").id)


def _file() -> None:
    file = st.file_uploader("Workflow (.core, .txt or .json)", type=files.SUFFIXES, key="home-file")
    if file is None:
        return
    try:
        text = files.text_of(file.getvalue(), file.name)
        name = file.name.rsplit(".", 1)[0][:200].strip() or "From a file"
        record = services.store().create_workflow(name, text, origin="imported")
    except AutoFlowError as error:
        st.text(str(error))
        return
    draft.forget_unsaved()
    services.go("write", workflow=record.id)
