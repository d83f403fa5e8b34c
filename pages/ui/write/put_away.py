"""A workflow that was deleted, opened by its address: said, with the way back."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.write.draft import Draft

LOOKED_AT = 50  # of the deleted ones, as many as Home shows


def panel(shown: Draft) -> None:
    """Nothing where the workflow is not among the deleted ones."""
    if all(record.id != shown.id for record in services.store().list_workflows(limit=LOOKED_AT, deleted=True)):
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="write-deleted"):
        st.text("This workflow was deleted. Home shows it no longer among the recent ones.", width="stretch")
        st.button("Restore", icon=":material/undo:", key="write-restore", on_click=_restore, args=(shown.id,))


@services.said
def _restore(workflow_id: str) -> None:
    services.store().restore_workflow(workflow_id)
    st.session_state.pop("home-deleted", None)
