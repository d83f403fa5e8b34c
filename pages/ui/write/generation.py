"""A model writes the workflow: started here, watched line by line, stopped, and chosen from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from autoflow.errors import AutoFlowError, NotFound
from autoflow.jobs.payloads import GeneratePayload
from autoflow.lang.diagnostics import Diagnostic
from autoflow.records import Job
from pages.ui import services
from pages.ui.components.steps import step_cards
from pages.ui.components.thumbnail import thumbnail
from pages.ui.format import duration, plural
from pages.ui.jobstrip import UNDER_WAY
from pages.ui.plain import cut
from pages.ui.write import draft
from pages.ui.write.draft import Draft

REFRESH_S = 0.5
# What can be said of a line before the lines after it are there.
LOCAL = frozenset(
    ("missing-field", "missing-branches", "unknown-type", "empty-name", "empty-instruction", "duplicate-name",
     "instruction-separator", "branch-separator", "missing-key", "empty-branch", "odd-branches", "process-branches",
     "decision-branches", "terminal-branches")
)  # fmt: skip


def submit(asked: GeneratePayload, name: str) -> str:
    """Queue a generation and return the job's id; the one under way where the workflow has one."""
    title = f"Write {cut(name, 60)}"
    return services.submit("generate", asked.model_dump(), title=title, subject_id=asked.workflow_id, unique=True).id


def start(asked: GeneratePayload, name: str) -> None:
    """Queue a generation and put it into the URL. For callbacks."""
    try:
        st.query_params["job"] = submit(asked, name)
    except AutoFlowError as error:
        draft.notice(str(error))


def job_of(workflow_id: str) -> Job | None:
    """The generation that the URL names, else one that is under way for this workflow."""
    job_id = services.query_id("job", "jb")
    if job_id:
        try:
            job = services.store().get_job(job_id)
        except NotFound:
            draft.notice("The address names a generation that is not known here; the workflow is shown without it.")
            st.query_params.pop("job", None)
            return None
        return job if job.payload.get("workflow_id") == workflow_id else None
    found = services.store().list_jobs(kind="generate", subject_id=workflow_id, states=UNDER_WAY, limit=1)
    return found[0] if found else None


def draw(job: Job, shown: Draft) -> None:
    """What goes on, or what came of it."""
    if not job.ended:
        _live(job.id)
    elif job.state == "failed":
        _failed(job, shown)
    elif job.state == "done" and len(texts(job)) == 1:
        _written(job, shown)
    else:
        _choose(job, shown)


def texts(job: Job) -> list[dict[str, Any]]:
    """The drafts there are, by number: finished ones, else what has been decoded of them."""
    finished = {int(d["index"]): d for d in (job.result or {}).get("drafts", ())}
    writing = {int(d["index"]): d for d in job.live.get("drafts", ())}
    return [d for _, d in sorted((writing | finished).items()) if str(d["text"]).strip()]


@st.fragment(run_every=REFRESH_S)
def _live(job_id: str) -> None:
    """Cards appear as the lines are decoded; the line under way stands beneath them."""
    job = services.store().get_job(job_id)
    if job.ended:
        st.rerun()
    with st.container(border=True, key="write-live"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(":material/edit_note: **Writing**")
            st.text(_progress(job), width="stretch")
            st.button(
                "Stop", icon=":material/stop:", key="stop-writing", disabled=job.state == "cancelling",
                on_click=services.request_job, args=(job.id, "cancel"), help="Keeps what is there.",
            )  # fmt: skip
        found = texts(job)
        if not found:
            st.skeleton(height=120)
            return
        for column, one in zip(st.columns(len(found)), found, strict=True):
            with column:
                _partial(str(one["text"]), int(one["index"]), finished="diagnostics" in one)


def _progress(job: Job) -> str:
    """`embedded:qwen2.5-coder-1.5b · 12 s · 3 steps · draft 2 of 3`."""
    found = texts(job)
    steps = sum(len(draft.read(str(one["text"])).workflow.steps) for one in found)
    took = duration(max(0.0, time.time() - (job.started_at or job.created_at)))
    many = f"{job.done:g} of {job.total:g} drafts" if job.total and job.total > 1 else ""
    word = {"queued": "waiting for the worker", "cancelling": "stopping"}.get(job.state, job.message)
    if not found:  # what the model waited for before its first word stays in the job
        word = str(job.live.get("status") or word)
    return " · ".join(
        filter(None, (str(job.payload["model"]), took, plural(steps, "step") if steps else "", many, word))
    )


def _partial(text: str, number: int, *, finished: bool) -> None:
    """The steps that are there; lines are checked as far as one line can be."""
    whole, _, last = (text, "", "") if finished else text.rpartition("\n")
    read = draft.read(whole)
    if read.workflow.steps:
        found = read.diagnostics if finished else _local(read.diagnostics)
        step_cards(
            read.workflow, key=f"live-{number}", diagnostics=found, unfinished=not finished, height="60vh"
        )  # fmt: skip
    if not finished:
        st.code(last + "▌", language=None, wrap_lines=True)


def _local(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [d for d in found if d.slug in LOCAL]


def close() -> None:
    """Take the generation out of the URL. For callbacks."""
    st.query_params.pop("job", None)


def _written(job: Job, shown: Draft) -> None:
    """One draft: the worker has kept it as a version, and made it the draft unless somebody typed meanwhile."""
    one = texts(job)[0]
    took = duration((job.finished_at or job.updated_at) - (job.started_at or job.created_at))
    errors = sum(d["severity"] == "error" for d in one["diagnostics"])
    number = (job.result or {}).get("version")
    newer = draft.read(str(one["text"])).workflow != shown.workflow
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="write-written"):
        state = plural(errors, "error") if errors else "no errors"
        kept = f", kept as v{number}" if number else ""
        st.text(f"Written by {job.payload['model']} in {took}: {state}{kept}.", width="stretch")
        if newer:
            st.button("Make it the draft", key="use-written", on_click=_use_written, args=(shown.id, str(one["text"])))
        st.button("Close", icon=":material/close:", type="tertiary", key="close-written", on_click=close)
    if one.get("error"):
        st.text(str(one["error"]))


def _use_written(workflow_id: str, text: str) -> None:
    draft.save(workflow_id, text)


def _failed(job: Job, shown: Draft) -> None:
    with st.container(border=True, key="write-failed"):
        st.markdown(":material/error: **The workflow could not be written**")
        st.text(job.error or "The model gave no reason.")
        with st.container(horizontal=True, vertical_alignment="center"):
            again = GeneratePayload.model_validate(job.payload)
            st.button(
                "Try again", type="primary", icon=":material/refresh:", key="generate-retry", on_click=start,
                args=(again, shown.record.name),
            )  # fmt: skip
            st.page_link(services.PAGES["models"], label="Choose or connect a model", icon=":material/memory:")
            st.button("Close", type="tertiary", key="close-failed", on_click=close)


def _choose(job: Job, shown: Draft) -> None:
    """Several drafts, or what a stopped model had written: columns to choose from."""
    found = texts(job)
    with st.container(border=True, key="write-choose"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**Choose a draft**" if job.state == "done" else "**Stopped: keep what is there?**")
            other = "Keep the present workflow" if shown.workflow.steps else "Keep nothing"
            st.button(other, type="tertiary", key="choose-none", on_click=close)
        if not found:
            st.text("Nothing had been written yet.")
            return
        for column, one in zip(st.columns(len(found), border=True), found, strict=True):
            with column:
                _candidate(job, int(one["index"]), str(one["text"]))


def _candidate(job: Job, number: int, text: str) -> None:
    read = draft.read(text)
    with st.container(width=320):  # a lone draft has a column as wide as the page
        thumbnail(read.workflow)
    st.markdown(f"**Draft {number + 1}**")
    problems = plural(len(read.diagnostics), "problem") if read.diagnostics else "no problems"
    st.caption(f"{plural(len(read.workflow.steps), 'step')}, {problems}")
    st.button("Use this one", key=f"use-{number}", on_click=_use, args=(job, number, text))
    step_cards(read.workflow, key=f"candidate-{number}", diagnostics=read.diagnostics, height="46vh")


def _use(job: Job, number: int, text: str) -> None:
    workflow_id, model = str(job.payload["workflow_id"]), str(job.payload["model"])
    note = f"draft {number + 1} of {len(texts(job))}" if job.state == "done" else "stopped while it was written"
    try:
        services.store().save_version(workflow_id, origin="generated", text=text, model=model, note=note)
    except AutoFlowError as error:
        draft.notice(str(error))
    else:
        close()
        draft.select(0)
