"""Models: connections with their tests, local files and downloads, prices."""

from __future__ import annotations

import streamlit as st

from pages.ui.models import connections, local, prices

st.title("Models")
st.caption("What writes workflows and what carries them out. From the shell: `autoflow models`.")
tabs = st.tabs(["On this machine", "Connections", "Prices"], key="models-tab", bind="query-params", on_change="rerun")
with tabs[0]:
    local.draw()
with tabs[1]:
    connections.draw()
with tabs[2]:
    prices.draw()
