"""Run: a workflow, a model, inputs and limits; then every step as it happens."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.run import live, recent, setup

st.title("Run")
run_id = services.query_id("run", "rn")
run = services.store().get_run(run_id) if run_id else None
workflow = setup.chosen_workflow(run)
if workflow is None:
    setup.empty()
else:
    policy = setup.draw(workflow, run)
    if run:
        live.draw(run, policy)
    recent.draw(workflow.id, run)
