"""The button that sends a model one small real request, and what came of it."""

from __future__ import annotations

import streamlit as st

from autoflow.records import Job
from pages.ui import services
from pages.ui.format import ago, duration

FEATURES = {"streaming": "streams", "usage": "counts tokens", "schema": "JSON schema", "tools": "tools"}


def test_button(model: str) -> None:
    """Test a model in the worker; `last_result` tells what came of it."""
    job = _last(model)
    busy = job is not None and not job.ended
    st.button(
        "Testing …" if busy else "Test",
        icon=":material/bolt:",
        key=f"test-{model}",
        disabled=busy,
        on_click=_begin,
        args=(model,),
    )


def last_result(model: str) -> None:
    """What the last test said, if there was one; it stays on show."""
    if job := _last(model):
        _result(job)


def _last(model: str) -> Job | None:
    jobs = services.store().list_jobs(kind="test-model", subject_id=model, limit=1)
    return jobs[0] if jobs else None


@services.said
def _begin(model: str) -> None:
    services.submit("test-model", {"model": model}, title=f"Test {model}", subject_id=model, unique=True)


def _result(job: Job) -> None:
    if not job.ended:
        st.caption(job.message or "waiting for the worker")
        return
    result = job.result or {}
    if job.state != "done" or not result.get("ok"):
        st.text(result.get("error") or job.error or "The test was stopped.")
        return
    works = [word for key, word in FEATURES.items() if result.get("features", {}).get(key)]
    when = ago(job.finished_at or job.updated_at)
    st.caption(f"Answers in {duration(result.get('latency_s', 0.0))} · {', '.join(works) or 'text'} · {when}")
