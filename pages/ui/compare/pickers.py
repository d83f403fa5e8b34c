"""The row above everything: which two texts, on which suite, by which model."""

from __future__ import annotations

import streamlit as st

from autoflow.report.compare import name_of
from autoflow.report.notes import SPLIT_WORDS
from autoflow.report.sides import Text
from autoflow.study import SPLITS, Split
from pages.ui import services
from pages.ui.compare import suites
from pages.ui.compare.chosen import MOST_REPEATS, Chosen, put, suite_key
from pages.ui.format import plural
from pages.ui.plain import cut

WORKFLOWS = 30  # the latest ones, whose versions are offered
STUDIES = 10  # the latest searches, whose best is offered
MOST_SEED = 2**31 - 1
LABELS: dict[Split, tuple[str, str]] = {
    "train": ("Train", "What a search learned from: dealt first, so that the other tasks stay the same."),
    "val": ("Validation", "What is compared on, unless the sealed test is chosen."),
    "test": ("Test", "Sealed: each look at it before a choice makes it prove less."),
}


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
        _sizes(shown)
        _select("Split", "split", list(SPLITS), shown.setting.split, shown, SPLIT_WORDS, 155)
        _model("Model", "model", shown.setting.model, shown)
        choices = [str(n) for n in range(1, MOST_REPEATS + 1)]
        words = {n: plural(int(n), "run") + " a task" for n in choices}
        _select("Repeats", "repeats", choices, str(shown.setting.repeats), shown, words, 115)
        if suites.judged(shown.setting.suite):
            _model("Judge", "judge", shown.setting.judge, shown)


def _model(label: str, name: str, model: str, shown: Chosen) -> None:
    names = services.model_names()
    _select(label, name, names if model in names else [model, *names], model, shown, {}, 185)


def _text(label: str, name: str, text: Text, shown: Chosen) -> None:
    """What the suite brings, candidates of the studies on show and the best of others, versions of workflows."""
    brought = {ref: found.name for ref, found in suites.brought(shown.setting.suite).items()}
    known = {text.ref: text.name, **brought, **_bests(), **_candidates(shown), **_versions()}
    _select(label, name, list(known), text.ref, shown, {ref: cut(words, 90) for ref, words in known.items()}, None)


@st.cache_data(ttl=3, show_spinner=False)
def _versions() -> dict[str, str]:
    """Latest change first, each with where its text is from."""
    store = services.store()
    return {
        f"{workflow.id}:{version.number}": f"{workflow.name} v{version.number} ({version.origin})"
        for workflow in store.list_workflows(limit=WORKFLOWS)
        for version in store.list_versions(workflow.id)
    }


@st.cache_data(ttl=3, show_spinner=False)
def _bests() -> dict[str, str]:
    store = services.store()
    searches = store.list_studies(STUDIES, methods=["in-context", "paper"])
    return {f"{s.id}:{s.best}": f"Best of {s.name} (#{s.best})" for s in searches if s.best is not None}


def _candidates(shown: Chosen) -> dict[str, str]:
    found = {}
    for study_id in dict.fromkeys(filter(None, (shown.a.study_id, shown.b.study_id))):
        study = services.store().get_study(study_id)
        for candidate in services.store().study_candidates(study_id):
            found[f"{study_id}:{candidate.number}"] = name_of(study, candidate)
    return found


def _suite(shown: Chosen) -> None:
    key = suite_key(shown)
    known = {key: shown.setting.suite.name, **{key: words for key, (_, words) in suites.offered().items()}}
    _select("Suite", "suite", list(known), key, shown, known, 195)


def _sizes(shown: Chosen) -> None:
    """How many tasks, and which: folded, as the usual ones will do for a first look."""
    spec = shown.setting.suite
    with st.popover(f"{plural(spec.sizes[shown.setting.split], 'task')}", icon=":material/tune:", key="compare-sizes"):
        st.caption("More tasks make the interval narrower. The same seed deals the same tasks.")
        most = suites.most(spec)
        for name, (label, words) in LABELS.items():
            _number(label, name, spec.sizes[name], most, words, shown)
        _number("Seed", "seed", spec.seed, MOST_SEED, "Deals the tasks to the splits.", shown)


def _number(label: str, name: str, value: int, most: int, words: str, shown: Chosen) -> None:
    key = f"compare-{name}-{value}"
    st.number_input(
        label, 0, max(most, value), value, help=words, key=key,
        on_change=lambda: put(shown, **{name: str(int(st.session_state[key]))}),
    )  # fmt: skip


def _select(
    label: str, name: str, options: list[str], value: str, shown: Chosen, words: dict[str, str], width: int | None
) -> None:
    """A field for one part of the address. Its key changes with its value, so that a late message misses."""
    key = f"compare-{name}-{value}"
    st.selectbox(
        label, options, options.index(value), format_func=lambda option: words.get(option, option), key=key,
        on_change=lambda: put(shown, **{name: str(st.session_state[key])}), width=width or "stretch",
    )  # fmt: skip
