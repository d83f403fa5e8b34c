"""Compare: two workflows on the same tasks, and whether the one is better."""

from __future__ import annotations

import streamlit as st

from pages.ui.compare import board, earlier, pickers
from pages.ui.compare.chosen import chosen

st.title("Compare")
shown = chosen()
if shown is None:
    earlier.empty()
else:
    pickers.draw(shown)
    board.draw(shown)
