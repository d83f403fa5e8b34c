"""The prompts that generating and running use: read in the app, and replaced by files of one's own."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.prompts import Prompt, list_prompts
from pages.ui import services

AREAS = {"generate": "Writing a workflow", "interpret": "Running a step", "metrics": "Judging an answer"}


@st.dialog("Prompts", width="large")
def dialog() -> None:
    """Every prompt file in force, with an editor that writes a file of the person's own."""
    found = list_prompts()
    names = [f"{AREAS[p.area]}: {p.name}{' (yours)' if p.replaced else ''}" for p in found]
    number = st.selectbox("Prompt", range(len(found)), format_func=lambda i: names[i], key="prompt-shown")
    prompt = found[number]
    if prompt.fault:
        st.text(prompt.fault)
    st.caption("Words in double braces are filled in. What you save here takes the place of the prompt that ships.")
    key = f"prompt-{prompt.area}-{prompt.name}-{prompt.replaced}{prompt.fault}"
    text = st.text_area("Text", value=prompt.text, key=key, height=380, label_visibility="collapsed")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Save as mine", type="primary", disabled=text == prompt.text and not prompt.fault, key="prompt-save"
        ):
            _write(prompt, text)
        if st.button("Back to the shipped one", disabled=not prompt.replaced, key="prompt-reset"):
            _reset(prompt)
    st.caption("Your file")
    st.code(str(prompt.replacement), language=None)


def _reset(prompt: Prompt) -> None:
    try:
        prompt.replacement.unlink(missing_ok=True)
    except OSError as error:
        services.show_error(AutoFlowError(f"{prompt.replacement} could not be removed: {error.strerror}."))
        return
    st.rerun(scope="fragment")


def _write(prompt: Prompt, text: str) -> None:
    missing = [name for name in prompt.placeholders if f"{{{{{name}}}}}" not in text.replace(" ", "")]
    try:
        prompt.replacement.parent.mkdir(parents=True, exist_ok=True)
        prompt.replacement.write_text(text, "utf-8")
    except OSError as error:
        services.show_error(AutoFlowError(f"{prompt.replacement} could not be written: {error.strerror}."))
        return
    if missing:
        st.toast(f"Saved. The model will no longer see: {', '.join(missing)}.", icon=":material/warning:")
    st.rerun(scope="fragment")
