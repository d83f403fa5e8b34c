"""The quiet strip in the sidebar: what is under way, how far, how long still, and a way to stop it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Literal

import streamlit as st

from autoflow.errors import NotFound
from autoflow.optimize.limits import at_this_pace_s, limit_left_s
from autoflow.records import Job, JobState
from autoflow.study import TEST_RUNS, Study
from pages.ui import services
from pages.ui.format import plural, progress_words, time_left

UNDER_WAY: tuple[JobState, ...] = ("queued", "running", "pausing", "paused", "cancelling")
SHOWN = 6
REFRESH_S = 2.0
Want = Literal["pause", "cancel", "resume"]


@st.fragment(run_every=REFRESH_S)
def draw() -> None:
    """Jobs that have not ended, newest first, on every page."""
    jobs = services.store().list_jobs(states=UNDER_WAY, limit=SHOWN + 1)
    if not jobs:
        st.caption("Nothing is running.")
        return
    st.caption("Under way")
    for job in jobs[:SHOWN]:
        _row(job)
    if len(jobs) > SHOWN:
        st.caption("and more: autoflow jobs list")


def _row(job: Job) -> None:
    with st.container(border=True, gap="xsmall", key=f"job-{job.id}"):
        st.text(job.title or job.kind)
        if job.total and job.kind != "run":
            st.progress(min(1.0, job.done / job.total), width="stretch")
        st.caption(state_line(job))
        _buttons(job)


def state_line(job: Job) -> str:
    """`running 14 of 40 steps, about 6 min left`, from what the job has measured of itself."""
    if job.kind == "run":  # its total is a limit, so nobody knows how far it is
        return ", ".join(filter(None, (job.state, plural(int(job.done), "step") if job.done else "")))
    return ", ".join(filter(None, (job.state, progress_words(job), left_words(job))))


def left_words(job: Job) -> str:
    """How long it still takes; nothing where that cannot be said."""
    if job.kind == "study":
        return _left_of_study(job)
    if job.state != "running" or not job.total or job.done <= 0 or job.started_at is None:
        return ""
    return time_left((time.time() - job.started_at) * (job.total - job.done) / job.done)


def _left_of_study(job: Job) -> str:
    """The strip stands on every page, and a study that was deleted has a job until that notices."""
    if job.state != "running" or not job.subject_id:
        return ""
    with suppress(NotFound):
        return study_left(services.store().get_study(job.subject_id), job)
    return ""


def study_left(study: Study, job: Job) -> str:
    """Of its search: pauses do not count, and while it is tested its rounds say nothing."""
    if job.state != "running" or job.unit == TEST_RUNS:
        return ""
    return time_left(at_this_pace_s(study, job.done, job.total or 0), limit_left_s(study))


def _buttons(job: Job) -> None:
    """A study is paused here, and cancelled where it is asked whether that is meant: it cannot go on after that."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if job.state == "paused":
            _button(job, "resume", "Resume", ":material/play_arrow:")
        elif job.kind in ("run", "study") and job.state in ("queued", "running"):
            _button(job, "pause", "Pause", ":material/pause:")
        if job.kind != "study" and job.state in ("queued", "running", "paused", "pausing"):
            _button(job, "cancel", "Stop", ":material/stop:")
        if job.kind == "study" and job.subject_id and job.subject_id != st.query_params.get("study"):
            _open(job.subject_id)


def _open(study_id: str) -> None:
    """A search is watched on its own page, a comparison on another."""
    method = _method(study_id)
    if method is None:
        return
    page = "compare" if method == "evaluate" else "optimize"
    st.page_link(services.PAGES[page], label="Open", icon=":material/open_in_new:", query_params={"study": study_id})


@st.cache_data(max_entries=200, show_spinner=False)
def _method(study_id: str) -> str | None:
    """None: it was deleted."""
    with suppress(NotFound):
        return services.store().get_study(study_id).spec.method
    return None


def _button(job: Job, want: Want, label: str, icon: str) -> None:
    st.button(
        label, icon=icon, type="tertiary", key=f"{want}-{job.id}", on_click=services.request_job, args=(job.id, want)
    )
