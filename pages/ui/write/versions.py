"""Versions: texts that were kept. Each can be read, compared with the draft, and made the draft again."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.lang import parse
from autoflow.lang.diff import diff, render
from autoflow.records import Version
from pages.ui import services
from pages.ui.format import ago
from pages.ui.plain import beginning, cut
from pages.ui.write import draft
from pages.ui.write.conflict import difference
from pages.ui.write.draft import Draft

ORIGINS = {
    "manual": "written by hand", "generated": "written by a model", "edited": "edited", "example": "from an example",
    "imported": "from a file",
}  # fmt: skip


@st.dialog("Versions", width="large")
def dialog(shown: Draft) -> None:
    """All versions, latest first; what the chosen one says, and how the draft differs from it."""
    store = services.store()
    kept = store.list_versions(shown.id)
    latest = kept[0] if kept else None
    _keep(shown, latest)
    _refused(shown)
    if latest is None:
        st.text("No version yet. Keep the draft as the first one, and you can always come back to it.")
        return
    numbers = [v.number for v in kept]
    number = st.selectbox("Version", numbers, format_func=lambda n: words(kept[numbers.index(n)]), key="version-shown")
    version = kept[numbers.index(number)]
    steps, lines, text = st.tabs(["How the draft differs, step by step", "Line by line", "Its text"])
    steps.code(beginning(_by_step(version.text, shown.record.text)), language=None, wrap_lines=True)
    changed = difference(version.text, shown.record.text, f"v{version.number}", "draft")
    lines.code(beginning(changed), language="diff", wrap_lines=True)
    text.code(beginning(version.text), language=None, wrap_lines=True)
    same = version.text == shown.record.text
    if st.button(f"Make v{version.number} the draft", icon=":material/restore:", disabled=same, key="version-restore"):
        draft.save(shown.id, version.text)
        st.rerun()


def _by_step(old: str, new: str) -> str:
    """Steps added, removed, renamed, moved, and changed field by field."""
    found = diff(parse(old).workflow, parse(new).workflow)
    return "No step differs." if found.empty else render(found)


def _refused(shown: Draft) -> None:
    """Texts that came too late because another tab had saved: kept, so that nothing typed is lost."""
    edits = services.store().list_edits(shown.id, refused=True)
    if not edits:
        return
    with st.expander(f"Texts that another tab was faster than ({len(edits)})"):
        number = st.selectbox(
            "Text", range(len(edits)), format_func=lambda i: f"typed {ago(edits[i].at)}", key="refused-shown"
        )
        st.code(beginning(edits[number].added), language=None, wrap_lines=True)
        if st.button("Make it the draft", key="refused-use"):
            draft.save(shown.id, edits[number].added)
            st.rerun()


def words(version: Version) -> str:
    """`v3, written by a model (embedded:qwen...), 5 min ago`."""
    by = f" ({version.model})" if version.model else ""
    note = f", {cut(version.note, 60)}" if version.note else ""
    return f"v{version.number}, {ORIGINS[version.origin]}{by}, {ago(version.created_at)}{note}"


def _keep(shown: Draft, latest: Version | None) -> None:
    if latest is not None and latest.text == shown.record.text:
        st.caption(f"The draft is v{latest.number}, unchanged.")
        return
    number = latest.number + 1 if latest else 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        note = st.text_input("Note", key="version-note", placeholder="what changed (optional)", max_chars=200)
        label = f"Keep the draft as v{number}"
        if st.button(label, type="primary", icon=":material/bookmark_add:", key="version-keep"):
            try:
                services.store().save_version(shown.id, origin="edited", note=note)
            except AutoFlowError as error:
                draft.notice(str(error))
            st.rerun()
