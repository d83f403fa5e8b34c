"""The tasks of a search, as they are chosen here: kept in the address, so that a reload finds them."""

from __future__ import annotations

import json

import streamlit as st

from autoflow.records import is_id
from autoflow.study import SPLITS, SuiteSpec
from autoflow.suites.registry import TABLE, describe, scorer_of, suite_names, title_of
from pages.ui import services, suites
from pages.ui.suites import known

KEY = "search-tasks"
_LONGEST = 2_000  # characters of a suite's options in the address
_FIRST = "search-tasks-first"  # what the address said when this tab was opened


def choose() -> SuiteSpec | None:
    """As `pages.ui.suites.choose`, beginning with what the address names."""
    if _FIRST not in st.session_state:
        st.session_state[_FIRST] = _named()
    chosen = suites.choose(KEY, default=st.session_state[_FIRST])
    if chosen is not None:
        _remember(chosen)
    return chosen


def _named() -> SuiteSpec | None:
    query = st.query_params
    name = query.get("tasks", "")
    saved = is_id(name, "su")
    if not saved and name not in suite_names():
        return None
    values = {split: query.get(f"tasks-{split}", "") for split in (*SPLITS, "seed")}
    numbers = {key: int(value) for key, value in values.items() if value.isdecimal() and len(value) < 10}
    try:
        options = {"suite": name} if saved else json.loads(query.get("tasks-options", "{}")[:_LONGEST])
        return SuiteSpec(name=TABLE if saved else name, options=options, **numbers)
    except (ValueError, RecursionError):  # pydantic's errors are ValueErrors as well
        return None


def _remember(chosen: SuiteSpec) -> None:
    found = {"tasks": known.key_of(chosen), "tasks-seed": str(chosen.seed)}
    found |= {f"tasks-{split}": str(size) for split, size in chosen.sizes.items()}
    if chosen.options and chosen.name != TABLE:
        found["tasks-options"] = json.dumps(chosen.options)
    else:
        st.query_params.pop("tasks-options", None)
    for key, value in found.items():
        if st.query_params.get(key) != value:
            st.query_params[key] = value


@st.cache_data(max_entries=100, show_spinner=False, hash_funcs={SuiteSpec: SuiteSpec.model_dump_json})
def needs_judge(chosen: SuiteSpec) -> bool:
    """Whether its answers are scored by a model. Raises NotFound, SettingsError: the suite is none any more."""
    kind = scorer_of(chosen, services.store().get_suite)
    return kind is not None and kind.needs_judge


@st.cache_data(max_entries=100, ttl=60, show_spinner=False, hash_funcs={SuiteSpec: SuiteSpec.model_dump_json})
def name_of(spec: SuiteSpec) -> str:
    """What the suite is called."""
    return title_of(spec, services.store().get_suite)


@st.cache_data(max_entries=100, ttl=60, show_spinner=False, hash_funcs={SuiteSpec: SuiteSpec.model_dump_json})
def about(spec: SuiteSpec) -> str:
    """What the suite is, and how much of it a model proposed."""
    return describe(spec, services.store().get_suite)
