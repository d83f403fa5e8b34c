"""The selected candidate: what it is, how it differs from its parent, what it says, what it was rewarded for."""

from __future__ import annotations

import streamlit as st

from autoflow.lang.diff import diff
from autoflow.optimize.view import StudyView
from autoflow.study import SPLITS, Candidate
from pages.ui import services
from pages.ui.components.changes import change_list
from pages.ui.components.graph import graph
from pages.ui.components.steps import step_cards
from pages.ui.format import money, plural
from pages.ui.optimize import adopting, branching, opening
from pages.ui.optimize.figures import SPLIT_WORDS, number
from pages.ui.plain import beginning, plain
from pages.ui.write import draft

VIEWS = ("What changed", "Steps", "Text", "Reward")


def draw(view: StudyView, candidate: Candidate) -> None:
    with st.container(border=True, key="candidate"):
        _head(view, candidate)
        if candidate.note:
            st.text(candidate.note)
        if candidate.error:
            st.markdown(":material/error: **It has errors and was not run.**")
            st.text(candidate.error)
        _actions(view, candidate)
        shown = st.segmented_control(
            "Part of the candidate", VIEWS, key="candidate-view", default=VIEWS[0], required=True,
            label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
        if shown == "Steps":
            _steps(candidate)
        elif shown == "Text":
            st.code(beginning(candidate.text), language=None, wrap_lines=True)
        elif shown == "Reward":
            _reward(view, candidate)
        else:
            _changed(view, candidate)
    branching.draw(view, candidate)


def _head(view: StudyView, candidate: Candidate) -> None:
    star = " ★" if candidate.number == view.study.best else ""
    st.header(f"Candidate {candidate.number}{star}")
    st.caption(plain(_origin(candidate), 300))


def _origin(candidate: Candidate) -> str:
    """`split a step, made of candidate 3 in round 2; proposing it took 1 call, 0 $`."""
    made = f", made of candidate {candidate.parent}" if candidate.parent is not None else ""
    when = f" in round {candidate.round}" if candidate.round else ", there from the start"
    took = candidate.totals
    cost = f"; proposing it took {plural(took.calls, 'call')}, {money(took.cost_usd)}" if took.calls else ""
    return f"{candidate.operator or 'no name'}{made}{when}{cost}"


def _actions(view: StudyView, candidate: Candidate) -> None:
    """All but adopting work on a text with errors as well: Write shows how to mend it."""
    with st.container(horizontal=True, vertical_alignment="center", key="candidate-actions"):
        if st.button("Open in Write", icon=":material/edit_note:", key="candidate-write"):
            services.go("write", workflow=opening.workflow_of(view, candidate).id)
        broken = bool(candidate.error)
        if st.button("Run it", icon=":material/play_arrow:", key="candidate-run", disabled=broken):
            services.go("run", workflow=opening.workflow_of(view, candidate).id)
        adopting.popover(view, candidate)


def _changed(view: StudyView, candidate: Candidate) -> None:
    if candidate.parent is None:
        st.caption("It was made of no other candidate; the text says all of it.")
        st.code(beginning(candidate.text), language=None, wrap_lines=True)
        return
    before = draft.read(view.candidates[candidate.parent].text).workflow
    found = diff(before, draft.read(candidate.text).workflow)
    change_list(found, key="candidate-changes")


def _steps(candidate: Candidate) -> None:
    read = draft.read(candidate.text)
    if not read.workflow.steps:
        st.text("There is no step in its text.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        step_cards(read.workflow, key="candidate-steps", diagnostics=read.diagnostics, height="30rem")
    with right:
        graph(read.workflow, key="candidate-graph", diagnostics=read.diagnostics, height="30rem")


def _reward(view: StudyView, candidate: Candidate) -> None:
    """What each term gave in each split; the last row is their sum."""
    found = {split: terms for split in SPLITS if (terms := view.terms(candidate.number, split)) is not None}
    if candidate.error:  # its reward is the same wherever it is asked for
        found = {"train": found["train"]}
    if not found:
        st.text("It was not run yet.")
        return
    names = sorted({name for terms in found.values() for name in terms})
    rows: dict[str, list[str]] = {name: [number(terms.get(name), 3) for terms in found.values()] for name in names}
    rows["Reward"] = [number(sum(terms.values()), 3) for terms in found.values()]
    columns = ["any split"] if candidate.error else [SPLIT_WORDS[split] for split in found]
    st.table({"Term": list(rows), **{c: [row[i] for row in rows.values()] for i, c in enumerate(columns)}})
    st.caption("Means over the tasks that it was run on. The score is what the suite gives; the rest are weights.")
