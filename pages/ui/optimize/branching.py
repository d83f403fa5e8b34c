"""A study of its own that goes on from a candidate, with its text as a person changed it."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.lang import has_errors
from autoflow.optimize.start import start_study
from autoflow.optimize.view import StudyView
from autoflow.study import Candidate
from pages.ui import services
from pages.ui.optimize import state
from pages.ui.plain import cut
from pages.ui.write import draft

NAME_CHARACTERS = 200


def draw(view: StudyView, candidate: Candidate) -> None:
    """Below the candidate; the new study has the same suite, models and reward."""
    study = view.study
    with st.expander("Branch from here", icon=":material/call_split:", key="branch"):
        st.text(
            "Change the text as you like. A new study begins with it, on the same tasks, with the same models; "
            "this one stays as it is."
        )
        scope = f"{study.id}-{candidate.number}"
        text = st.text_area("Text of the first candidate", candidate.text, key=f"branch-text-{scope}", height=260)
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        name = left.text_input(
            "Name of the new study", f"{cut(study.name, 150)}, from candidate {candidate.number}",
            key=f"branch-name-{scope}", max_chars=NAME_CHARACTERS,
        )  # fmt: skip
        rounds = right.number_input("Rounds", 1, 1000, max(1, study.spec.budget.max_rounds), key="branch-rounds")
        read = draft.read(text)
        if has_errors(read.diagnostics):
            st.text(f"This text cannot run yet. The first error: {read.errors[0].message}")
        if st.button(
            "Start the study", type="primary", icon=":material/play_arrow:", key="branch-start",
            disabled=has_errors(read.diagnostics),
        ):  # fmt: skip
            _start(view, text, " ".join(name.split()), int(rounds))


def _start(view: StudyView, text: str, name: str, rounds: int) -> None:
    """Make it, queue its search, and open it. Does not return, unless it cannot be."""
    study = view.study
    budget = study.spec.budget.model_copy(update={"max_rounds": rounds})
    spec = study.spec.model_copy(update={"budget": budget})
    try:
        made = start_study(
            services.store(), name or study.name, spec, workflow_id=study.workflow_id, parent_id=study.id, given=[text]
        )
        state.start(made)
    except AutoFlowError as error:
        services.show_error(error)
        return
    services.go("optimize", study=made.id)
