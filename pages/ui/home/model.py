"""How the default model stands: on this machine, on its way, or missing, and then what to do."""

from __future__ import annotations

import streamlit as st

from autoflow.records import Job
from pages.ui import services
from pages.ui.format import progress_words
from pages.ui.jobstrip import UNDER_WAY, left_words

REFRESH_S = 2.0


def chip() -> None:
    """A word on the default model, where it is ready."""
    kind, entry = _default()
    if kind == "embedded" and _is_here(entry):
        st.badge("Model ready", icon=":material/check_circle:", color="green", help=f"`{entry}` is on this machine.")


def missing() -> None:
    """What to do where the default model is not here; follows a download by itself."""
    kind, entry = _default()
    if kind == "embedded" and not _is_here(entry):
        _arriving(entry)


def _default() -> tuple[str, str]:
    """Kind and name of the default model, without an adapter that it may wear."""
    kind, _, name = services.default_model().partition(":")
    return kind, name.partition("+")[0]


def _is_here(entry: str) -> bool:
    from autoflow.llm.catalogue import local_path

    return local_path(entry) is not None


@st.fragment(run_every=REFRESH_S)
def _arriving(entry: str) -> None:
    """A download's progress, its failure with the ways round it, or a button to begin it."""
    if _is_here(entry):
        st.rerun()
    jobs = services.store().list_jobs(kind="download", subject_id=entry, limit=1)
    job = jobs[0] if jobs else None
    if job and job.state in UNDER_WAY:
        _progress(entry, job)
        return
    with st.container(border=True, key="home-model-missing"):
        failed = job is not None and job.state == "failed"
        st.markdown(":material/cloud_off: **The default model could not be had**" if failed else
                    ":material/download: **The default model is not on this machine yet**")  # fmt: skip
        if job and failed:
            st.text(job.error)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Try again" if failed else "Download it", key="home-get-model", icon=":material/download:",
                on_click=_get, args=(entry,),
            )  # fmt: skip
            st.page_link(
                services.PAGES["models"], label="Use a GGUF file, an endpoint or a key instead",
                icon=":material/memory:",
            )  # fmt: skip


@services.said
def _get(entry: str) -> None:
    services.download_model(entry)


def _progress(entry: str, job: Job) -> None:
    words = [f"{entry} is on its way", progress_words(job), left_words(job)]
    st.progress(min(1.0, job.done / job.total) if job.total else 0.0, " · ".join(dict.fromkeys(filter(None, words))))
    st.caption("You can read, write and edit workflows meanwhile; Generate waits for it.")
