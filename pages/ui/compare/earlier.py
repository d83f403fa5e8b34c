"""Comparisons made before, and what to do where nothing can be compared yet."""

from __future__ import annotations

import streamlit as st

from autoflow.study import Study
from autoflow.suites.registry import title_of
from pages.ui import services
from pages.ui.format import ago
from pages.ui.plain import cut

SHOWN = 8


def empty() -> None:
    """What to do first, and ways to do it."""
    st.info(
        "There is nothing to compare yet. Keep a second version of a workflow, or let a study look for a better one.",
        icon=":material/lightbulb:",
    )
    with st.container(horizontal=True):
        st.page_link(services.PAGES["write"], label="Write a workflow", icon=":material/edit_note:")
        st.page_link(services.PAGES["optimize"], label="Find a better one", icon=":material/trending_up:")
    draw(None)


def draw(current: Study | None) -> None:
    """The latest ones, each with a way to open it."""
    found = services.store().list_studies(SHOWN + 1, methods=["evaluate"])
    others = [study for study in found if current is None or study.id != current.id][:SHOWN]
    if not others:
        return
    st.header("Earlier comparisons", anchor=False)
    for study in others:
        with st.container(horizontal=True, vertical_alignment="center", key=f"earlier-{study.id}"):
            link = {"study": study.id}
            st.page_link(services.PAGES["compare"], label="Open", icon=":material/open_in_new:", query_params=link)
            st.text(_line(study))


def _line(study: Study) -> str:
    spec = study.spec
    suite = cut(title_of(spec.suite, services.store().get_suite), 40)
    return f"{cut(study.name, 80)} · {suite}, {spec.split} · {spec.interpreter} · {ago(study.created_at)}"
