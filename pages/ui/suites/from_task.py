"""A suite from a task alone: a model proposes examples, a person corrects and accepts them, or writes their own."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.jobs.payloads import ProposePayload
from autoflow.records import Job
from pages.ui import services
from pages.ui.suites import examples

JOB = "propose"  # in the address: the job that proposes, so that a reload finds it
COUNT = 10
REFRESH_S = 0.7
OWN = "own"  # among jobs: none, a person writes


def draw(key: str) -> None:
    """What should get done, who proposes, what came of it."""
    job = _job()
    _recall(key, job)
    objective = st.text_area(
        "What should get done?", key=f"{key}-objective", persist_state="session", height=90,
        placeholder="Decide which department a customer's mail belongs to: delivery, refund, or other.",
    )  # fmt: skip
    names = _names(key)
    busy = job is not None and not job.ended
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox(
            "Model that proposes", services.model_names(), key=f"{key}-proposer", persist_state="session", width=280
        )
        st.button(
            f"Propose {COUNT} examples", icon=":material/auto_awesome:", key=f"{key}-propose",
            disabled=busy or not objective.strip(), on_click=_propose, args=(objective, names, model),
        )  # fmt: skip
        st.button(
            "Write them yourself", icon=":material/edit:", key=f"{key}-own", disabled=busy or not objective.strip(),
            on_click=_own, args=(key,),
        )  # fmt: skip
    if busy and job is not None:
        _live(job.id)
    elif job is not None:
        _failed(job)
        examples.draw(key, job.id, objective, names, examples.proposed(job), str(job.payload.get("model", "")))
    elif st.session_state.get(f"{key}-own-examples"):
        examples.draw(key, OWN, objective, names, [], "")


def _recall(key: str, job: Job | None) -> None:
    """Put the words of a job that the address names into a tab that does not know them: one that was loaded again."""
    if job is None or st.session_state.get(f"{key}-recalled") == job.id:
        return
    st.session_state[f"{key}-recalled"] = job.id
    asked = {"objective": job.payload.get("objective", ""), "names": ", ".join(job.payload.get("inputs", ()))}
    for name, words in asked.items():
        st.session_state.setdefault(f"{key}-{name}", str(words))


def _names(key: str) -> tuple[str, ...]:
    typed = st.text_input(
        "What differs from task to task", "input", key=f"{key}-names", persist_state="session", max_chars=200,
        help="Names, with commas between them: mail, date. A workflow is given these with each task.",
    )  # fmt: skip
    return tuple(dict.fromkeys(name.strip() for name in typed.split(",") if name.strip())) or ("input",)


def _job() -> Job | None:
    """The one that the address names, if there is one."""
    try:
        job_id = services.query_id(JOB, "jb")
        job = services.store().get_job(job_id) if job_id else None
    except AutoFlowError as error:
        services.show_error(error)
        return None
    return job if job is not None and job.kind == "propose-examples" else None


@services.said
def _propose(objective: str, names: tuple[str, ...], model: str) -> None:
    asked = ProposePayload(model=model, objective=objective, inputs=names, count=COUNT)
    st.query_params[JOB] = services.submit("propose-examples", asked.model_dump(), title="Propose examples").id


def _own(key: str) -> None:
    st.query_params.pop(JOB, None)
    st.session_state[f"{key}-own-examples"] = True


@st.fragment(run_every=REFRESH_S)
def _live(job_id: str) -> None:
    """Examples appear as they are read."""
    job = services.store().get_job(job_id)
    if job.ended:
        st.rerun()
    found = examples.proposed(job)
    with st.container(border=True, key="propose-live"):
        with st.container(horizontal=True, vertical_alignment="center"):
            words = str(job.live.get("status") or f"{len(found)} of {COUNT} examples so far")
            st.text("Waiting for the worker" if job.state == "queued" else words, width="stretch")
            st.button(
                "Stop", icon=":material/stop:", key="propose-stop", disabled=job.state == "cancelling",
                on_click=services.request_job, args=(job_id, "cancel"), help="Keeps what is there.",
            )  # fmt: skip
        for example in found:
            st.text("  ".join([*example.inputs.values(), "→", example.expected]))


def _failed(job: Job) -> None:
    """Why there is less than was asked for."""
    if job.state == "failed":
        st.text(f"Nothing was proposed: {job.error}")
        st.page_link(services.PAGES["models"], label="Choose or connect a model", icon=":material/memory:")
    for sentence in (job.result or {}).get("errors", ()):
        st.text(str(sentence))
