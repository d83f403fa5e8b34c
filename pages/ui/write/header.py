"""The line above the workflow: its name, how it stands, and what can be done with the whole of it."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from pages.ui import services
from pages.ui.format import ago, plural
from pages.ui.write import draft, fields, files, prompts, versions
from pages.ui.write.draft import Draft

REFRESH_S = 5.0
MORE = ("Download the text", "Open a file", "Prompts", "Find a better one", "Delete")


def draw(shown: Draft, busy: bool) -> None:
    """`busy`: a model is writing."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="write-header"):
        _name(shown)
        with st.container(width="stretch"):
            _state(shown.id, shown.record.revision, _version_words(shown), "writing" if busy else _standing(shown))
        _buttons(shown)


def _name(shown: Draft) -> None:
    key = fields.key_of("name", shown.id, shown.record.name)
    st.text_input(
        "Name of the workflow", shown.record.name, key=key, label_visibility="collapsed", width=250, max_chars=200,
        on_change=_rename, args=(shown.id, key),
    )  # fmt: skip
    fields.late(key, shown.record.name, _rename, shown.id)


def _rename(workflow_id: str, key: str) -> None:
    name = " ".join(str(st.session_state[key]).split())
    if not name:
        draft.notice("A workflow needs a name; it keeps the one it had.")
        return
    try:
        services.store().rename_workflow(workflow_id, name)
    except AutoFlowError as error:
        draft.notice(str(error))


def _standing(shown: Draft) -> str:
    if not shown.record.text.strip():
        return "no steps yet"
    return plural(len(shown.diagnostics), "problem") if shown.diagnostics else "no problems"


def _version_words(shown: Draft) -> str:
    record = shown.record
    if not record.version:
        return "no version yet"
    same = services.store().get_version(record.id, record.version).text == record.text
    return f"v{record.version}" if same else f"v{record.version}, edited"


@st.fragment(run_every=REFRESH_S)
def _state(workflow_id: str, revision: int, version: str, standing: str) -> None:
    """`v7 · saved 3 s ago · 2 problems`; says so as soon as another tab saves."""
    record = services.store().get_workflow(workflow_id)
    st.caption(f"{version} · saved {ago(record.updated_at)} · {standing}")
    if record.revision != revision:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(":material/sync: Changed in another tab.")
            if st.button("Show it", type="tertiary", key="show-newer"):
                st.rerun()


def _buttons(shown: Draft) -> None:
    record = shown.record
    st.button(
        "Undo", icon=":material/undo:", type="tertiary", key="undo", disabled=not record.can_undo,
        on_click=draft.step_back, args=(shown.id,),
    )  # fmt: skip
    st.button(
        "Redo", icon=":material/redo:", type="tertiary", key="redo", disabled=not record.can_redo,
        on_click=draft.step_back, args=(shown.id,), kwargs={"forward": True},
    )  # fmt: skip
    if st.button("Versions", icon=":material/history:", type="tertiary", key="versions"):
        versions.dialog(shown)
    _more(shown)
    if st.button("Run", icon=":material/play_arrow:", type="primary", key="run"):
        services.go("run", workflow=shown.id)


def _more(shown: Draft) -> None:
    picked = st.menu_button("More", MORE, icon=":material/more_horiz:", type="tertiary", key="more")
    if picked == MORE[0]:
        files.download_dialog(shown)
    elif picked == MORE[1]:
        files.open_dialog(shown)
    elif picked == MORE[2]:
        prompts.dialog()
    elif picked == MORE[3]:
        services.go("optimize", workflow=shown.id)
    elif picked == MORE[4]:
        services.store().delete_workflow(shown.id)
        st.session_state["home-deleted"] = (shown.id, shown.record.name)
        services.go("home")
