"""The workflow as text: an editor that underlines problems and saves as you type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from autoflow.lang.diagnostics import Diagnostic
from pages.ui.components.assets import script, style

MARKED_LIMIT = 500  # problems underlined; the list beneath pages through all of them
_HTML = """
<div class="editor">
  <div class="side"></div>
  <div class="back" aria-hidden="true"></div>
  <textarea spellcheck="false" autocapitalize="off" autocomplete="off"></textarea>
</div>
"""
_component = st.components.v2.component("autoflow_textview", html=_HTML, css=style("textview"), js=script("textview"))


def text_editor(
    text: str,
    *,
    key: str,
    revision: int,
    diagnostics: Sequence[Diagnostic] = (),
    line: int | None = None,
    height: str = "52vh",
    on_save: Callable[[str, int], None] | None = None,
    on_line: Callable[[int], None] | None = None,
) -> None:
    """Show `text` for editing; without `on_save` for reading only.

    Args:
        revision: comes back with what is saved, so that a save on top of somebody else's is noticed.
        line: 1-based line to mark.
        on_save: gets the whole text and the revision it was made from, a moment after the last key or on leaving.
        on_line: gets the line that the person went to.
    """
    data = {
        "text": text,
        "revision": revision,
        "problems": [
            {"line": d.line, "column": d.column, "end": d.end_column, "severity": d.severity, "message": d.message}
            for d in diagnostics[:MARKED_LIMIT]
        ],
        "selected": [] if line is None else [line],
        "label": "Text of the workflow",
        "height": height,
        "readonly": on_save is None,
    }

    def save() -> None:
        saved = _news(key, "saved")
        if on_save and saved:
            on_save(str(saved["text"]), int(saved["revision"]))

    def go_to() -> None:
        went = _news(key, "went")
        if on_line and went:
            on_line(int(went["line"]))

    _component(data=data, key=key, on_saved_change=save, on_went_change=go_to)


def _news(key: str, name: str) -> dict[str, Any] | None:
    """What the browser said, once: a message that comes a second time is old."""
    said, heard = st.session_state[key][name], f"{key}-{name}-heard"
    if not said or said["at"] <= st.session_state.get(heard, 0):
        return None
    st.session_state[heard] = said["at"]
    return dict(said)
