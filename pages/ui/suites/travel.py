"""Where the user's copy of TravelPlanner is: the folder of its database, and the file of its queries."""

from __future__ import annotations

import streamlit as st

from autoflow.records import Json
from autoflow.study import SuiteSpec

_LABELS = {
    "data": ("Folder of the database", "As on the machine that AutoFlow runs on: the benchmark's folder `database`."),
    "queries": ("File of the queries", "CSV, JSON lines or a JSON list; the benchmark's train or validation queries."),
}


def choose(key: str, default: SuiteSpec | None) -> Json | None:
    """Two fields; the options of the suite, or None while one is empty, which is said in place.

    Raises SettingsError: what they name cannot be used.
    """
    with st.container(horizontal=True):
        options = {name: _field(key, name, default) for name in _LABELS}
    if not all(options.values()):
        st.text("The benchmark does not come with AutoFlow: say where your copy of it is.")
        return None
    count = _looked_at(options["data"], options["queries"])
    st.caption(f"{count:,} queries. Splits that ask for more share them.")
    return dict(options)


def _field(key: str, name: str, default: SuiteSpec | None) -> str:
    label, words = _LABELS[name]
    given = str(default.options.get(name, "")) if default else ""
    return st.text_input(
        label, given, help=words, max_chars=1_000, key=f"{key}-travel-{name}", persist_state="session"
    ).strip()  # fmt: skip


@st.cache_data(max_entries=20, ttl=60, show_spinner="Looking at the database …")
def _looked_at(data: str, queries: str) -> int:
    """How many queries there are. Raises SettingsError: folder or file cannot be used."""
    from autoflow.suites.travelplanner import open_travelplanner

    options = {"data": data, "queries": queries}
    return open_travelplanner(SuiteSpec(name="travelplanner", options=options, train=0, val=0, test=0)).count
