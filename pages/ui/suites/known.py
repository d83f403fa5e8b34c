"""The suites there are, and what is known of each: read once, as a saved suite may hold many rows."""

from __future__ import annotations

import streamlit as st

from autoflow.records import is_id
from autoflow.study import SavedSuite, SuiteSpec
from autoflow.suites.registry import TABLE, describe, suite_names
from pages.ui import services
from pages.ui.plain import cut, plain

SHOWN = 50  # saved suites, the latest ones
LIMITS = {"openagi-plan": 185, "openagi": 185, "reasoning": 2000}  # tasks in all splits together


def names() -> dict[str, str]:
    """Key -> how it is called: built-in ones first, then saved ones by id."""
    saved = services.store().suite_names(SHOWN)
    return {name: name for name in suite_names()} | {key: cut(name, 60) or key for key, name in saved.items()}


def key_of(spec: SuiteSpec) -> str:
    """The key under which `names` has the suite of a spec."""
    return str(spec.options.get("suite", "")) if spec.name == TABLE else spec.name


def rows_of(key: str) -> int:
    """Tasks that a suite has for all splits together. Raises NotFound, SettingsError."""
    return len(saved(key).body.get("rows", ())) if is_id(key, "su") else LIMITS[key]


@st.cache_resource(max_entries=20, ttl=60, show_spinner=False)
def saved(suite_id: str) -> SavedSuite:
    """A saved suite. Raises NotFound."""
    return services.store().get_suite(suite_id)


@st.cache_data(max_entries=100, ttl=60, show_spinner=False, hash_funcs={SuiteSpec: SuiteSpec.model_dump_json})
def about(spec: SuiteSpec) -> str:
    """What the suite is, in a sentence."""
    return describe(spec, saved)


def forget() -> None:
    """After a suite was saved or deleted."""
    saved.clear()
    about.clear()


def take(key: str, suite: SavedSuite, words: str) -> None:
    """Choose a suite that was just saved, and say so beneath the choice. For callbacks."""
    forget()
    st.session_state[f"{key}-suite"] = suite.id
    st.session_state[f"{key}-said"] = words


def tell(key: str) -> None:
    """What `take` has to say, once."""
    words = st.session_state.pop(f"{key}-said", "")
    if words:
        st.markdown(f":material/check: {plain(words, 300)}")


@st.cache_data(show_spinner="Looking which puzzles there are …")
def puzzles() -> dict[str, str]:
    """Generators of puzzles -> their topic."""
    from autoflow.suites.reasoning import generators

    return {found.name: found.topic for found in generators()}
