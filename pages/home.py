"""Home: what should get done, ways to begin, recent work."""

from __future__ import annotations

import streamlit as st

from pages.ui.home import begin, model, recent, studies

st.title("AutoFlow")
begin.ask()
model.missing()
recent.draw()
studies.draw()
begin.examples()
recent.deleted()
