"""Adapters on this machine: what each is and came from, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import SettingsError
from autoflow.llm.local.choices import embedded_name
from autoflow.llm.local.export import remove_exports
from autoflow.llm.local.names import ADAPTER_NAME
from autoflow.llm.local.shelf import Adapter, list_adapters, remove_adapter, rename_adapter, set_base
from pages.ui import services
from pages.ui.format import ago, size
from pages.ui.models import exporting
from pages.ui.models.testing import last_result, test_button
from pages.ui.plain import cut, plain

REFRESH_S = 2.0


@st.fragment(run_every=REFRESH_S)
def draw() -> None:
    """One card an adapter, damaged ones included."""
    found = list_adapters()
    if not found:
        st.info(
            "No adapter yet. A study with the method lora trains one on a local model; one that was trained elsewhere "
            "is put into the folder of adapters, as peft writes it.",
            icon=":material/tune:",
        )
    jobs = exporting.latest()
    for adapter in found:
        _card(adapter, jobs)


def _card(adapter: Adapter, jobs: exporting.Jobs) -> None:
    with st.container(border=True, key=f"adapter-{adapter.name}"):
        head, action = st.columns([5, 2], vertical_alignment="center", gap="medium")
        with head, st.container(gap="xsmall"):
            st.markdown(f"**{plain(adapter.name)}**")
            st.text(cut(_names(adapter), 300))
            if adapter.origin.study_name or adapter.origin.study:
                st.text(_from(adapter))
            if adapter.whole:
                st.caption(plain(" · ".join(filter(None, (size(adapter.size), _kind(adapter), _made(adapter)))), 200))
            if adapter.problem:
                st.markdown(f":material/warning: {plain(adapter.problem, 400)}")
        with action, st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
            _actions(adapter, jobs)
        if adapter.whole:
            exporting.results(adapter, jobs)
        if adapter.model:
            last_result(adapter.model)


def _names(adapter: Adapter) -> str:
    """How it is chosen: by transformers, and by llama.cpp where that can."""
    if not adapter.model:
        return f"trained on {adapter.origin.base or 'a base that nothing names'}"
    return " or ".join(filter(None, (adapter.model, embedded_name(adapter))))


def _kind(adapter: Adapter) -> str:
    if not adapter.rank:
        return ""
    return cut(f"LoRA of rank {adapter.rank} on {', '.join(adapter.targets)}", 100)


def _made(adapter: Adapter) -> str:
    return ago(adapter.origin.created_at) if adapter.origin.created_at else ""


def _from(adapter: Adapter) -> str:
    """`From the study Refunds, step 12, mean reward 0.41`."""
    origin = adapter.origin
    step = f", after step {origin.step}" if origin.step is not None else ""
    reward = f", mean reward {origin.reward:.2f}" if origin.reward is not None else ""
    return f"From the study {cut(origin.study_name or origin.study, 80)}{step}{reward}"


def _actions(adapter: Adapter, jobs: exporting.Jobs) -> None:
    if adapter.model:
        test_button(adapter.model)
        if st.button("Write with it", icon=":material/edit_note:", key=f"write-{adapter.name}"):
            st.session_state["home-model"] = embedded_name(adapter) or adapter.model
            services.go("home")
    if adapter.whole:
        exporting.menu(adapter, jobs)
    with st.popover("More", type="tertiary"):
        _study(adapter)
        if adapter.whole and not adapter.base:
            _base(adapter)
        if ADAPTER_NAME.fullmatch(adapter.name):
            _rename(adapter)
        st.text(
            f"Removing it frees {size(adapter.size)}, and what was written of it for download. Nothing brings it back."
        )
        st.button("Remove the adapter", key=f"drop-adapter-{adapter.name}", on_click=_remove, args=(adapter.name,))


def _study(adapter: Adapter) -> None:
    if not adapter.origin.study:
        return
    st.page_link(
        services.PAGES["optimize"], label="Open its study", icon=":material/open_in_new:",
        query_params={"study": adapter.origin.study},
    )  # fmt: skip


def _base(adapter: Adapter) -> None:
    """Say which model it was trained on, where nothing in it does."""
    key = f"base-{adapter.name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("It was trained on", services.local_bases(), key=key, index=None, accept_new_options=True)
        st.button("Keep that", key=f"{key}-do", on_click=_based, args=(adapter.name, key))


@services.said
def _based(name: str, key: str) -> None:
    chosen = st.session_state[key]
    if not chosen:
        raise SettingsError("No base was chosen.", "Choose a model, or write its name as local:NAME.")
    set_base(name, str(chosen))
    services.model_names.clear()


def _rename(adapter: Adapter) -> None:
    key = f"rename-{adapter.name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Name", adapter.name, key=key, max_chars=64, help="What names it by the old one no longer finds it."
        )
        st.button("Rename", key=f"{key}-do", on_click=_renamed, args=(adapter.name, key))


@services.said
def _renamed(name: str, key: str) -> None:
    new = str(st.session_state[key]).strip()
    if new == name:
        raise SettingsError(f"{name} is its name already.", "Write another, then press Rename.")
    rename_adapter(name, new)
    remove_exports(name)
    services.model_names.clear()


@services.said
def _remove(name: str) -> None:
    remove_adapter(name)
    remove_exports(name)
    services.model_names.clear()
    st.toast(f"{name} was removed.")
