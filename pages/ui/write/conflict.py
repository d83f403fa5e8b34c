"""A text that could not be saved: nothing is lost, and the person decides."""

from __future__ import annotations

from difflib import unified_diff

import streamlit as st

from pages.ui import services
from pages.ui.plain import beginning
from pages.ui.write import draft
from pages.ui.write.draft import Draft, Unsaved


def panel(shown: Draft) -> None:
    """Both texts side by side with what differs; or, where the store could not be written, the text to rescue."""
    kept = draft.unsaved(shown.id)
    if kept is None:
        return
    with st.container(border=True, key="write-conflict"):
        if kept.conflict:
            _conflict(shown, kept)
        else:
            _failure(kept)


def _conflict(shown: Draft, kept: Unsaved) -> None:
    st.markdown(":material/call_split: **This workflow was saved in another tab meanwhile**")
    st.text("Your change is kept here, and theirs is the draft. Choose one, or keep both.")
    with st.container(horizontal=True):
        st.button("Use mine", type="primary", key="conflict-mine", on_click=_use_mine, args=(shown.id, kept.text))
        st.button("Use theirs", key="conflict-theirs", on_click=draft.forget_unsaved)
        st.button("Keep mine as another workflow", key="conflict-both", on_click=_keep_both, args=(shown, kept.text))
    changes, mine, theirs = st.tabs(["What differs", "Mine", "Theirs"])
    changes.code(beginning(difference(shown.record.text, kept.text)), language="diff", wrap_lines=True)
    mine.code(beginning(kept.text), language=None, wrap_lines=True)
    theirs.code(beginning(shown.record.text), language=None, wrap_lines=True)


def _failure(kept: Unsaved) -> None:
    st.markdown(":material/error: **Your change could not be saved**")
    st.text(kept.message)
    with st.container(horizontal=True):
        st.button(
            "Try again", type="primary", key="unsaved-again", on_click=_use_mine, args=(kept.workflow_id, kept.text)
        )
        st.download_button("Download my text", kept.text, file_name="unsaved.core", on_click="ignore")
        st.button("Drop it", key="unsaved-drop", on_click=draft.forget_unsaved)
    st.code(kept.text, language=None, wrap_lines=True)


def _use_mine(workflow_id: str, text: str) -> None:
    draft.forget_unsaved()
    draft.save(workflow_id, text)


def _keep_both(shown: Draft, text: str) -> None:
    record = services.store().create_workflow(
        f"{shown.record.name} (mine)", text, task=shown.record.task, origin="edited"
    )
    draft.forget_unsaved()
    st.query_params["workflow"] = record.id


def difference(old: str, new: str, before: str = "theirs", after: str = "mine") -> str:
    """Lines taken away and added, as in a patch; a sentence where nothing differs."""
    lines = list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]
    if not lines:
        return "Nothing differs."
    return "\n".join([f"- {before}", f"+ {after}", *("…" if line.startswith("@@ ") else line for line in lines)])
