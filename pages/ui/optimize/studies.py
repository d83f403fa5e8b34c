"""The searches there are: what each is about, how far it is, and a way to open it."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.view import StudyView
from autoflow.records import Job
from autoflow.study import Method, Study, StudyStop
from pages.ui import services
from pages.ui.format import ago
from pages.ui.optimize import loaded, suite
from pages.ui.optimize.figures import number
from pages.ui.optimize.header import METHODS
from pages.ui.optimize.state import ICONS, words_of
from pages.ui.plain import cut, plain

METHODS_SHOWN: tuple[Method, ...] = ("in-context", "paper", "lora")
SHOWN = 30
_ENDED: dict[StudyStop, tuple[str, str]] = {
    "person": (":material/stop_circle:", "Stopped"), "collapsed": (":material/stop_circle:", "Ended early"),
}  # fmt: skip
REFRESH_S = 3.0


def draw() -> None:
    """Newest first, without the cells of benchmarks, which may be hundreds; nothing where there is none yet."""
    if services.store().list_studies(limit=1, methods=METHODS_SHOWN, cells=False):
        st.header("Studies")
        draw_some(SHOWN)


@st.fragment(run_every=REFRESH_S)
def draw_some(most: int) -> None:
    """The latest ones, without a head."""
    studies = services.store().list_studies(limit=most + 1, methods=METHODS_SHOWN, cells=False)
    for study in studies[:most]:
        _row(study)
    if len(studies) > most:
        st.caption(f"Only the latest {most} are shown.")


def _row(study: Study) -> None:
    job = loaded.job_of(study)
    with st.container(border=True, key=f"study-{study.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(cut(study.name or "A study without a name", 80), width="stretch")
            st.page_link(
                services.PAGES["optimize"], label="Open", icon=":material/open_in_new:",
                query_params={"study": study.id},
            )  # fmt: skip
        icon, words = _state(study, job)
        facts = [
            METHODS[study.spec.method],
            suite.name_of(study.spec.suite),
            _best(study),
            "" if study.recorded else ago(study.created_at),
        ]
        st.caption(f"{icon} {words} · " + plain(" · ".join(filter(None, facts)), 300))


def _state(study: Study, job: Job | None) -> tuple[str, str]:
    if study.recorded:
        return ":material/videocam:", "Recording"
    if study.stop is not None:
        return _ENDED.get(study.stop, (":material/check_circle:", "Done"))
    if job is None:
        return ":material/radio_button_unchecked:", "Not started"
    return ICONS.get(job.state, ":material/pending:"), words_of(study, job)


def _best(study: Study) -> str:
    """`best 0.62`, read anew only where something came to it."""
    score = _best_score(study.id, study.rounds, study.best)
    return f"best {number(score)} on validation" if score is not None else ""


@st.cache_data(max_entries=300, ttl=20, show_spinner=False)
def _best_score(study_id: str, rounds: int, best: int | None) -> float | None:
    store = services.store()
    outcomes = [outcome for _, outcome in store.study_outcomes(study_id, split="val")]
    view = StudyView(store.get_study(study_id), store.study_candidates(study_id), outcomes)
    chosen = loaded.best(view)
    return view.score(chosen.number, "val") if chosen else None
