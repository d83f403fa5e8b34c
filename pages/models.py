"""Models: connections with their tests, local files and downloads, prices."""

from __future__ import annotations

import streamlit as st

from pages.ui.models import connections, local, prices

st.title("Models")
st.caption("What writes workflows and what carries them out. From the shell: autoflow models.")
parts = {"On this machine": local.draw, "Connections": connections.draw, "Prices": prices.draw}
tabs = st.tabs(list(parts), key="models-tab", bind="query-params", on_change="rerun")
for tab, draw in zip(tabs, parts.values(), strict=True):
    if tab.open:
        with tab:
            draw()
