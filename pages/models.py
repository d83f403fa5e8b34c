"""Models: files and downloads of this machine, adapters, connections with their tests, prices."""

from __future__ import annotations

import streamlit as st

from pages.ui.models import adapters, connections, local, prices

st.title("Models")
st.caption("What writes workflows and what carries them out. From the shell: autoflow models.")
parts = {
    "On this machine": local.draw,
    "Adapters": adapters.draw,
    "Connections": connections.draw,
    "Prices": prices.draw,
}
tabs = st.tabs(list(parts), key="models-tab", bind="query-params", on_change="rerun")
for tab, draw in zip(tabs, parts.values(), strict=True):
    if tab.open:
        with tab:
            draw()
