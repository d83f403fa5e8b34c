"""Workflows from and to files: CoRE text, JSON, Mermaid, Graphviz."""

from __future__ import annotations

import json
import re

import streamlit as st

from autoflow.errors import AutoFlowError, SettingsError
from autoflow.lang import parse
from autoflow.lang.export import to_dot, to_mermaid
from autoflow.lang.extract import extract
from autoflow.lang.jsonform import to_json
from pages.ui.plain import beginning
from pages.ui.write import draft
from pages.ui.write.draft import Draft

SUFFIXES = ["core", "txt", "json"]
MAX_BYTES = 5_000_000
FORMATS = {"CoRE": "core", "JSON": "json", "Mermaid": "mmd", "Graphviz": "dot"}


def text_of(data: bytes, filename: str) -> str:
    """The CoRE text in a file that a person gave.

    Raises SettingsError: it is too large, no text, or no workflow can be found in it.
    """
    if len(data) > MAX_BYTES:
        raise SettingsError(f"`{filename}` has {len(data):,} bytes; a workflow may have {MAX_BYTES:,}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"`{filename}` is no text in UTF-8 (byte {error.start + 1:,} is none).",
            "A workflow is a text file: .core, .txt or .json.",
        ) from error
    if "\0" in text:
        raise SettingsError(f"`{filename}` is a binary file.", "A workflow is a text file: .core, .txt or .json.")
    if parse(text).workflow.steps:
        return text
    found = extract(text)
    if not found.workflow.steps:
        raise SettingsError(
            f"There is no workflow in `{filename}`.",
            "A step is a line such as `Name:::process:::What to do:::next::Name`.",
        )
    return found.text


@st.dialog("Open a file")
def open_dialog(shown: Draft) -> None:
    """Replace the draft by the text of a file; undo brings the old one back."""
    st.text("The file's text becomes the draft. Undo brings the present text back.")
    file = st.file_uploader("Workflow (.core, .txt or .json)", type=SUFFIXES, key="open-file")
    if file is None:
        return
    try:
        text = text_of(file.getvalue(), file.name)
    except AutoFlowError as error:
        st.text(str(error))
        return
    draft.save(shown.id, text)
    st.rerun()


@st.dialog("Download")
def download_dialog(shown: Draft) -> None:
    kind = st.segmented_control("Format", list(FORMATS), default="CoRE", required=True, key="download-format")
    text = _as(str(kind), shown)
    name = re.sub(r"[^\w-]+", "-", shown.record.name).strip("-").lower() or "workflow"
    st.download_button(
        "Download", text, file_name=f"{name}.{FORMATS[str(kind)]}", icon=":material/download:", type="primary",
        on_click="ignore",
    )  # fmt: skip
    st.code(beginning(text), language=None, wrap_lines=True)


def _as(kind: str, shown: Draft) -> str:
    if kind == "JSON":
        return json.dumps(to_json(shown.workflow), ensure_ascii=False, indent=2) + "\n"
    if kind == "Mermaid":
        return to_mermaid(shown.workflow)
    return to_dot(shown.workflow) if kind == "Graphviz" else shown.record.text
