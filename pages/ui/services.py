"""What every page needs of the library, opened once a process: the store, jobs, and which models can be chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import streamlit as st

from autoflow.errors import AutoFlowError, NotFound
from autoflow.records import Job, JobKind, is_id
from autoflow.settings import settings
from autoflow.store import SqlStore, open_store

ROOT = Path(__file__).resolve().parents[2]
# Absolute, because Streamlit reads a relative one from the folder of the entry script.
PAGES = {name: str(ROOT / "pages" / f"{name}.py") for name in ("home", "write", "run", "models")}


@st.cache_resource(show_spinner=False)
def store() -> SqlStore:
    """The one store of this process. Raises StoreError, which the shell shows in words."""
    return open_store()


def submit(
    kind: JobKind, payload: dict[str, Any], *, title: str, subject_id: str | None = None, unique: bool = False
) -> Job:
    """Queue a job and see to it that a worker is there to do it."""
    from autoflow.jobs.supervisor import ensure_worker

    job = store().submit(kind, payload, title=title, subject_id=subject_id, unique=unique)
    ensure_worker()
    return job


def query_id(name: str, prefix: str) -> str | None:
    """The id that the URL names, None where it names none. Raises NotFound: it cannot be an id."""
    value = st.query_params.get(name)
    if value is None:
        return None
    if not is_id(value, prefix):
        shown = value if len(value) <= 40 else value[:40] + "…"
        raise NotFound(
            f"The address of this page names `{shown}`, which is no {name} id.", "Open it from Home instead."
        )
    return value


def go(page: str, **query: str | None) -> None:
    """Open a page by its name in `PAGES`, with these ids in its URL. Does not return."""
    st.switch_page(PAGES[page], query_params={k: v for k, v in query.items() if v is not None})


def default_model() -> str:
    """The model that pages choose before the person does."""
    return settings().default_model


@st.cache_data(ttl=3, show_spinner=False)
def model_names() -> list[str]:
    """Every model that can be chosen now or after a download, the default first."""
    from autoflow.llm.catalogue import catalogue

    embedded = [f"embedded:{entry.name}" for entry in catalogue().entries if entry.kind == "chat"]
    saved = [f"{c.kind}:{c.name}" for c in store().list_connections() if f"{c.kind}:{c.name}" not in embedded]
    return sorted({default_model(), *embedded, *saved}, key=lambda name: (name != default_model(), name))


def show_error(error: AutoFlowError) -> None:
    """One error, in words, where it happened."""
    text = f"{error.message}\n\n{error.hint}" if error.hint else error.message
    with st.container(border=True):
        st.markdown(":material/error: **This did not work**")
        st.text(text)


def request_job(job_id: str, want: Literal["pause", "cancel", "resume"]) -> None:
    """What a person asks of a job; a resumed one needs a worker."""
    from autoflow.jobs.supervisor import ensure_worker

    store().request(job_id, want)
    if want == "resume":
        ensure_worker()


def download_model(name: str) -> Job:
    """Get a model of the catalogue in the background; one download a model, however often it is asked for."""
    return submit("download", {"model": name}, title=f"Download {name}", subject_id=name, unique=True)
