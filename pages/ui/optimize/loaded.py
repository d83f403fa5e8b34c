"""The study that the page shows: read once, then only what is new, and what of it the address names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from autoflow.optimize.view import StudyView
from autoflow.records import Job
from autoflow.study import Candidate, Study
from pages.ui import services

_KEPT = "optimize-loaded"
T = TypeVar("T")


@dataclass
class Loaded:
    """A study in this tab, with where it was read up to."""

    view: StudyView
    seq: int = 0
    made: dict[str, tuple[object, Any]] = field(
        default_factory=dict
    )  # by name: what it was made of, and what came of it

    @property
    def study(self) -> Study:
        return self.view.study


def load(study_id: str) -> StudyView:
    """The study as it is now. Raises NotFound."""
    study = services.store().get_study(study_id)
    kept = st.session_state.get(_KEPT)
    if not isinstance(kept, Loaded) or kept.study.id != study_id or kept.view.pending():
        kept = st.session_state[_KEPT] = Loaded(StudyView(study))  # ratings change outcomes that were read before
    _catch_up(kept, study)
    return kept.view


def _catch_up(kept: Loaded, study: Study) -> None:
    """Outcomes are read first: a candidate that comes meanwhile is then there before what it did."""
    store, view = services.store(), kept.view
    outcomes = store.study_outcomes(study.id, after=kept.seq)
    view.add(store.study_candidates(study.id, after=len(view.candidates) - 1))
    view.add(outcomes=[outcome for _, outcome in outcomes])
    view.study = study
    kept.seq = max([kept.seq, *(number for number, _ in outcomes)])


def once(view: StudyView, name: str, make: Callable[[StudyView], T]) -> T:
    """What `make` gives for the study as it is; made anew only where something has come to it."""
    kept = st.session_state.get(_KEPT)
    if not isinstance(kept, Loaded) or kept.view is not view:
        return make(view)
    of = (len(view.candidates), kept.seq, view.study.best, view.study.rounds, view.study.stop)
    if name not in kept.made or kept.made[name][0] != of:
        kept.made[name] = (of, make(view))
    found: T = kept.made[name][1]
    return found


def forget() -> None:
    """Read the study anew the next time."""
    st.session_state.pop(_KEPT, None)


def job_of(study: Study) -> Job | None:
    """The latest job of the study, if it was ever given to the worker."""
    jobs = services.store().list_jobs(kind="study", subject_id=study.id, limit=1)
    return jobs[0] if jobs else None


def under_way(study: Study, job: Job | None) -> bool:
    """Whether anything may still come without a person's doing."""
    return study.stop is None and job is not None and not job.ended


def selected(view: StudyView) -> Candidate | None:
    """The candidate that the URL names, else the best one, else the latest."""
    word = st.query_params.get("candidate", "")
    if word.isdecimal() and len(word) < 9 and int(word) < len(view.candidates):
        return view.candidates[int(word)]
    return best(view) or (view.candidates[-1] if view.candidates else None)


def best(view: StudyView) -> Candidate | None:
    """The one that was chosen; before the end the best so far."""
    chosen = view.study.best
    return view.candidates[chosen] if chosen is not None else once(view, "best", StudyView.best)


def select(number: int) -> None:
    """Select a candidate on every part of the page; the URL remembers it."""
    st.query_params["candidate"] = str(number)
    st.query_params.pop("task", None)


def select_run(number: int, task: str) -> None:
    """Open the trace of a candidate on a task."""
    st.query_params["candidate"] = str(number)
    st.query_params["task"] = task


def task_named(view: StudyView) -> str | None:
    """The task that the URL names, where the study has it."""
    word = st.query_params.get("task")
    return word if word is not None and any(word in tasks for tasks in view.study.splits.values()) else None
