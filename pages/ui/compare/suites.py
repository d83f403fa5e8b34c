"""Which suites can be chosen, each under a key that an address can hold."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import is_id
from autoflow.study import SuiteSpec
from pages.ui import services
from pages.ui.plain import cut

BUILT_IN = "openagi-plan"
STUDIES = 50  # the latest ones, whose suites are offered


def spec_of(key: str) -> SuiteSpec | None:
    """The suite that a key means: a built-in one, or that of a study (`st_...`). None: it means none."""
    if key == BUILT_IN:
        return SuiteSpec(name=BUILT_IN)
    try:
        return services.store().get_study(key).spec.suite if is_id(key, "st") else None
    except AutoFlowError:
        return None


def key_of(spec: SuiteSpec) -> str | None:
    """The key of a suite among those that are offered."""
    return next((key for key, (known, _) in offered().items() if known == spec), None)


@st.cache_data(ttl=3, show_spinner=False)
def offered() -> dict[str, tuple[SuiteSpec, str]]:
    """Key -> suite and how it is called: what is built in, then what studies used, each once."""
    found = {BUILT_IN: (SuiteSpec(name=BUILT_IN), BUILT_IN)}
    for study in services.store().list_studies(STUDIES):
        if all(study.spec.suite != spec for spec, _ in found.values()):
            found[study.id] = (study.spec.suite, f"{study.spec.suite.name}, as in {cut(study.name, 40)}")
    return found
