"""The row above everything: which two texts, on which suite, by which model."""

from __future__ import annotations

import streamlit as st

from autoflow.report.compare import name_of
from autoflow.report.notes import SPLIT_WORDS
from autoflow.report.sides import Text
from autoflow.study import SPLITS
from pages.ui import services
from pages.ui.compare import suites
from pages.ui.compare.chosen import MOST_REPEATS, Chosen, put
from pages.ui.format import plural
from pages.ui.plain import cut

WORKFLOWS = 30  # the latest ones, whose versions are offered


def draw(shown: Chosen) -> None:
    """Each choice is written into the address at once, so that a reload finds it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _text("A", "a", shown.a, shown)
        if st.button(":material/swap_horiz:", help="Swap A and B", key="swap"):
            put(shown, a=shown.b.ref, b=shown.a.ref)
            st.rerun()
        _text("B", "b", shown.b, shown)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _suite(shown)
        _select("Split", "split", list(SPLITS), shown.setting.split, shown, SPLIT_WORDS, 170)
        names = services.model_names()
        model = shown.setting.model
        _select("Model", "model", names if model in names else [model, *names], model, shown, {}, 220)
        choices = [str(n) for n in range(1, MOST_REPEATS + 1)]
        words = {n: plural(int(n), "run") + " a task" for n in choices}
        _select("Repeats", "repeats", choices, str(shown.setting.repeats), shown, words, 130)


def _text(label: str, name: str, text: Text, shown: Chosen) -> None:
    """Versions of workflows, latest change first, and candidates where one of the two is a candidate."""
    known = {text.ref: text.name, **_candidates(shown), **_versions()}
    _select(label, name, list(known), text.ref, shown, {ref: cut(words, 90) for ref, words in known.items()}, None)


@st.cache_data(ttl=3, show_spinner=False)
def _versions() -> dict[str, str]:
    store = services.store()
    return {
        f"{workflow.id}:{version.number}": f"{workflow.name} v{version.number}"
        for workflow in store.list_workflows(limit=WORKFLOWS)
        for version in store.list_versions(workflow.id)
    }


def _candidates(shown: Chosen) -> dict[str, str]:
    found = {}
    for study_id in {shown.a.study_id, shown.b.study_id} - {None}:
        assert study_id is not None
        study = services.store().get_study(study_id)
        for candidate in services.store().study_candidates(study_id):
            found[f"{study_id}:{candidate.number}"] = name_of(study, candidate)
    return found


def _suite(shown: Chosen) -> None:
    known = {key: words for key, (_, words) in suites.offered().items()}
    key = suites.key_of(shown.setting.suite)
    if key is None:  # of a study that is none of the latest, which then is the one on show
        key = shown.source.study.id if shown.source else suites.BUILT_IN
        known = {key: shown.setting.suite.name, **known}
    _select("Suite", "suite", list(known), key, shown, known, 240)


def _select(
    label: str, name: str, options: list[str], value: str, shown: Chosen, words: dict[str, str], width: int | None
) -> None:
    """A field for one part of the address. Its key changes with its value, so that a late message misses."""
    key = f"compare-{name}-{value}"
    st.selectbox(
        label, options, options.index(value), format_func=lambda option: words.get(option, option), key=key,
        on_change=lambda: put(shown, **{name: str(st.session_state[key])}), width=width or "stretch",
    )  # fmt: skip
