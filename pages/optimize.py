"""Optimize: a search for a better workflow, set up, watched, and adopted."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.optimize import page, setup, studies

study_id = services.query_id("study", "st")
if study_id is None:
    st.title("Optimize")
    st.text("A search tries workflows on tasks that can be scored, learns from what went wrong, and keeps the best.")
    setup.draw()
    studies.draw()
else:
    page.draw(study_id)
