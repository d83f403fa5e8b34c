"""Earlier runs of the workflow: how each ended, what it took, and a way to open it."""

from __future__ import annotations

import streamlit as st

from autoflow.records import STOP_WORDS, Run
from pages.ui import services
from pages.ui.format import ago, duration, money, plural

SHOWN = 8


def draw(workflow_id: str, current: Run | None) -> None:
    runs = [r for r in services.store().list_runs(workflow_id, limit=SHOWN + 1) if not current or r.id != current.id]
    if not runs:
        return
    st.header("Earlier runs")
    for run in runs[:SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"earlier-{run.id}"):
            st.page_link(
                services.PAGES["run"],
                label="Open",
                icon=":material/open_in_new:",
                query_params={"run": run.id},
            )
            st.text(_line(run))


def _line(run: Run) -> str:
    version = f"v{run.version}" if run.version else "draft"
    took = f"{plural(run.totals.calls, 'call')}, {duration(run.totals.seconds)}, {money(run.totals.cost_usd)}"
    ended = STOP_WORDS[run.stop].rstrip(".") if run.stop else "Under way"
    return f"{ended} · {version} · {run.model} · {took} · {ago(run.created_at)}"
