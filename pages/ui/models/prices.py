"""The price table: where each price comes from, and how to change it."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.settings import settings
from pages.ui import services


def draw() -> None:
    from autoflow.llm.prices import price_table

    st.caption("US dollars for a million tokens. A model that is not listed costs an unknown sum, not nothing.")
    try:
        rows = price_table()
    except AutoFlowError as error:
        services.show_error(error)
        return
    st.dataframe(rows, hide_index=True, width="stretch")
    st.text(f"Your own prices go into {settings().prices_file}; they overrule these, by model name.")
    st.code('{"my-model": {"input": 1.0, "output": 2.0, "source": "my contract", "date": "2026-11-01"}}', "json")
