"""The price table: where each price comes from, and how to change it."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.settings import settings
from pages.ui import services


def draw() -> None:
    from autoflow.llm.prices import load_prices

    st.caption("US dollars for a million tokens. A model that is not listed costs an unknown sum, not nothing.")
    try:
        prices = load_prices()
    except AutoFlowError as error:
        services.show_error(error)
        return
    rows = [
        {
            "model": name,
            "prompt": price.input,
            "prompt, cached": price.cached_input,
            "completion": price.output,
            "endpoint": price.host or "any",
            "as of": price.date,
            "source": price.source,
        }
        for name, price in prices.items()
    ]
    dollars = st.column_config.NumberColumn(format="%.3f $")
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={"prompt": dollars, "prompt, cached": dollars, "completion": dollars},
    )
    st.text(f"Your own prices go into {settings().prices_file}; they overrule these, by the model's name:")
    st.code('{"my-model": {"input": 1.0, "output": 2.0, "source": "my contract", "date": "2026-11-01"}}', None)
