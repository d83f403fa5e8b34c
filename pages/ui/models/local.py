"""Models that run on this machine: what is here, what can be had, and files of one's own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from autoflow.errors import AutoFlowError, SettingsError
from autoflow.llm.catalogue import Entry, catalogue, local_path
from autoflow.llm.local.choices import local_base
from autoflow.records import Job
from pages.ui import services
from pages.ui.format import progress_words, size
from pages.ui.jobstrip import UNDER_WAY, left_words
from pages.ui.models.testing import last_result, test_button
from pages.ui.plain import cut, plain

REFRESH_S = 1.0


def draw() -> None:
    _entries()
    left, right = st.columns(2, gap="large")
    with left:
        _own_file()
    with right:
        _hub_file()


@st.fragment(run_every=REFRESH_S)
def _entries() -> None:
    """One card a model of the catalogue, with the progress of its download."""
    jobs = {job.subject_id: job for job in services.store().list_jobs(kind="download", limit=50)[::-1]}
    for entry in catalogue().entries:
        _card(entry, jobs.get(entry.name))


def _card(entry: Entry, job: Job | None) -> None:
    with st.container(border=True, key=f"model-{entry.name}"):
        head, action = st.columns([5, 2], vertical_alignment="center", gap="medium")
        with head, st.container(gap="xsmall"):
            st.text(entry.title or entry.name)
            name = f"embedded:{entry.name}" if entry.kind == "chat" else entry.name
            st.text(f"{name} · {size(entry.size)} · licence {entry.licence}")
            if entry.good_for:
                st.caption(plain(entry.good_for, 300))
            _by_transformers(entry)
        with action:
            _action(entry, job)
        if job and job.state in UNDER_WAY:
            _progress(job)
        elif job and job.state == "failed":
            st.text(job.error)
        if entry.kind == "chat" and local_path(entry.name):
            last_result(f"embedded:{entry.name}")


def _by_transformers(entry: Entry) -> None:
    """What it takes to run it as `local:`, which is how it can be trained and wear adapters."""
    base = local_base(entry)
    if base is None or not base.here:
        return
    if base.problem:
        st.text(cut(f"Not as {base.name}: {base.problem}", 300))
    else:
        takes = f"{size(base.memory)} of memory without a GPU, {size(base.disk)} of disk, unpacked once"
        st.text(f"{base.name} · can be fine-tuned, and wears adapters · {takes}")


def _action(entry: Entry, job: Job | None) -> None:
    if local_path(entry.name):
        _here(entry)
    elif job and job.state in UNDER_WAY:
        st.button(
            "Stop", icon=":material/stop:", key=f"stop-{job.id}", on_click=services.request_job, args=(job.id, "cancel")
        )
    else:
        again = job is not None and job.state in ("failed", "cancelled")
        st.button(
            "Continue the download" if again else f"Download {size(entry.size)}",
            icon=":material/download:",
            key=f"get-{entry.name}",
            type="primary",
            on_click=services.said(services.download_model),
            args=(entry.name,),
        )


def _here(entry: Entry) -> None:
    with st.container(horizontal_alignment="right", gap="xsmall"):
        st.markdown(":material/check_circle: On this machine", width="content")
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
            if entry.kind == "chat":
                test_button(f"embedded:{entry.name}")
            with st.popover("Remove", type="tertiary"):
                st.text(f"This frees {size(entry.size)}. It can be downloaded again.")
                st.button("Remove the file", key=f"remove-{entry.name}", on_click=_remove, args=(entry.name,))


def _progress(job: Job) -> None:
    if job.total:
        st.progress(min(1.0, job.done / job.total))
    words = [progress_words(job), job.message, left_words(job)]
    st.caption(" · ".join(dict.fromkeys(filter(None, words))) or "waiting for the worker")


def _remove(name: str) -> None:
    from autoflow.llm.catalogue import remove

    _try(lambda: remove(name), f"{name} was removed.")


def _own_file() -> None:
    with st.form("own-file", border=True):
        st.header("A GGUF file of yours")
        path = st.text_input("Path on this machine", placeholder="/home/me/models/mistral-7b.Q4_K_M.gguf")
        name = st.text_input("Name", placeholder="mistral-7b")
        if st.form_submit_button("Add the file", icon=":material/add:"):
            from autoflow.llm.catalogue import add_file

            if _filled(path, name):
                _try(lambda: add_file(Path(path.strip()).expanduser(), name.strip()), f"{name} was added.")


def _hub_file() -> None:
    with st.form("hub-file", border=True):
        st.header("A GGUF file of the hub")
        repo = st.text_input("Repository", placeholder="Qwen/Qwen2.5-7B-Instruct-GGUF")
        file = st.text_input("File", placeholder="qwen2.5-7b-instruct-q4_k_m.gguf")
        name = st.text_input("Name", placeholder="qwen2.5-7b")
        if st.form_submit_button("Add to the list", icon=":material/add:"):
            from autoflow.llm.catalogue import add_hub

            if _filled(repo, file, name):
                _try(lambda: add_hub(repo.strip(), file.strip(), name.strip()), f"{name} was added; download it above.")


def _filled(*fields: str) -> bool:
    """Whether a form can be read at all; says so where it cannot."""
    whole = all(field.strip() for field in fields)
    if not whole:
        services.show_error(SettingsError("A field is empty.", "Fill in all of them."))
    return whole


def _try(action: object, done: str) -> None:
    """Do what a person asked, and say how it went."""
    assert callable(action)
    try:
        action()
    except AutoFlowError as error:
        services.show_error(error)
    else:
        services.model_names.clear()
        st.toast(done)
