"""Taking an adapter elsewhere: the worker writes it in another form, and what it wrote is offered for download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from autoflow.jobs.handlers.export import mark_of
from autoflow.jobs.payloads import ExportPayload
from autoflow.llm.local.export import Form
from autoflow.llm.local.shelf import Adapter
from autoflow.records import Job
from autoflow.settings import settings
from pages.ui import services
from pages.ui.format import progress_words, size
from pages.ui.jobstrip import UNDER_WAY
from pages.ui.plain import cut

TITLES: dict[Form, str] = {
    "peft": "peft folder (zip)",
    "gguf": "llama.cpp adapter (GGUF)",
    "merged": "Merged model (folder)",
}
HELP: dict[Form, str] = {
    "peft": "The two files that peft reads, with a model card.",
    "gguf": "For llama-server --lora, beside the base's GGUF file.",
    "merged": "Base and adapter as one model, as large as the base. It is written on the machine that runs AutoFlow.",
}


Jobs = Mapping[str, Job]  # the latest of each subject


def latest() -> Jobs:
    """The jobs of all adapters and forms."""
    return {str(job.subject_id): job for job in services.store().list_jobs(kind="export", limit=200)[::-1]}


def menu(adapter: Adapter, jobs: Jobs) -> None:
    """Ask for a form."""
    with st.popover("Download", icon=":material/download:"):
        for form, title in TITLES.items():
            job = jobs.get(f"{form}:{adapter.name}")
            st.button(
                title, key=f"export-{form}-{adapter.name}", help=HELP[form], width="stretch",
                disabled=job is not None and job.state in UNDER_WAY, on_click=_begin, args=(adapter.name, form),
            )  # fmt: skip


def results(adapter: Adapter, jobs: Jobs) -> None:
    """How far each form is that was asked for, and what came of it."""
    for form in TITLES:
        job = jobs.get(f"{form}:{adapter.name}")
        if job is not None and job.state in UNDER_WAY:
            _progress(job, form)
        elif job is not None and job.state == "failed":
            st.text(cut(job.error, 400))
        elif job is not None and job.state == "done":
            _offer(adapter, form, job)


@services.said
def _begin(name: str, form: Form) -> None:
    asked = ExportPayload(adapter=name, form=form)
    services.submit(
        "export", asked.model_dump(), title=f"{TITLES[form]} of {name}", subject_id=f"{form}:{name}", unique=True
    )


def _progress(job: Job, form: Form) -> None:
    if job.total:
        st.progress(min(1.0, job.done / job.total))
    words = [TITLES[form], job.message, progress_words(job) if job.total else ""]
    st.caption(" · ".join(dict.fromkeys(filter(None, words))))


def _offer(adapter: Adapter, form: Form, job: Job) -> None:
    """A file to download, or where the folder lies; nothing where it is gone, or of weights that were replaced."""
    result = job.result or {}
    path = Path(str(result.get("path", "")))
    if path.parent != settings().exports or not path.exists() or result.get("mark") != mark_of(adapter):
        return
    if path.is_dir():
        st.text(f"The merged model ({size(result['size'])}) lies in {path}; ask it as local:{path}")
        return
    st.download_button(
        f"Save {path.name} ({size(result['size'])})", path.read_bytes, file_name=path.name,
        icon=":material/save:", key=f"save-{form}-{adapter.name}", on_click="ignore",
    )  # fmt: skip
