"""What a person should know before they trust the study, each with examples to read."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.view import StudyView
from autoflow.optimize.warnings import Example, StudyWarning, WarningKind, warnings
from pages.ui import services
from pages.ui.optimize import tasks
from pages.ui.plain import beginning, plain

HEADS: dict[WarningKind, str] = {
    "overfit": "Validation far above test",
    "shrinking": "Reward up, answers shorter",
    "no-gain": "No gain for some rounds",
    "untaught": "No gain from the training",
    "judge": "Judge and people disagree",
}


def draw(view: StudyView) -> None:
    """Nothing where there is nothing to say."""
    found = warnings(view, services.store().ratings(view.study.id))
    if not found:
        return
    with st.container(border=True, key="study-warnings", gap="small"):
        for one in found:
            _warning(view, one)


def _warning(view: StudyView, one: StudyWarning) -> None:
    st.markdown(f":material/warning: **{HEADS[one.kind]}**")
    st.text(one.message)
    if one.examples:
        with st.expander("Read examples", icon=":material/visibility:", key=f"warning-{one.kind}"):
            for number, example in enumerate(one.examples):
                if number:
                    st.divider()
                _example(view, example)


def _example(view: StudyView, example: Example) -> None:
    st.text(tasks.words(tasks.tasks_of(view.study), example.task, 300))
    sides = zip(st.columns(2, gap="medium"), example.names, (example.before, example.after), strict=True)
    for column, name, text in sides:
        with column:
            st.caption(plain(name[:1].upper() + name[1:]))
            st.code(beginning(text), language=None, wrap_lines=True)
