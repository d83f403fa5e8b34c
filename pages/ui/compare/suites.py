"""Which suites can be chosen, each under a key that an address can hold, and how many tasks of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from autoflow.errors import AutoFlowError, SettingsError
from autoflow.records import is_id
from autoflow.report.sides import MANUAL_REF, OF_SUITE, Text, text_of_suite
from autoflow.study import SPLITS, SuiteSpec
from autoflow.suites.registry import NEEDS_OPTIONS, open_suite, scorer_of, suite_names, title_of
from autoflow.suites.sizes import fit_sizes
from pages.ui import services
from pages.ui.plain import cut
from pages.ui.suites import known

BUILT_IN = "openagi-plan"
STUDIES = 50  # the latest ones, whose suites are offered
NUMBERS = (*SPLITS, "seed")  # what an address says of a suite besides its key


def spec_of(key: str) -> SuiteSpec | None:
    """The suite that a key means: a built-in one, a saved one (`su_...`), that of a study (`st_...`). None: nothing."""
    try:
        if key in suite_names():
            return SuiteSpec(name=key)
        if is_id(key, "su"):
            return SuiteSpec(name="table", options={"suite": key}, **_fitted(known.rows_of(key)))
        return services.store().get_study(key).spec.suite if is_id(key, "st") else None
    except AutoFlowError:
        return None


def _fitted(rows: int) -> dict[str, int]:
    try:
        return dict(fit_sizes(rows).items())
    except SettingsError:  # one row: too few to search by, enough to compare on
        return {"train": 0, "val": rows, "test": 0}


def sized(spec: SuiteSpec, query: Mapping[str, str]) -> SuiteSpec:
    """`spec` with the sizes and the seed that an address names, as far as they can be."""
    given = {name: query.get(name, "") for name in NUMBERS}
    digits = {name: int(text) for name, text in given.items() if text.isascii() and text.isdecimal() and len(text) < 11}
    largest = most(spec) if digits else 0
    numbers = {name: value for name, value in digits.items() if name == "seed" or value <= largest}
    return SuiteSpec.model_validate({**spec.model_dump(), **numbers})


def most(spec: SuiteSpec) -> int:
    """Tasks that a split can have at most: a suite that makes its tasks would else make millions."""
    try:
        return known.rows_of(known.key_of(spec))
    except (AutoFlowError, KeyError):
        return max(spec.sizes.values())


def differing(spec: SuiteSpec, key: str) -> dict[str, str]:
    """What an address must say of `spec` besides its key."""
    usual = spec_of(key)
    return {name: str(getattr(spec, name)) for name in NUMBERS if getattr(spec, name) != getattr(usual, name, None)}


def key_of(spec: SuiteSpec) -> str | None:
    """The key of a suite among those that are offered, whatever its sizes."""
    return next((key for key, (known_, _) in offered().items() if known_ == _kind(spec)), None)


def brought(spec: SuiteSpec) -> dict[str, Text]:
    """The texts that a suite brings itself: its plain prompt, and a manual workflow where it has one.

    Nothing where the suite is not there any more: what was run on it can still be looked at.
    """
    return _brought(SuiteSpec(name=spec.name, options=spec.options, train=0, val=0, test=0))


@st.cache_resource(max_entries=50, ttl=60, show_spinner=False, hash_funcs={SuiteSpec: lambda spec: _kind(spec)})
def _brought(spec: SuiteSpec) -> dict[str, Text]:
    try:
        suite = open_suite(spec, saved=services.store().get_suite)  # without tasks: the texts do not hang on them
    except AutoFlowError:
        return {}
    refs = [ref for ref in OF_SUITE if ref != MANUAL_REF or suite.baseline.strip()]
    return {ref: text_of_suite(suite, ref) for ref in refs}


@st.cache_data(max_entries=50, ttl=60, show_spinner=False, hash_funcs={SuiteSpec: lambda spec: _kind(spec)})
def judged(spec: SuiteSpec) -> bool:
    """Whether a model scores the answers."""
    try:
        kind = scorer_of(spec, services.store().get_suite)
    except AutoFlowError:
        return False
    return kind is not None and kind.needs_judge


def _kind(spec: SuiteSpec) -> tuple[str, str]:
    """Suites that differ in sizes and seed alone are one."""
    return spec.name, repr(sorted(spec.options.items()))


@st.cache_data(ttl=3, show_spinner=False)
def offered() -> dict[str, tuple[tuple[str, str], str]]:
    """Key -> kind of suite and how it is called: built in, saved, then what else studies used, each once."""
    found: dict[str, tuple[tuple[str, str], str]] = {}
    for key, words in known.names().items():
        if key in NEEDS_OPTIONS:
            continue  # offered with the options that a study had
        options = {"suite": key} if is_id(key, "su") else {}
        found[key] = (_kind(SuiteSpec(name="table" if options else key, options=options)), words)
    store = services.store()
    for study in store.list_studies(STUDIES):
        kind = _kind(study.spec.suite)
        if all(kind != other for other, _ in found.values()):
            words = cut(f"{title_of(study.spec.suite, store.get_suite)}, as in {study.name}", 60)
            found[study.id] = (kind, words)
    return found
