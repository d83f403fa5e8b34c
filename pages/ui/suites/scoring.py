"""How answers are scored: the kind of scorer, what may be chosen of it, and a rubric that a model proposes."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.jobs.payloads import ProposePayload
from autoflow.metrics.kinds import OptionValue, ScorerOption
from autoflow.metrics.scorers import SCORERS
from autoflow.records import Json
from autoflow.suites.table_body import ScorerSpec
from autoflow.suites.table_rows import ORIGIN_WORDS, Origin
from pages.ui import services
from pages.ui.plain import plain

REFRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Scoring:
    """A scorer, those of its options that are not as usual, and who wrote its rubric."""

    name: str
    options: Json
    rubric: Origin = "person"
    model: str = ""  # which one proposed the rubric


def draw(key: str, guess: str, objective: str, first: ScorerSpec | None = None) -> Scoring:
    """The choice of a scorer.

    Args:
        guess: the scorer that is chosen at first.
        objective: what is asked, for a rubric; empty: it is not known yet.
        first: what there was before, instead of the guess.
    """
    shown = str(st.session_state.get(f"{key}-chosen", first.name if first else guess))
    names, here = [shown, *(name for name in SCORERS if name != shown)], f"{key}-scorer-{shown}"
    name = st.selectbox(
        "How answers are scored", names, format_func=lambda n: SCORERS[n].label, key=here, on_change=_choose,
        args=(key, here),
    )  # fmt: skip
    kind = SCORERS[name]
    st.caption(plain(kind.about, 400))
    if name == "judge":
        _take_rubric(key)
    was = first.options if first and first.name == name else {}
    chosen = {option.name: _option(key, name, option, was.get(option.name, option.default)) for option in kind.options}
    if name == "judge":
        _rubric(key, objective)
    options = {o.name: chosen[o.name] for o in kind.options if chosen[o.name] != o.default}
    if first and first.origin != "person":
        st.session_state.setdefault(_proposed_key(key), (str(first.options.get("rubric", "")), "a model"))
    return Scoring(name, options, *_written_by(key, str(options.get("rubric", ""))))


def _written_by(key: str, rubric: str) -> tuple[Origin, str]:
    """Who wrote the rubric, and the model where one did."""
    proposed, model = st.session_state.get(_proposed_key(key), ("", ""))
    if not rubric.strip() or not proposed:
        return "person", ""
    origin: Origin = "model" if rubric.strip() == proposed.strip() else "edited"
    st.caption(f"This rubric was {ORIGIN_WORDS[origin]} ({plain(model)}). Read it, and correct it.")
    return origin, model


def _choose(key: str, here: str) -> None:
    """What a person chose stays, whatever is guessed of answers that they change afterwards."""
    st.session_state[f"{key}-chosen"] = st.session_state[here]


def _option(key: str, scorer: str, option: ScorerOption, was: OptionValue) -> OptionValue:
    here, label = f"{key}-{scorer}-{option.name}", f"{_capital(option.name.replace('_', ' '))}: {option.label}"
    if option.choices:
        return st.selectbox(label, [str(was), *(choice for choice in option.choices if choice != was)], key=here)
    if isinstance(was, bool):
        return st.checkbox(label, was, key=here)
    if isinstance(was, float):
        least = None if option.least is None else float(option.least)
        return float(st.number_input(label, least, None, was, format="%g", key=here))
    return st.text_area(label, was, key=here, height=110)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rubric(key: str, objective: str) -> None:
    """Have a model write it; what it wrote is put into the field, where a person reads and corrects it."""
    job_id = st.session_state.get(_job_key(key))
    if job_id:
        _waiting(key, job_id)
        return
    with st.popover("Propose a rubric", icon=":material/auto_awesome:", key=f"{key}-rubric-propose"):
        if not objective.strip():
            st.text("Say first what should get done.")
            return
        model = st.selectbox("Model that proposes", services.model_names(), key=f"{key}-rubric-model")
        st.button("Propose", key=f"{key}-rubric-go", on_click=_propose, args=(key, objective, model))


@services.said
def _propose(key: str, objective: str, model: str) -> None:
    asked = ProposePayload(model=model, objective=objective, what="rubric")
    job = services.submit("propose-examples", asked.model_dump(), title="Propose a rubric")
    st.session_state[_job_key(key)] = job.id


@st.fragment(run_every=REFRESH_S)
def _waiting(key: str, job_id: str) -> None:
    job = services.store().get_job(job_id)
    if job.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(str(job.live.get("status") or "The model writes a rubric …"), width="stretch")
        st.button(
            "Stop", icon=":material/stop:", key=f"{key}-rubric-stop", on_click=services.request_job,
            args=(job_id, "cancel"),
        )  # fmt: skip


def _take_rubric(key: str) -> None:
    """Put a rubric that has arrived into its field, before the field is drawn."""
    here = _job_key(key)
    job_id = st.session_state.get(here)
    if not job_id:
        return
    try:
        job = services.store().get_job(job_id)
    except AutoFlowError as error:
        st.session_state.pop(here)
        services.show_error(error)
        return
    if not job.ended:
        return
    st.session_state.pop(here)
    text = str((job.result or {}).get("rubric", ""))
    if text:
        st.session_state[f"{key}-judge-rubric"] = text
        st.session_state[_proposed_key(key)] = (text, str(job.payload.get("model", "")))
    elif job.error:
        st.text(f"No rubric was proposed: {job.error}")


def _job_key(key: str) -> str:
    return f"{key}-rubric-job"


def _proposed_key(key: str) -> str:
    return f"{key}-rubric-proposed"
