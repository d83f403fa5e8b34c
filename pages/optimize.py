"""Optimize: a search for a better workflow, set up, watched, and adopted."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.optimize import live, loaded

study_id = services.query_id("study", "st")
st.title("Optimize")
if study_id is not None:
    view = loaded.load(study_id)
    job = loaded.job_of(view.study)
    running = loaded.under_way(view.study, job)
    live.draw_curves(study_id, running)
    live.draw_table(study_id, running)
