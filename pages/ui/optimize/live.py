"""What grows while a search goes on: curves, candidates, the heat map. Each redraws itself, and only what changed."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.view import StudyView
from pages.ui.components.candidates import candidate_table
from pages.ui.components.curves import Axes, curves
from pages.ui.components.heatmap import heatmap
from pages.ui.components.lineage import Kin, lineage
from pages.ui.format import plural
from pages.ui.optimize import figures, loaded, map, tasks
from pages.ui.optimize.figures import number

REFRESH_S = 2.0
FORMS = ("Table", "Family tree")


def draw_curves(study_id: str, running: bool) -> None:
    """The curves; nothing but a sentence before the first candidate."""
    st.fragment(_curves, run_every=REFRESH_S if running else None)(study_id)


def draw_candidates(study_id: str, running: bool) -> None:
    """All candidates, as a table or as a family tree."""
    st.fragment(_candidates, run_every=REFRESH_S if running else None)(study_id)


def draw_map(study_id: str, running: bool) -> None:
    """Candidates by tasks."""
    st.fragment(_map, run_every=REFRESH_S if running else None)(study_id)


def pick(number: int) -> None:
    """Select, from one part of the page: all of it is drawn anew, since every part shows what is selected."""
    loaded.select(number)
    st.rerun()


def pick_run(number: int, task: str) -> None:
    """Open a trace from the heat map."""
    loaded.select_run(number, task)
    st.rerun()


def _selected(view: StudyView) -> int | None:
    chosen = loaded.selected(view)
    return None if chosen is None else chosen.number


def _curves(study_id: str) -> None:
    view = loaded.load(study_id)
    found, amount = loaded.once(view, "series", figures.series)
    if not found:
        st.text("The curves begin with the first candidate.")
        return
    label = f"Curves of {plural(len(view.candidates), 'candidate')}; the table says the same in words"
    curves(
        study_id, found, key=f"curves-{study_id}", axes=Axes(amount=amount), selected=_selected(view), label=label,
        on_select=pick,
    )  # fmt: skip


def _candidates(study_id: str) -> None:
    view = loaded.load(study_id)
    if not view.candidates:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="candidates-head"):
        st.header("Candidates")
        st.space("stretch")
        form = st.segmented_control(
            "Candidates as", FORMS, key="candidates-form", default=FORMS[0], required=True, persist_state="session",
            label_visibility="collapsed",
        )  # fmt: skip
    if form == "Family tree":
        lineage(loaded.once(view, "kin", _kin), key=f"lineage-{study_id}", selected=_selected(view), on_select=pick)
    else:
        rows = loaded.once(view, "rows", figures.rows)
        candidate_table(rows, key=f"candidates-{study_id}", selected=_selected(view), on_select=pick)
        if len(rows) < len(view.candidates):
            left_out = plural(len(view.candidates) - len(rows), "candidate")
            st.caption(f"{left_out} of the less good ones are left out.")


def _kin(view: StudyView) -> list[Kin]:
    found = []
    for one in view.candidates:
        score = view.score(one.number, "val")
        told = "errors" if one.error else "" if score is None else number(score)
        words = f"Candidate {one.number}: {one.operator or 'no name'}" + (f", {told} on validation" if score else "")
        found.append(Kin(one.number, one.parent, score, bool(one.error), one.number == view.study.best, told, words))
    return found


def _map(study_id: str) -> None:
    view = loaded.load(study_id)
    shown = loaded.once(view, "map", lambda it: map.heat(it, tasks.tasks_of(it.study)))
    if not shown.rows:
        return
    st.header("Candidates by tasks")
    left_out = sum(not c.error for c in view.candidates) - len(shown.rows)
    st.caption(
        "Each cell is a score; a cell opens its trace. ✕: the run stopped early. ?: it waits for a rating."
        + (f" {plural(left_out, 'candidate')} of the less good ones are left out." if left_out > 0 else "")
    )
    label = f"Scores of {len(shown.rows)} candidates by task; the tasks of the selected one stand below in words"
    heatmap(
        study_id, shown, key=f"map-{study_id}", label=label, selected=_selected(view), task=loaded.task_named(view),
        on_open=pick_run,
    )  # fmt: skip
