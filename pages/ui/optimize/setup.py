"""Setting up a search: what is to become better, by which tasks, with which models, and where it stops."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.lang import has_errors
from autoflow.optimize.start import start_study
from autoflow.records import WorkflowRecord
from autoflow.study import Method, StudySpec, SuiteSpec
from pages.ui import services
from pages.ui.optimize import estimate, fields, options, pace, state, suite
from pages.ui.plain import cut
from pages.ui.write import draft

NAME_CHARACTERS = 200
_NEW = ""  # among the workflows: none


def draw() -> None:
    """The form, the estimate, and the button."""
    with st.container(border=True, key="search-setup"):
        workflow = _workflow()
        chosen = suite.choose()
        method = fields.method()
        models = _models(chosen, method)
        st.caption("It stops at the first of these limits; the sealed test comes after them.")
        budget, policy, repeats, seed = fields.limits(method)
        drafts = options.choose(method)
        reward = fields.reward()
        if chosen is None:
            st.text("Choose the tasks first.")
            return
        generator, interpreter, judge = models
        if not generator:
            st.text("Choose the model to train first.")
            return
        spec = StudySpec(
            method=method, suite=chosen, generator=generator, interpreter=interpreter, judge=judge, reward=reward,
            budget=budget, policy=policy, repeats=repeats, seed=seed, options=drafts,
            baseline=workflow.text if workflow else None,
        )  # fmt: skip
        if method == "lora":
            pace.draw(spec)
        estimate.draw(spec)
        _start(spec, workflow)


def _workflow() -> WorkflowRecord | None:
    """What is to become better, as it is now; none where the search begins from a plain prompt."""
    named = services.query_id("workflow", "wf")
    known = {w.id: w for w in services.store().list_workflows(limit=100)}
    if named and named not in known:
        known[named] = services.store().get_workflow(named)
    ids = [_NEW, *known]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "What should become better", ids, ids.index(named or _NEW), key=f"search-workflow-{named}",
            format_func=lambda id: cut(known[id].name, 70) or "without a name" if id else "Nothing yet: find one",
            on_change=_remember, args=(f"search-workflow-{named}",),
        )  # fmt: skip
        st.text_input(
            "Name of the study", key="search-name", bind="query-params", max_chars=NAME_CHARACTERS,
            placeholder="named after the workflow or the tasks",
        )  # fmt: skip
    return known.get(picked or "")


def _remember(key: str) -> None:
    picked = st.session_state[key]
    if picked:
        st.query_params["workflow"] = picked
    else:
        st.query_params.pop("workflow", None)


def _models(chosen: SuiteSpec | None, method: Method) -> tuple[str, str, str]:
    """Generator ("" where none can be trained), interpreter, and judge ("" where none is needed)."""
    judged = chosen is not None and suite.needs_judge(chosen)
    columns = st.columns(3 if judged else 2)
    with columns[0]:
        generator = (
            fields.base()
            if method == "lora"
            else fields.model("Generator", "generator", "Proposes workflows; the stronger, the better.")
        )
    with columns[1]:
        interpreter = fields.model("Interpreter", "interpreter", "Carries them out: the model that you will use.")
    if not judged:
        return generator, interpreter, ""
    with columns[2]:
        judge = fields.model("Judge", "judge", "Grades answers by the rubric. Its calls are counted.")
    return generator, interpreter, judge


def _start(spec: StudySpec, workflow: WorkflowRecord | None) -> None:
    errors = has_errors(draft.read(workflow.text).diagnostics) if workflow else False
    if errors and workflow:
        st.text("This workflow has errors and cannot run. Mend it first.")
        st.page_link(
            services.PAGES["write"], label="Mend it in Write", icon=":material/build:",
            query_params={"workflow": workflow.id},
        )  # fmt: skip
    if not st.button("Optimize", type="primary", icon=":material/trending_up:", key="search-start", disabled=errors):
        return
    try:
        with st.spinner("Dealing the tasks …"):
            study = start_study(
                services.store(), _name(spec, workflow), spec, workflow_id=workflow.id if workflow else None
            )
    except AutoFlowError as error:
        services.show_error(error)
        return
    state.start(study)
    services.go("optimize", study=study.id)


def _name(spec: StudySpec, workflow: WorkflowRecord | None) -> str:
    typed = " ".join(str(st.session_state.get("search-name") or "").split())
    return typed or (workflow.name if workflow else "") or suite.name_of(spec.suite)
