"""What to run: workflow and version, model, inputs, limits. Starting makes a run and a job, and opens its address."""

from __future__ import annotations

import streamlit as st

from autoflow.lang import parse
from autoflow.records import Run, RunPolicy, Task, WorkflowRecord
from pages.ui import services
from pages.ui.format import plural
from pages.ui.run.inputs import draw_inputs

DRAFT = 0  # among the versions to choose from; None would be taken for an empty field, which can be cleared
MEMORY = {
    "all": "All observations, the nearest where they are too many",
    "embedding": "The nearest observations",
    "direct": "The model picks them (a call a step)",
    "traverse": "The model judges each one (a call an observation)",
    "none": "No observations",
}


def chosen_workflow(run: Run | None) -> WorkflowRecord | None:
    """The workflow that the URL names, the one of the run it names, or the one worked on last."""
    named = services.query_id("workflow", "wf") or (run.workflow_id if run else None)
    if named:
        return services.store().get_workflow(named)
    latest = services.store().list_workflows(limit=1)
    return latest[0] if latest else None


def empty() -> None:
    """What to do where there is nothing to run yet."""
    st.info("There is no workflow yet. Describe a task on Home, or begin with an example.", icon=":material/lightbulb:")
    st.page_link(services.PAGES["home"], label="Go to Home", icon=":material/home:")


def draw(workflow: WorkflowRecord, run: Run | None) -> RunPolicy:
    """The form above the trace; returns the limits that are set."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _pick_workflow(workflow)
        number = _pick_version(workflow, run)
        model = _pick_model(run)
        memory = st.selectbox("Memory", list(MEMORY), key="memory", help=_memory_help(), width=130)
        policy = _limits(memory)
        start = st.container(width="content")  # the button stands beside its settings, and reads the task below
    text = workflow.text if number is None else services.store().get_version(workflow.id, number).text
    with st.expander("Task and inputs", icon=":material/assignment:", expanded=run is None):
        task = draw_inputs(workflow, run)
    with start:
        pressed = _start_button(text, task)
    if pressed:
        start_run(workflow, number, text, model, policy, task)
    _why_not(workflow, text, task)
    return policy


def _memory_help() -> str:
    return "\n".join(f"- **{name}**: {words}" for name, words in MEMORY.items())


def _pick_workflow(workflow: WorkflowRecord) -> None:
    known = {w.id: w.name for w in services.store().list_workflows(limit=100)} | {workflow.id: workflow.name}
    ids = list(known)
    picked = st.selectbox(
        "Workflow", ids, index=ids.index(workflow.id), format_func=lambda i: known[i] or "without a name"
    )
    if picked != workflow.id:
        services.go("run", workflow=picked)


def _pick_model(run: Run | None) -> str:
    """The one picked last; in a fresh tab that of the run on show."""
    names = services.model_names()
    first = names.index(run.model) if run and run.model in names else 0
    return st.selectbox("Interpreter", names, first, key="interpreter", persist_state="session", width=225)


def _pick_version(workflow: WorkflowRecord, run: Run | None) -> int | None:
    """A version's number, at first that of the run on show; None is the draft."""
    numbers = [v.number for v in services.store().list_versions(workflow.id)]
    latest_is_draft = bool(numbers) and services.store().get_version(workflow.id, numbers[0]).text == workflow.text
    choices = numbers if latest_is_draft else [DRAFT, *numbers]
    shown = run.version if run else None
    picked = st.selectbox(
        "Version",
        choices,
        choices.index(shown) if shown in choices else 0,
        format_func=lambda n: f"v{n}" if n else "draft",
        width=90,
        key=f"version-{workflow.id}",
    )
    return picked or None


def _limits(memory: str) -> RunPolicy:
    """Where a run stops by itself. An empty field is no limit."""
    with st.popover("Limits", icon=":material/speed:"):
        steps = st.number_input("Steps", 1, 10_000, 50, key="max-steps", persist_state="session")
        minutes = st.number_input("Minutes", 0.1, None, 10.0, key="max-minutes", persist_state="session")
        dollars = st.number_input(
            "Dollars", 0.0, None, None, key="max-usd", persist_state="session", placeholder="no limit"
        )
        calls = st.number_input(
            "Model calls", 1, None, None, key="max-calls", persist_state="session", placeholder="no limit"
        )
        tokens = st.number_input(
            "Tokens", 1, None, None, key="max-tokens", persist_state="session", placeholder="no limit"
        )
        answer = st.number_input("Tokens an answer", 16, 8192, 512, key="answer-tokens", persist_state="session")
    return RunPolicy.model_validate(
        {
            "memory": memory,
            "max_steps": steps,
            "max_time_s": minutes * 60 if minutes else None,
            "max_cost_usd": dollars,
            "max_calls": calls,
            "max_tokens": tokens,
            "answer_tokens": answer,
        }
    )


def _start_button(text: str, task: Task) -> bool:
    ready = not parse(text).errors and bool(task.objective.strip())
    return st.button("Run", type="primary", icon=":material/play_arrow:", disabled=not ready, key="start")


def _why_not(workflow: WorkflowRecord, text: str, task: Task) -> None:
    """Why the button cannot be pressed, and the way to where it can be mended."""
    errors = parse(text).errors
    if errors:
        st.text(f"This version has {plural(len(errors), 'error')} and cannot run. The first: {errors[0].message}")
        link = {"workflow": workflow.id}
        st.page_link(services.PAGES["write"], label="Mend it in Write", icon=":material/build:", query_params=link)
    elif not task.objective.strip():
        st.text("Say what should get done, then press Run.")


def start_run(
    workflow: WorkflowRecord, number: int | None, text: str, model: str, policy: RunPolicy, task: Task
) -> None:
    """Make the run and its job, and open the run's address. Does not return."""
    store = services.store()
    kept = store.add_task(task.objective, task.inputs, task.tools, task.listed_tools)
    run = store.create_run(text=text, task=kept, model=model, policy=policy, workflow_id=workflow.id, version=number)
    services.start_run_job(run)
    services.go("run", run=run.id)
