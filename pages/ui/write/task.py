"""What should get done: the objective, its inputs, and what the model that writes the workflow is given."""

from __future__ import annotations

from typing import Any

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.jobs.payloads import GeneratePayload
from autoflow.records import Task
from pages.ui import services, toolpick
from pages.ui.plain import cut, plain
from pages.ui.write import draft, fields, generation, inputs, prompts
from pages.ui.write.draft import Draft

CONSTRAINED = {"auto": None, "on": True, "off": False}


def draw(shown: Draft, busy: bool) -> None:
    """The panel above the steps; open where there is no workflow yet."""
    task = shown.record.task
    summary = cut(task.objective, 90) if task and task.objective.strip() else "say what should get done"
    with st.expander(f"Task: {plain(summary, 90)}", expanded=not shown.workflow.steps and not busy, key="write-task"):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _objective(shown)
            inputs.draw(shown)
        with right:
            _generator(shown, busy)


def task_of(shown: Draft) -> Task:
    return shown.record.task or Task(id="", objective="")


def change(workflow_id: str, **values: Any) -> None:
    """Change the task as it is by now. Makes a new record, since tasks of earlier runs never change. For callbacks."""
    store = services.store()
    try:
        present = store.get_workflow(workflow_id).task or Task(id="", objective="")
        new = present.model_copy(update=values)
        store.set_workflow_task(workflow_id, store.add_task(new.objective, new.inputs, new.tools, new.listed_tools))
    except AutoFlowError as error:
        draft.notice(str(error))


def _objective(shown: Draft) -> None:
    objective = task_of(shown).objective
    key = fields.key_of("objective", shown.id, objective)
    st.text_area(
        "What should get done?", objective, key=key, height=110, on_change=_set_objective, args=(shown.id, key),
        placeholder="Decide whether a refund mail is justified, and answer it.",
    )  # fmt: skip
    fields.late(key, objective, _set_objective, shown.id)


def _set_objective(workflow_id: str, key: str) -> None:
    change(workflow_id, objective=str(st.session_state[key]))


def _generator(shown: Draft, busy: bool) -> None:
    model = st.selectbox("Model that writes", services.model_names(), key="generator", persist_state="session")
    _tools(shown, task_of(shown))
    drafts, held, (fewest, most) = _how()
    again = bool(shown.workflow.steps)
    asked = GeneratePayload(
        model=model, workflow_id=shown.id, drafts=drafts, constrained=CONSTRAINED[held], min_steps=fewest,
        max_steps=most, revision=shown.record.revision,
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Generate again" if again else "Generate", type="secondary" if again else "primary",
            icon=":material/auto_awesome:", key="generate", disabled=busy, on_click=_generate,
            args=(asked, shown.record.name),
        )  # fmt: skip
        if st.button("Prompts", icon=":material/article:", type="tertiary", key="prompts"):
            prompts.dialog()


def _how() -> tuple[int, str, tuple[int, int]]:
    """Drafts, whether they are held to the grammar, fewest and most steps."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        drafts = st.number_input("Drafts", 1, 4, 1, key="drafts", persist_state="session", width=120)
        held = st.selectbox(
            "Grammar", list(CONSTRAINED), key="constrained", persist_state="session", width=120,
            help="On: only lines that are CoRE can be decoded. Auto: on where the model's server can.",
        )  # fmt: skip
    steps = st.slider("Steps, fewest and most", 2, 20, (3, 8), key="generate-steps", persist_state="session")
    return int(drafts), held, (int(steps[0]), int(steps[1]))


def _generate(asked: GeneratePayload, name: str) -> None:
    """The revision goes along with what is asked: what is typed while the model writes is never replaced."""
    task = services.store().get_workflow(str(asked.workflow_id)).task
    if task is None or not task.objective.strip():
        draft.notice("Say first what should get done, then a model can write a workflow for it.")
        return
    generation.start(asked, name)


def _tools(shown: Draft, task: Task) -> None:
    key = fields.key_of("tools", shown.id, " ".join(task.tools))
    toolpick.draw(task.tools, key=key, on_change=_set_tools, args=(shown.id, key))


def _set_tools(workflow_id: str, key: str) -> None:
    change(workflow_id, tools=tuple(st.session_state[key]))
