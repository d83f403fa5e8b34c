"""How far a benchmark is, and what can be done with all of its cells at once."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.optimize.benchmarking import submit
from autoflow.records import Job
from autoflow.report.grid_table import GridReport
from pages.ui import services
from pages.ui.format import plural

_GOING: tuple[str, ...] = ("queued", "running", "pausing")


def under_way(one: Benchmark) -> bool:
    """Whether anything may still come without a person's doing."""
    return any(job.state in (*_GOING, "cancelling") for job in jobs(one))


def jobs(one: Benchmark) -> list[Job]:
    """The latest job of each cell that has one."""
    store = services.store()
    return [
        job for study_id in one.studies.values() for job in store.list_jobs(kind="study", subject_id=study_id, limit=1)
    ]


def draw(one: Benchmark, report: GridReport) -> None:
    """`3 of 4 cells are done · 1 running`, and the buttons."""
    found = jobs(one)
    states = Counter(job.state for job in found if job.state != "done")
    words = [
        f"{report.done} of {plural(len(report.cells), 'cell')} done",
        *(f"{n} {state}" for state, n in states.items()),
    ]
    with st.container(horizontal=True, vertical_alignment="center", key="benchmark-state"):
        st.text(" · ".join(words), width="stretch")
        if one.recorded:
            return
        if any(job.state in _GOING for job in found):
            st.button("Pause all", icon=":material/pause:", key="benchmark-pause", on_click=_ask, args=(one, "pause"))
        elif report.done < len(report.cells):
            st.button("Go on", icon=":material/play_arrow:", key="benchmark-resume", on_click=_go_on, args=(one,))
    for job in found:
        if job.state == "failed":
            st.text(f"{job.title}: {job.error}")


@services.said
def _ask(one: Benchmark, want: str) -> None:
    for job in jobs(one):
        if job.state in _GOING:
            services.store().request(job.id, want)  # type: ignore[arg-type]


@services.said
def _go_on(one: Benchmark) -> None:
    from autoflow.jobs.supervisor import ensure_worker

    for job in jobs(one):
        if job.state in ("paused", "failed"):
            services.store().request(job.id, "resume")
    submit(services.store(), one)
    ensure_worker()
