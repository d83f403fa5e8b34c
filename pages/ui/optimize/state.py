"""How a study stands, in one line that keeps itself up to date, and what can be done with its search."""

from __future__ import annotations

import time

import streamlit as st

from autoflow.jobs.payloads import StudyPayload
from autoflow.optimize.view import StudyView
from autoflow.records import Job
from autoflow.study import TEST_RUNS, Study, stop_words
from pages.ui import services
from pages.ui.format import ago, duration, money, plural, progress_words
from pages.ui.jobstrip import study_left
from pages.ui.optimize import loaded
from pages.ui.optimize.figures import number
from pages.ui.plain import cut, plain

REFRESH_S = 1.0
REST_S = 4.0  # while it rests: it may be resumed from elsewhere
WORKER_PATIENCE_S = 10.0  # a search that waits longer is told why
STATES = {
    "queued": "Waiting for the worker", "running": "Searching", "pausing": "Pausing after the runs under way",
    "paused": "Paused", "cancelling": "Stopping", "cancelled": "Stopped", "failed": "Failed", "done": "Done",
}  # fmt: skip
ICONS = {"paused": ":material/pause_circle:", "failed": ":material/error:", "cancelled": ":material/stop_circle:"}


def draw(view: StudyView, job: Job | None) -> None:
    """The line, the buttons beside it, and what went wrong beneath."""
    running = loaded.under_way(view.study, job)
    with st.container(horizontal=True, vertical_alignment="center", key="study-state"):
        with st.container(width="stretch", gap="xsmall"):
            every = REFRESH_S if running else None if view.study.stop else REST_S
            st.fragment(_line, run_every=every)(view.study.id, _drawn_for(view, job))
        _buttons(view.study, job)
    if job and job.state == "failed" and view.study.stop is None:
        with st.container(border=True, key="study-failed"):
            st.text(job.error or "The worker gave no reason.")
            st.caption("Nothing that was found is lost. Mend the cause, then press Resume.")


def _drawn_for(view: StudyView, job: Job | None) -> tuple[object, ...]:
    """What the rest of the page depends on: where it changes, all of it is drawn anew."""
    study = view.study
    return (job and job.id, job and job.state, study.stop, study.best, study.test_uses, bool(view.pending()))


def _line(study_id: str, drawn_for: tuple[object, ...]) -> None:
    view = loaded.load(study_id)
    job = loaded.job_of(view.study)
    if _drawn_for(view, job) != drawn_for:
        st.rerun()
    icon, words = standing(view, job, time.time())
    st.markdown(f"{icon} **{words[0]}**" + "".join(f" · {plain(word)}" for word in words[1:]))
    doing = str(job.live.get("doing") or job.live.get("status") or "") if job and job.state == "running" else ""
    if doing:
        st.caption(plain(doing, 160))
    if job and job.state == "queued" and time.time() - job.updated_at > WORKER_PATIENCE_S:
        services.worker_note()


def standing(view: StudyView, job: Job | None, now: float) -> tuple[str, list[str]]:
    """An icon, and `Searching`, `round 3 of 10`, `best 0.62 on validation`, `402 calls, 0 $`, `about 12 min left`."""
    study, totals = view.study, view.totals()
    best = loaded.best(view)
    level = view.score(best.number, "val") if best else None
    spent = f"{plural(totals.calls, 'call')}, {money(totals.cost_usd)}"
    facts = [f"best {number(level)} on validation"] if level is not None else []
    if study.stop is not None:
        icon = ":material/stop_circle:" if study.stop in ("person", "collapsed") else ":material/check_circle:"
        took = f"{duration(study.seconds)} of work" if study.seconds else ""
        ended = f"ended {ago(study.finished_at, now)}" if study.finished_at and not study.recorded else ""
        why = stop_words(study.stop, study.spec.method).rstrip(".")
        return icon, [why, *facts, spent, *filter(None, (took, ended))]
    if job is None:
        return ":material/radio_button_unchecked:", ["Not started", *facts]
    words = [words_of(study, job), _round(study, job), *facts, spent, study_left(study, job)]
    return ICONS.get(job.state, ":material/pending:"), list(filter(None, words))


def words_of(study: Study, job: Job) -> str:
    """What goes on with it: `Searching`, `Training`, `Testing`, `Paused`."""
    if job.state == "running" and job.unit == TEST_RUNS:
        return "Testing"
    return "Training" if study.spec.method == "lora" and job.state == "running" else STATES[job.state]


def _round(study: Study, job: Job) -> str:
    if job.unit == TEST_RUNS:
        return progress_words(job)
    name = "step" if study.spec.method == "lora" else "round"
    current = job.live.get("round") if job.state == "running" else None
    return f"{name} {current if isinstance(current, int) else study.rounds} of {study.spec.budget.max_rounds}"


def _buttons(study: Study, job: Job | None) -> None:
    """Nothing where a search has ended, or is a recording."""
    if study.stop is not None or study.recorded:
        return
    ask = services.request_job
    if job is None or job.state in ("cancelled", "done"):
        label = "Start" if job is None else "Go on"
        st.button(label, type="primary", icon=":material/play_arrow:", key="study-start", on_click=start, args=(study,))
    elif job.state in ("queued", "running"):
        st.button("Pause", icon=":material/pause:", key="study-pause", on_click=ask, args=(job.id, "pause"))
    elif job.state in ("paused", "failed", "pausing"):
        st.button("Resume", icon=":material/play_arrow:", key="study-resume", on_click=ask, args=(job.id, "resume"))
    if job and job.state in ("queued", "running", "pausing", "paused", "failed"):
        _cancel(job, "training" if study.spec.method == "lora" else "search")


def _cancel(job: Job, what: str) -> None:
    with st.popover("Cancel", icon=":material/stop:", key="study-cancel"):
        st.text(f"What was found stays, and can be adopted.\nThe {what} cannot go on after that.")
        st.button(
            f"Cancel the {what}", key="study-cancel-now", on_click=services.request_job, args=(job.id, "cancel")
        )  # fmt: skip


@services.said
def start(study: Study) -> None:
    """Have the worker search; the one job under way where there is one."""
    payload = StudyPayload(study_id=study.id).model_dump()
    services.submit("study", payload, title=f"Optimize {cut(study.name, 60)}", subject_id=study.id, unique=True)
