"""Recent workflows as cards: what they look like, how the last run went, when they changed."""

from __future__ import annotations

import streamlit as st

from autoflow.records import STOP_WORDS, Run, WorkflowRecord
from pages.ui import services
from pages.ui.components.thumbnail import thumbnail
from pages.ui.format import ago, plural
from pages.ui.plain import cut
from pages.ui.write import draft

SHOWN = 12


def draw() -> None:
    """Newest change first; nothing where there is no workflow yet."""
    records = services.store().list_workflows(limit=SHOWN)
    _just_deleted()
    if records:
        st.header("Recent work")
        with st.grid("auto", min_column_width=260, border=True):
            for record in records:
                with st.container(key=f"recent-{record.id}", gap="xsmall"):
                    _card(record)


def _card(record: WorkflowRecord) -> None:
    read = draft.read(record.text)
    thumbnail(read.workflow)
    st.text(cut(record.name, 70))
    found = f" · {plural(len(read.diagnostics), 'problem')}" if read.diagnostics else ""
    version = f"v{record.version} · " if record.version else ""
    st.caption(f"{version}{plural(len(read.workflow.steps), 'step')}{found} · changed {ago(record.updated_at)}")
    runs = services.store().list_runs(record.id, limit=1)
    st.caption(_run_words(runs[0]) if runs else "Never run")
    if st.button("Open", key=f"open-{record.id}", width="stretch"):
        services.go("write", workflow=record.id)


def _run_words(run: Run) -> str:
    ended = STOP_WORDS[run.stop].rstrip(".") if run.stop else "under way"
    return f"Last run {ago(run.finished_at or run.created_at)}: {ended[0].lower()}{ended[1:]}"


def _just_deleted() -> None:
    gone = st.session_state.get("home-deleted")
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="home-deleted-now"):
        st.text(f"Deleted: {cut(gone[1], 70)}", width="stretch")
        st.button(
            "Restore", icon=":material/undo:", key="restore-now", on_click=services.restore_workflow, args=(gone[0],)
        )


def deleted() -> None:
    """Those that were put away, each with a way back."""
    records = services.store().list_workflows(limit=50, deleted=True)
    if not records:
        return
    with st.expander(f"Deleted workflows ({len(records)})", icon=":material/delete:"):
        for record in records:
            with st.container(horizontal=True, vertical_alignment="center", key=f"deleted-{record.id}"):
                st.text(f"{cut(record.name, 80)} · deleted {ago(record.updated_at)}", width="stretch")
                st.button(
                    "Restore",
                    type="tertiary",
                    key=f"restore-{record.id}",
                    on_click=services.restore_workflow,
                    args=(record.id,),
                )
