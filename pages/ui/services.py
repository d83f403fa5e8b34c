"""What every page needs of the library, opened once a process: the store, jobs, and which models can be chosen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import streamlit as st

from autoflow.errors import AutoFlowError, NotFound, SettingsError
from autoflow.records import Connection, Job, JobKind, Run, is_id
from autoflow.settings import settings
from autoflow.store import SqlStore, open_store
from pages.ui.plain import plain

if TYPE_CHECKING:
    from autoflow.llm.catalogue import Entry

P = ParamSpec("P")
ROOT = Path(__file__).resolve().parents[2]
# Absolute, because Streamlit reads a relative one from the folder of the entry script.
NAMES = ("home", "write", "run", "optimize", "compare", "benchmark", "models")
PAGES = {name: str(ROOT / "pages" / f"{name}.py") for name in NAMES}


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


def connection_model(connection: Connection) -> str:
    """How a saved connection is named as a model: files answer to the name alone, `scripted:NAME` would be a path."""
    return connection.name if connection.path else f"{connection.kind}:{connection.name}"


@st.cache_data(ttl=3, show_spinner=False)
def model_names() -> list[str]:
    """Every model that can be chosen now or after a download, the default first."""
    from autoflow.llm.local.choices import local_models

    known = _entries()
    embedded = [f"embedded:{entry.name}" for entry in known if entry.kind == "chat"]
    saved = [connection_model(c) for c in store().list_connections()]
    names = {default_model(), *embedded, *saved, *local_models(known)}
    return sorted(names, key=lambda name: (name != default_model(), name))


def local_bases() -> list[str]:
    """Models that an adapter may have been trained on: those of the catalogue that answer."""
    return [f"local:{entry.name}" for entry in _entries() if entry.kind == "chat"]


def _entries() -> tuple[Entry, ...]:
    from autoflow.llm.catalogue import catalogue, shipped

    try:
        return catalogue().entries
    except SettingsError:  # the list of own models is damaged: the page Models says so, the others go on without
        return shipped()


def trainable_names() -> list[str]:
    """The models that can be fine-tuned, smallest first: those of this machine, as they are by themselves."""
    from autoflow.llm.catalogue import catalogue

    here = [entry for entry in catalogue().entries if entry.kind == "chat" and entry.local_path() is not None]
    sizes = {f"local:{entry.name}": entry.size for entry in here}
    named = [name for name in model_names() if name.startswith("local:") and "+" not in name]
    return sorted({*sizes, *named}, key=lambda name: (sizes.get(name, float("inf")), name))


def show_fault(error: Exception) -> None:
    """A fault of AutoFlow itself: nothing that a person did wrong, and nothing of theirs is lost."""
    with st.container(border=True):
        st.markdown(":material/bug_report: **Something in AutoFlow failed**")
        st.text(f"{type(error).__name__}: {error}")
        st.text("Your work is saved. Load the page again; if this stays, the app's own output holds the whole story.")


def tell(error: Exception) -> bool:
    """Words for what a callback or a fragment raised; the app's `on_script_error`. True: Streamlit need not tell it."""
    if isinstance(error, AutoFlowError):
        show_error(error)
        st.caption("Load the page again to go on.")
    else:
        show_fault(error)
    return True


def said(callback: Callable[P, None]) -> Callable[P, None]:
    """A callback whose error is told in words that stay, above its page: without it only the words would be drawn."""

    @functools.wraps(callback)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except AutoFlowError as error:
            st.toast(plain(str(error), 1000), icon=":material/error:", duration="infinite")

    return guarded


def show_error(error: AutoFlowError) -> None:
    """One error, in words, where it happened."""
    text = f"{error.message}\n\n{error.hint}" if error.hint else error.message
    with st.container(border=True):
        st.markdown(":material/error: **This did not work**")
        st.text(text)


@said
def restore_workflow(workflow_id: str) -> None:
    """Bring back what was deleted; Home need not offer it any longer."""
    store().restore_workflow(workflow_id)
    st.session_state.pop("home-deleted", None)


@said
def request_job(job_id: str, want: Literal["pause", "cancel", "resume"]) -> None:
    """What a person asks of a job; a resumed one needs a worker."""
    from autoflow.jobs.supervisor import ensure_worker

    store().request(job_id, want)
    if want == "resume":
        ensure_worker()


def download_model(name: str) -> None:
    """Get a model of the catalogue in the background; one download a model, however often it is asked for."""
    submit("download", {"model": name}, title=f"Download {name}", subject_id=name, unique=True)


def fetch_default_model() -> None:
    """At the app's start: a fresh worker, and the default model where it is missing and no person stopped it."""
    from autoflow.jobs.supervisor import ensure_worker
    from autoflow.llm.catalogue import local_path

    ensure_worker(renew=True)  # a worker of an earlier start may have other keys
    kind, _, name = default_model().partition("+")[0].partition(":")
    if kind != "embedded" or settings().offline or local_path(name):
        return
    earlier = store().list_jobs(kind="download", subject_id=name, limit=1)
    if not earlier or earlier[0].state != "cancelled":
        download_model(name)


def keep_worker_alive() -> None:
    """Start the worker if it is gone. Raises StorageUnavailable: the data folder is gone, and must not be made anew."""
    from autoflow.jobs.supervisor import ensure_worker

    store().list_jobs(limit=1)
    ensure_worker()


def start_run_job(run: Run) -> Job:
    """Have the worker carry out a run."""
    name = store().get_workflow(run.workflow_id).name if run.workflow_id else "a workflow"
    title = f"Run {name}" + (f" v{run.version}" if run.version else "")
    return submit("run", {"run_id": run.id}, title=title, subject_id=run.id, unique=True)


def job_of(run_id: str) -> Job | None:
    """The latest job of a run, if it was ever given to the worker."""
    jobs = store().list_jobs(kind="run", subject_id=run_id, limit=1)
    return jobs[0] if jobs else None


@st.cache_data(ttl=30, show_spinner=False)
def tool_names() -> list[str]:
    """What a task may name as its tools: built-in and expert ones, those of `AUTOFLOW_TOOLS`, `mcp:NAME` for servers.

    Raises SettingsError: a module or the file of MCP servers is not right.
    """
    from autoflow.tools.mcp_file import list_servers
    from autoflow.tools.openagi import calling
    from autoflow.tools.opening import local_tools

    servers = [f"mcp:{name}" for name, server in list_servers().items() if not server.disabled]
    return [*(tool.name for tool in local_tools()), calling.GROUP, *calling.names(), *servers]


@st.cache_data(ttl=60, show_spinner=False)
def missing_tools() -> dict[str, str]:
    """Expert tools that cannot be used on this machine, by the name that a task gives them: what to get for each.

    The hub is asked once a process; `app.py` does so at its start, so that no page waits for it.
    """
    from autoflow.tools.openagi import calling

    found = zip(calling.names(), calling.expert_tools(), strict=True)
    return {name: tool.unavailable for name, tool in found if tool.unavailable}


def worker_note() -> None:
    """Why nothing happens, where there is no worker: it starts again by itself, unless it cannot."""
    from autoflow.jobs.supervisor import worker_status

    if not worker_status().running:
        st.text(
            f"No worker is running. It is started again every few seconds; if it cannot, {settings().logs} says why."
        )
