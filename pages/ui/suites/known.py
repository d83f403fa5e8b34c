"""The suites there are, and what is known of each: read once, as a saved suite may hold many rows."""

from __future__ import annotations

import streamlit as st

from autoflow.records import is_id
from autoflow.study import SuiteSpec
from autoflow.suites.registry import suite_names
from pages.ui import services
from pages.ui.plain import cut

SHOWN = 50  # saved suites, the latest ones
ABOUT = {
    "openagi-plan": "185 tasks that ask for a plan of expert models; the plan is scored, no model of it is run.",
    "reasoning": "Puzzles that are made by seed, each scored by its own verifier.",
}
LIMITS = {"openagi-plan": 185, "reasoning": 2000}  # tasks in all splits together


def names() -> dict[str, str]:
    """Key -> how it is called: built-in ones first, then saved ones by id."""
    saved = services.store().suite_names(SHOWN)
    return {name: name for name in suite_names()} | {key: cut(name, 60) or key for key, name in saved.items()}


def key_of(spec: SuiteSpec) -> str:
    """The key under which `names` has the suite of a spec."""
    return str(spec.options.get("suite", "")) if spec.name == "table" else spec.name


def rows_of(key: str) -> int:
    """Tasks that a suite has for all splits together. Raises NotFound, SettingsError."""
    return _rows(key) if is_id(key, "su") else LIMITS[key]


@st.cache_data(max_entries=100, ttl=60, show_spinner=False)
def _rows(suite_id: str) -> int:
    return len(services.store().get_suite(suite_id).body["rows"])
