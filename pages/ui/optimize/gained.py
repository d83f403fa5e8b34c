"""What a training was good for: the model that it made, and what that writes beside what the base model writes."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.lora import model_of
from autoflow.optimize.lora_compare import Gain, Side, gain
from autoflow.optimize.view import StudyView
from autoflow.report.figures import number, percent
from pages.ui import services
from pages.ui.format import plural


def draw(view: StudyView) -> None:
    """Nothing before there is a model or a comparison, and of a study that trains nothing."""
    if view.study.spec.method != "lora":
        return
    model = None if view.study.recorded else model_of(view.study.spec, view.study.id)
    found = gain(view)
    if model is None and found is None:
        return
    with st.container(border=True, key="study-trained"):
        st.header("The trained model")
        if model is not None:
            _model(model)
        if found is not None:
            _compared(found)


def _model(model: str) -> None:
    """Its name, to be copied, and where it is at hand."""
    st.code(model, language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("It stands among the models wherever one is chosen.", width="stretch")
        st.page_link(services.PAGES["models"], label="Open Models", icon=":material/memory:")


def _compared(found: Gain) -> None:
    st.text(in_words(found))
    sides = (("The base", found.base), ("The trained model", found.trained))
    st.table(
        {
            "Written by": [name for name, _ in sides],
            "Workflows": [plural(side.samples, "workflow") for _, side in sides],
            "Without errors": [percent(side.runnable) for _, side in sides],
            "Test": [number(side.score.mean) for _, side in sides],
            "95 % interval": [_interval(side) for _, side in sides],
        },
        border="horizontal",
    )
    st.caption("Each was asked for so many workflows, after the training; one that cannot run scores 0.")


def in_words(found: Gain) -> str:
    """What may be said of both, in one sentence."""
    d = found.difference.difference
    interval = f"95 % interval of the difference {number(d.low)} to {number(d.high)}"
    if not found.sure:
        return f"On the sealed test no gain over its base can be told: {interval}."
    return f"On the sealed test its workflows score {number(d.mean)} more than those of its base ({interval})."


def _interval(side: Side) -> str:
    return f"{number(side.score.low)} to {number(side.score.high)}"
