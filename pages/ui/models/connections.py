"""Endpoints that speak OpenAI's protocol: presets, keys by name, and a test."""

from __future__ import annotations

import time

import streamlit as st
from pydantic import ValidationError

from autoflow.errors import AutoFlowError, SettingsError
from autoflow.llm.addresses import check_base_url, check_key_name, is_local
from autoflow.records import Connection
from autoflow.settings import save_secret, secret
from pages.ui import services
from pages.ui.models.testing import last_result, test_button
from pages.ui.plain import cut

# name -> address, variable of the key (None: the server asks for none)
PRESETS: dict[str, tuple[str, str | None]] = {
    "OpenAI": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "Claude": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "Gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "Ollama": ("http://localhost:11434/v1", None),
    "vLLM": ("http://localhost:8000/v1", None),
    "LM Studio": ("http://localhost:1234/v1", None),
    "Another": ("", "MY_API_KEY"),
}


def draw() -> None:
    saved = services.store().list_connections()
    if not saved:
        st.info(
            "No connection yet: add one for a model behind a key, or a server of yours.",
            icon=":material/link:",
        )
    for connection in saved:
        _card(connection)
    _form()


@st.fragment(run_every=1.0)
def _card(connection: Connection) -> None:
    name = services.connection_model(connection)
    with st.container(border=True, key=f"connection-{connection.name}"):
        head, action = st.columns([5, 2], vertical_alignment="center")
        with head, st.container(gap="xsmall"):
            st.text(name)
            where = connection.base_url or connection.path or ""
            st.text(cut(f"{connection.model or connection.name} at {where}", 200))
            st.text(_key_words(connection))
        with action, st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
            test_button(name)
            with st.popover("Remove", type="tertiary"):
                st.text("The connection goes; its key stays where it is.")
                st.button("Remove it", key=f"drop-{connection.name}", on_click=_remove, args=(connection.name,))
        last_result(name)


def _key_words(connection: Connection) -> str:
    if not connection.key_env:
        return "needs no key"
    found = secret(connection.key_env) is not None
    return f"key in {connection.key_env}: {'found' if found else 'missing'}"


@services.said
def _remove(name: str) -> None:
    services.store().delete_connection(name)
    services.model_names.clear()


def _form() -> None:
    st.header("Add a connection")
    preset = st.segmented_control("Kind of server", list(PRESETS), default="OpenAI", key="preset") or "OpenAI"
    address, variable = PRESETS[preset]
    saves = st.session_state.setdefault("connections-saved", 0)  # a saved form is replaced by a fresh one: no key stays
    with st.form(f"connection-{preset}-{saves}", border=True):
        left, right = st.columns(2)
        model = left.text_input("Model, as the server names it", placeholder="gpt-5-mini")
        name = right.text_input("Your name for it", placeholder="the same as the model", help="Letters, digits, . _ -")
        url = st.text_input("Address", value=address, placeholder="https://host/v1")
        key_name = left.text_input("Variable that holds the key", value=variable or "", placeholder="none needed")
        key = right.text_input(
            "Key, if it is not set yet", type="password", autocomplete="off",
            help="Kept in the secrets file of the data folder, readable by you alone; never shown again.",
        )  # fmt: skip
        if st.form_submit_button("Save the connection", type="primary"):
            _save(model.strip(), name.strip() or model.strip(), url, key_name.strip(), key)


def _save(model: str, name: str, url: str, key_name: str, key: str) -> None:
    """Check what was typed, keep it, and say what is wrong with it otherwise."""
    try:
        if not model:
            raise SettingsError("Which model is it?", "Write its name as the server does, such as gpt-5-mini.")
        base_url = check_base_url(url)
        key_env = check_key_name(key_name) if key_name else None
        if key and not key_env:
            raise SettingsError("A key needs the name of a variable to be kept under.", "Such as MY_API_KEY.")
        if key_env and base_url.startswith("http://") and not is_local(base_url):
            raise SettingsError(f"{base_url} is not encrypted: the key could be read on its way.", "Use https.")
        connection = Connection(
            name=_plain(name), kind="openai", model=model, base_url=base_url, key_env=key_env, created_at=time.time()
        )
        if key and key_env:
            save_secret(key_env, key)
        services.store().save_connection(connection)
    except ValidationError:
        services.show_error(SettingsError(f"`{name}` cannot be a name.", "Letters, digits, dot, dash and underscore."))
    except AutoFlowError as error:
        services.show_error(error)
    else:
        services.model_names.clear()
        st.session_state["connections-saved"] += 1
        st.toast(f"openai:{connection.name} was saved.")
        st.rerun()


def _plain(name: str) -> str:
    """A name that fits into `openai:NAME`: what else a model's own name holds becomes a dash."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip("-._")[:64]
