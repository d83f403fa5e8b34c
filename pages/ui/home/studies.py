"""Searches for better workflows: the latest ones, and the way to begin one."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.optimize.studies import METHODS_SHOWN, draw_some

SHOWN = 3


def draw() -> None:
    """The latest studies; nothing where nobody has any workflow yet."""
    store = services.store()
    if not store.list_studies(limit=1, methods=METHODS_SHOWN, cells=False) and not store.list_workflows(limit=1):
        return
    st.header("Workflows that become better")
    draw_some(SHOWN)
    with st.container(horizontal=True, vertical_alignment="center", key="home-optimize"):
        st.text("Give examples of a task: a search tries workflows on them and keeps what is better.")
        st.page_link(services.PAGES["optimize"], label="Optimize", icon=":material/trending_up:")
