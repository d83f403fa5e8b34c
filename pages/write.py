"""Write: one workflow as cards, graph and text, and the model that writes it."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.write import board, conflict, draft, empty, generation, header, inspector, put_away, task, views

workflow_id = services.query_id("workflow", "wf")
if workflow_id is None:
    empty.draw()
else:
    job = generation.job_of(workflow_id)
    shown = draft.load(workflow_id)
    busy = job is not None and not job.ended
    header.draw(shown, busy)
    if text := draft.take_notice():
        with st.container(border=True):
            st.text(text)
    put_away.panel(shown)
    conflict.panel(shown)
    task.draw(shown, busy)
    if job is not None:
        generation.draw(job, shown)
    if not busy or shown.workflow.steps:
        left, right = st.columns([5, 6], gap="medium")
        with left:
            board.draw(shown)
        with right:
            views.draw(shown)
            inspector.draw(shown)
    board.removal(shown)
