"""A suite from a task alone: a model proposes examples, a person corrects and accepts them, or writes their own."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.jobs.payloads import ProposePayload
from autoflow.records import Job, is_id
from autoflow.suites.table_body import TableBody, proposed_row, read_body, row_of
from pages.ui import services
from pages.ui.suites import examples, known
from pages.ui.suites.examples import Given

JOB = "propose"  # in the address: the job that proposes, so that a reload finds it
COPY = "copy"  # in the address: the saved suite that a copy is made of
COUNT = 10
MOST_COPIED = 200  # rows
REFRESH_S = 0.7
OWN = "own"  # among jobs: none, a person writes


def draw(key: str) -> None:
    """What should get done, who proposes, what came of it."""
    job, copy = _job(), _copy()
    if job is not None:
        _recall(key, job.id, str(job.payload.get("objective", "")), job.payload.get("inputs", ()))
    elif copy is not None:
        _recall(key, copy.of, copy.rows[0].objective, copy.names)
    objective = st.text_area(
        "What should get done?", key=f"{key}-objective", persist_state="session", height=90,
        placeholder="Decide which department a customer's mail belongs to: delivery, refund, or other.",
    )  # fmt: skip
    names = _names(key)
    _buttons(key, objective, names, busy=job is not None and not job.ended)
    if job is not None and not job.ended:
        _live(key, job.id)
    elif job is not None:
        _failed(job)
        examples.draw(key, objective, names, _proposed(job, objective))
    elif copy is not None or st.session_state.get(f"{key}-own-examples"):
        examples.draw(key, objective, names, copy or Given(OWN))


def _buttons(key: str, objective: str, names: tuple[str, ...], *, busy: bool) -> None:
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


def _proposed(job: Job, objective: str) -> Given:
    found = examples.proposed(job)
    rows = tuple(proposed_row(objective, example) for example in found)
    names = tuple(found[0].inputs) if found else ()
    return Given(job.id, rows, names, str(job.payload.get("model", "")))


def can_be_copied(body: TableBody) -> bool:
    """Whether its rows fit into the table of examples: not too many, and all of them ask the same."""
    asked = {row.get("objective") for row in body.rows[: MOST_COPIED + 1]}
    return 0 < len(body.rows) <= MOST_COPIED and len(asked) == 1


def _copy() -> Given | None:
    """The saved examples that the address names, to correct a copy of them."""
    try:
        suite_id = services.query_id(COPY, "su")
        body = read_body(known.saved(suite_id).body) if suite_id else None
        if suite_id is None or body is None or not can_be_copied(body):
            return None
        rows = tuple(map(row_of, body.rows))
    except AutoFlowError as error:
        services.show_error(error)
        return None
    names = tuple(dict.fromkeys(name for row in rows for name in row.inputs))
    return Given(suite_id, rows, names, body.model, body.scorer)


def _recall(key: str, of: str, objective: str, inputs: Iterable[str]) -> None:
    """Put the words that the address means into a tab that does not know them: one that was loaded again."""
    if st.session_state.get(f"{key}-recalled") == of:
        return
    st.session_state[f"{key}-recalled"] = of
    fresh = is_id(of, "su")  # a copy that was just asked for: what stood there before was another task
    for name, words in (("objective", objective), ("names", ", ".join(inputs))):
        if fresh or f"{key}-{name}" not in st.session_state:
            st.session_state[f"{key}-{name}"] = str(words)


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
    st.query_params.pop(COPY, None)
    asked = ProposePayload(model=model, objective=objective, inputs=names, count=COUNT)
    st.query_params[JOB] = services.submit("propose-examples", asked.model_dump(), title="Propose examples").id


def begin_copy(suite_id: str) -> None:
    """Correct a copy of saved examples. For callbacks."""
    st.query_params.pop(JOB, None)
    st.query_params[COPY] = suite_id


def _own(key: str) -> None:
    for name in (JOB, COPY):
        st.query_params.pop(name, None)
    st.session_state[f"{key}-own-examples"] = True


@st.fragment(run_every=REFRESH_S)
def _live(key: str, job_id: str) -> None:
    """Examples appear as they are read."""
    job = services.store().get_job(job_id)
    if job.ended:
        st.rerun()
    found = examples.proposed(job)
    with st.container(border=True, key=f"{key}-live"):
        with st.container(horizontal=True, vertical_alignment="center"):
            words = str(job.live.get("status") or f"{len(found)} of {COUNT} examples so far")
            st.text("Waiting for the worker" if job.state == "queued" else words, width="stretch")
            st.button(
                "Stop", icon=":material/stop:", key=f"{key}-stop", disabled=job.state == "cancelling",
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
