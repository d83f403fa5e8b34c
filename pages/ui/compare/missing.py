"""Runs that are still missing: asking for them, watching them, stopping them."""

from __future__ import annotations

import time

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.optimize.start import first_error
from autoflow.records import Job
from autoflow.report.comparison import ComparisonReport
from autoflow.report.comparisons import begin_comparison
from autoflow.report.load import openings_of_test
from autoflow.study import Study
from pages.ui import services
from pages.ui.compare.chosen import Chosen
from pages.ui.format import plural
from pages.ui.jobstrip import state_line
from pages.ui.plain import plain

WORKER_PATIENCE_S = 10.0  # a queued job that waits longer is told why


def job_of(study: Study) -> Job | None:
    """The latest job of a study, if it was ever given to the worker."""
    jobs = services.store().list_jobs(kind="study", subject_id=study.id, limit=1)
    return jobs[0] if jobs else None


def under_way(study: Study | None, job: Job | None) -> bool:
    return study is not None and study.stop is None and job is not None and not job.ended and job.state != "paused"


def draw_button(shown: Chosen, report: ComparisonReport | None) -> None:
    """The button that runs what is missing, and what must be said before it is pressed."""
    study = shown.source.study if shown.source else None
    if shown.a.text == shown.b.text:
        st.info("A and B are the same text. Choose two that differ.", icon=":material/info:")
        return
    for text in (shown.a, shown.b):
        if error := first_error(text.text):
            st.info(plain(f"{text.name} cannot run: {error} Mend it first.", 500), icon=":material/info:")
            return
    if report is not None and not report.missing:
        return
    may = shown.setting.split != "test" or _test_may_be_opened(shown)
    words = f"Run what is missing ({plural(report.missing, 'run')})" if report else "Run both"
    if st.button(words, type="primary", icon=":material/play_arrow:", key="run-missing", disabled=not may):
        _start(shown, study)


def _test_may_be_opened(shown: Chosen) -> bool:
    """The person must say so: each look at the test before a choice makes it prove less."""
    times = openings_of_test(services.store(), shown.setting.suite)
    before = "It was never opened so far." if not times else f"It was opened {plural(times, 'time')} before."
    st.warning(
        "This opens the sealed test, and the opening is counted. Choose by the validation tasks, and look at the test "
        f"once, at the end. {before}",
        icon=":material/lock_open:",
    )
    return st.checkbox("Open the sealed test", key=f"open-test-{shown.a.ref}-{shown.b.ref}")


def _start(shown: Chosen, study: Study | None) -> None:
    """Go on with the comparison there is, or begin one, and open its address. Does not return."""
    try:
        if study is None or study.spec.method != "evaluate" or study.stop is not None:
            study = begin_comparison(services.store(), shown.a, shown.b, shown.setting)
    except AutoFlowError as error:
        services.show_error(error)
        return
    job = job_of(study)
    if job is not None and job.state in ("paused", "failed"):
        services.request_job(job.id, "resume")
    else:
        services.submit(
            "study", {"study_id": study.id}, title=f"Compare {study.name}", subject_id=study.id, unique=True
        )
    services.go("compare", study=study.id)


def draw_progress(study: Study, job: Job) -> None:
    """How far it is, and how to stop it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(state_line(job).capitalize())
        ask = services.request_job
        if job.state in ("queued", "running"):
            st.button("Pause", icon=":material/pause:", key="pause-compare", on_click=ask, args=(job.id, "pause"))
            st.button("Stop", icon=":material/stop:", key="stop-compare", on_click=ask, args=(job.id, "cancel"))
    if job.total:
        st.progress(min(1.0, job.done / job.total))
    if job.state == "queued" and time.time() - job.created_at > WORKER_PATIENCE_S:
        services.worker_note()


def draw_ended(job: Job | None) -> None:
    """Why it stands still, where it was stopped or failed."""
    if job is None or job.state == "done":
        return
    if job.state == "failed":
        st.text(f"It failed: {job.error}")
    elif job.state in ("paused", "cancelled"):
        st.text("It is paused." if job.state == "paused" else "It was stopped; what was done is kept.")
