"""What was found becomes a version of a workflow: the one the study began with, another, or a new one."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.adopt import adopt
from autoflow.optimize.view import StudyView
from autoflow.records import Version
from autoflow.study import Candidate, Study
from pages.ui import services
from pages.ui.plain import cut

_NEW = ""  # among the workflows to choose from
_DONE = "optimize-adopted"


def popover(view: StudyView, candidate: Candidate) -> None:
    """Where it goes, and the button; under the candidate that it is about."""
    study, best = view.study, candidate.number == view.study.best
    label = "Adopt the best" if best else "Adopt it"
    with st.popover(
        label, icon=":material/bookmark_add:", key="adopt", disabled=bool(candidate.error),
        type="primary" if best else "secondary",
    ):  # fmt: skip
        where, words = _workflow(study)
        st.button(
            words, type="primary", key="adopt-now", on_click=_adopt, args=(study, candidate.number, where)
        )  # fmt: skip


def _workflow(study: Study) -> tuple[str, str]:
    """The chosen one ("" is a new one), and what the button says: `Adopt as v8`."""
    known = {w.id: w for w in services.store().list_workflows(limit=100)}
    if study.workflow_id and study.workflow_id not in known:
        known[study.workflow_id] = services.store().get_workflow(study.workflow_id)
    first = study.workflow_id or _NEW
    ids = [first, *(id for id in (*known, _NEW) if id != first)]
    chosen = st.selectbox(
        "Workflow", ids, key=f"adopt-where-{study.id}",
        format_func=lambda id: cut(known[id].name, 60) or "without a name" if id else "A new workflow",
    )  # fmt: skip
    return chosen, f"Adopt as v{known[chosen].version + 1}" if chosen else "Adopt as v1 of a new workflow"


@services.said
def _adopt(study: Study, number: int, where: str) -> None:
    store = services.store()
    if not where and study.workflow_id:  # a new one is wanted, though the study has one
        where = store.create_workflow(study.name or "Optimized workflow", origin="optimized").id
    st.session_state[_DONE] = (study.id, number, adopt(store, study.id, number, where or None))


def said(study: Study) -> None:
    """What was adopted last, with the way there."""
    done = st.session_state.get(_DONE)
    if not done or done[0] != study.id:
        return
    version: Version = done[2]
    name = services.store().get_workflow(version.workflow_id).name
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="adopted"):
        words = f"Candidate {done[1]} is v{version.number} of {cut(name, 60)}."
        st.text(words, width="stretch")
        st.page_link(
            services.PAGES["write"], label="Open in Write", icon=":material/edit_note:",
            query_params={"workflow": version.workflow_id},
        )  # fmt: skip
        st.button(
            "Close", icon=":material/close:", type="tertiary", key="adopted-close", on_click=_forget
        )  # fmt: skip


def _forget() -> None:
    st.session_state.pop(_DONE, None)
