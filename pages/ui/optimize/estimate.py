"""What a search will take: a pilot carries out a few runs and one proposal, and the rest is reckoned from them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import streamlit as st

from autoflow.jobs.payloads import PilotPayload
from autoflow.records import Job
from autoflow.study import StudyBudget, StudySpec
from pages.ui import services
from pages.ui.format import duration, money, plural

REFRESH_S = 1.0


def draw(spec: StudySpec) -> None:
    """The estimate of this very search where one was made, its progress, or a button that asks for one."""
    job = _job(spec)
    live = job is not None and not job.ended
    st.fragment(_draw, run_every=REFRESH_S if live else None)(spec, live)


def subject(spec: StudySpec) -> str:
    """Names the search: another setting is another pilot. The seed of a search changes nothing of what it takes."""
    told = spec.model_copy(update={"seed": 0}).model_dump_json()
    return f"pilot-{blake2b(told.encode(), digest_size=12).hexdigest()}"


def _job(spec: StudySpec) -> Job | None:
    found = services.store().list_jobs(kind="pilot", subject_id=subject(spec), limit=1)
    return found[0] if found else None


def _draw(spec: StudySpec, was_live: bool) -> None:
    """Args: was_live: whether this part redraws itself, which only the whole page can begin and end."""
    job = _job(spec)
    if was_live != (job is not None and not job.ended):
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="search-estimate"):
        again = job is not None and job.ended
        st.button(
            "Estimate again" if again else "Estimate", icon=":material/timer:", key="search-pilot",
            disabled=job is not None and not job.ended, on_click=_ask, args=(spec,),
            help="Carries out a few runs and one proposal, and reckons from them what the search will take.",
        )  # fmt: skip
        if job is None:
            st.caption("Not estimated yet.")
        elif not job.ended:
            _live(job)
        elif job.state == "done" and job.result:
            _told(spec.budget, job.result)
        else:
            st.text(_failed(job))


def _live(job: Job) -> None:
    doing = str(job.live.get("doing") or job.live.get("status") or job.message or "")
    words = "Waiting for the worker" if job.state == "queued" else "Measuring a few runs"
    st.text(f"{words}{': ' + doing if doing else ''}", width="stretch")
    st.button(
        "Stop", icon=":material/stop:", key="search-pilot-stop", on_click=services.request_job, args=(job.id, "cancel")
    )


def _failed(job: Job) -> str:
    return f"It could not be estimated: {job.error}" if job.state == "failed" else "The estimate was stopped."


@services.said
def _ask(spec: StudySpec) -> None:
    payload = PilotPayload(spec=spec).model_dump()
    services.submit("pilot", payload, title="Estimate a search", subject_id=subject(spec), unique=True)


def _told(budget: StudyBudget, result: dict[str, Any]) -> None:
    """`About 1,240 calls · 310,000 tokens · 38 min · 0 $`, from how much, and which limit ends it sooner."""
    found, spent = result["estimate"], result["spent"]
    calls, tokens, seconds, cost = (found[name] for name in ("calls", "tokens", "seconds", "cost_usd"))
    with st.container(gap="xsmall", width="stretch"):
        st.markdown(f"About **{_words(calls, tokens, seconds, cost)}** in all", width="stretch")
        sooner = [word for word, limit, value in _limits(budget, calls, tokens, seconds, cost) if _below(limit, value)]
        runs = plural(int(result["runs"]), "run")
        took = f"{plural(int(spent['calls']), 'call')}, {duration(spent['seconds'])}, {money(spent['cost_usd'])}"
        more = f" Your limit of {' and of '.join(sooner)} ends it sooner." if sooner else ""
        st.caption(f"Reckoned from {runs}, which took {took}.{more}".replace("$", "\\$"))


def _words(calls: float, tokens: float, seconds: float, cost: float | None) -> str:
    figures = (f"{calls:,.0f} calls", f"{tokens:,.0f} tokens", duration(seconds), money(cost))
    return " · ".join(figures).replace("$", "\\$")


def _limits(
    budget: StudyBudget, calls: float, tokens: float, seconds: float, cost: float | None
) -> tuple[tuple[str, float | None, float | None], ...]:
    return (
        ("calls", budget.max_calls, calls), ("tokens", budget.max_tokens, tokens), ("time", budget.max_time_s, seconds),
        ("dollars", budget.max_cost_usd, cost),
    )  # fmt: skip


def _below(limit: float | None, value: float | None) -> bool:
    return limit is not None and value is not None and limit < value
