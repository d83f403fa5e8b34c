"""Write without a workflow in its address: the one worked on last, or a beginning."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.format import ago
from pages.ui.plain import cut


def draw() -> None:
    st.title("Write")
    known = services.store().list_workflows(limit=8)
    if not known:
        st.text("There is no workflow yet. Say on Home what should get done, and a model writes one.")
    with st.container(horizontal=True):
        if st.button("Begin with a blank one", icon=":material/add:", key="write-blank"):
            services.go("write", workflow=services.store().create_workflow("Untitled workflow").id)
        st.page_link(services.PAGES["home"], label="Say what should get done", icon=":material/home:")
    if known:
        st.header("Worked on lately")
    for record in known:
        with st.container(horizontal=True, vertical_alignment="center", key=f"recent-{record.id}"):
            if st.button("Open", icon=":material/open_in_new:", type="tertiary", key=f"open-{record.id}"):
                services.go("write", workflow=record.id)
            st.text(f"{cut(record.name, 80)} · {ago(record.updated_at)}")
