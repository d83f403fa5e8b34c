"""What grows while a search goes on: curves, candidates, the heat map. Each redraws itself, and only what changed."""

from __future__ import annotations

import streamlit as st

from pages.ui.components.candidates import candidate_table
from pages.ui.components.curves import curves
from pages.ui.format import plural
from pages.ui.optimize import figures, loaded

REFRESH_S = 2.0


def draw_curves(study_id: str, running: bool) -> None:
    st.fragment(_curves, run_every=REFRESH_S if running else None)(study_id)


def draw_table(study_id: str, running: bool) -> None:
    st.fragment(_table, run_every=REFRESH_S if running else None)(study_id)


def pick(number: int) -> None:
    """Select, from a part of the page: all of it is drawn anew, since every part shows what is selected."""
    loaded.select(number)
    st.rerun()


def _curves(study_id: str) -> None:
    view = loaded.load(study_id)
    chosen = loaded.selected(view)
    found, amount = figures.series(view)
    if not found:
        st.text("The curves begin with the first candidate.")
        return
    label = f"Curves of {plural(len(view.candidates), 'candidate')}; the table says the same in words"
    curves(
        study_id, found, key=f"curves-{study_id}", amount=amount, selected=chosen.number if chosen else None,
        label=label, on_select=pick,
    )  # fmt: skip


def _table(study_id: str) -> None:
    view = loaded.load(study_id)
    chosen = loaded.selected(view)
    candidate_table(
        figures.rows(view), key=f"candidates-{study_id}", selected=chosen.number if chosen else None, on_select=pick
    )
