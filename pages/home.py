"""Home: what should get done, ways to begin, recent work."""

from __future__ import annotations

import streamlit as st

from pages.ui.home import begin, model, recent

st.title("AutoFlow")
begin.ask()
model.missing()
recent.draw()
begin.examples()
recent.deleted()
