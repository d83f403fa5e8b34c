"""A workflow that was deleted, opened by its address: said, with the way back."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.write.draft import Draft


def panel(shown: Draft) -> None:
    """Nothing where the workflow was not deleted."""
    if not shown.record.deleted:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="write-deleted"):
        st.text("This workflow was deleted. Home shows it no longer among the recent ones.", width="stretch")
        st.button(
            "Restore", icon=":material/undo:", key="write-restore", on_click=services.restore_workflow, args=(shown.id,)
        )
