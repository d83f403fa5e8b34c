"""A run as it happens, and as it was: the trace, the graph with the way taken, totals, how it ended."""

from __future__ import annotations

import time
from collections import Counter

import streamlit as st

from autoflow.interpret.trace import StepView, answered, run_warnings, views
from autoflow.lang import parse
from autoflow.lang.workflow import Workflow, fold
from autoflow.records import STOP_WORDS, Event, Job, Run, RunPolicy
from autoflow.report.visits import row
from pages.ui import services
from pages.ui.components.graph import graph
from pages.ui.components.steps import Marks, State
from pages.ui.components.trace import trace
from pages.ui.format import ago, duration, money, plural
from pages.ui.plain import plain
from pages.ui.run import larger
from pages.ui.run.forking import fork_from, go_on

REFRESH_S = 0.5
ANSWER_HEIGHT = 260  # pixels; a longer answer scrolls
WORKER_PATIENCE_S = 10.0  # a queued run that waits longer is told why


def draw(run: Run, policy: RunPolicy) -> None:
    """The live view; it redraws itself until the run has ended, then once more with the whole page."""
    job = services.job_of(run.id)
    larger.draw(run.id)
    st.fragment(_view, run_every=REFRESH_S if _under_way(run, job) else None)(run.id, policy)


def _under_way(run: Run, job: Job | None) -> bool:
    return run.stop is None and job is not None and not job.ended


def _view(run_id: str, policy: RunPolicy) -> None:
    store = services.store()
    run, job = store.get_run(run_id), services.job_of(run_id)
    events = [event for _, event in store.run_events(run_id)]
    if not _under_way(run, job) and st.session_state.get("watched") == run_id:
        del st.session_state["watched"]
        st.rerun()
    if _under_way(run, job):
        st.session_state["watched"] = run_id
    now = _live_events(job, events)
    steps = views([*events, *now])
    _state_line(run, job, steps, policy)
    _warnings(events)
    left, right = st.columns([11, 9], gap="medium")
    with left:
        _trace(run, job, steps, policy)
    with right:
        _totals(run, steps, _seconds(run, job, [*events, *now]))
        if run.answer:
            st.caption("Answer")
            st.code(
                run.answer, language=None, wrap_lines=True, height=ANSWER_HEIGHT if _is_long(run.answer) else "content"
            )
        _graph(parse(run.text).workflow, steps, running=_under_way(run, job))


def _is_long(answer: str) -> bool:
    return len(answer) > 500 or answer.count("\n") > 9


def _live_events(job: Job | None, events: list[Event]) -> list[Event]:
    """What the worker shows of the visit under way; nothing of a visit that is in the record by now."""
    if job is None or job.ended:
        return []
    finished = max((e.visit for e in events if e.kind == "step_finished"), default=0)
    shown = [Event.model_validate(e) for e in job.live.get("events", [])]
    return [event for event in shown if event.visit > finished]


def _state_line(run: Run, job: Job | None, steps: list[StepView], policy: RunPolicy) -> None:
    """How the run stands, in words, with what can be done about it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.stop is None:
            state = job.state if job else "not started"
            st.markdown(f":material/pending: **{state.capitalize()}**, {plural(len(steps), 'step')} so far")
        else:
            icon = ":material/check_circle:" if run.stop == "terminal" else ":material/error:"
            st.markdown(f"{icon} **{STOP_WORDS[run.stop]}**")
        _buttons(run, job, policy)
    st.caption(plain(_origin(run), 300))
    if run.error:
        st.text(run.error)
    if job and job.state == "failed":
        st.text(job.error)


def _warnings(events: list[Event]) -> None:
    """What was wrong with the run as a whole; folded where it is much."""
    said = [f"{warning['message']} {warning.get('hint') or ''}".strip() for warning in run_warnings(events)]
    place = st.expander(plural(len(said), "warning"), icon=":material/warning:") if len(said) > 1 else st.container()
    with place:
        for sentence in said:
            st.text(sentence)


def _origin(run: Run) -> str:
    """`v2, carried out by openai:gpt-5-mini, 3 min ago`: the fields above say what the next run would take."""
    version = f"v{run.version}" if run.version else "draft"
    again = f", from step {run.fork_visit} on, those before from an earlier run" if run.fork_visit else ""
    return f"{version}, carried out by {run.model}, {ago(run.created_at)}{again}"


def _buttons(run: Run, job: Job | None, policy: RunPolicy) -> None:
    ask = services.request_job
    if job and job.state in ("queued", "running"):
        st.button("Pause", icon=":material/pause:", key="pause-run", on_click=ask, args=(job.id, "pause"))
        st.button("Stop", icon=":material/stop:", key="stop-run", on_click=ask, args=(job.id, "cancel"))
    elif job and job.state in ("paused", "failed"):
        st.button("Resume", icon=":material/play_arrow:", key="resume-run", on_click=ask, args=(job.id, "resume"))
    elif run.stop not in (None, "terminal", "invalid-workflow") and st.button(
        "Go on", icon=":material/play_arrow:", key="go-on", help="From the step at which it stopped."
    ):
        go_on(run, policy)


def _trace(run: Run, job: Job | None, steps: list[StepView], policy: RunPolicy) -> None:
    running = _under_way(run, job)
    if not steps:
        status = str(job.live.get("status") or "") if job else ""
        st.text((status or "Waiting for the worker to begin …") if running else "No step was carried out.")
        if running and job and job.state == "queued" and time.time() - job.created_at > WORKER_PATIENCE_S:
            services.worker_note()
        return
    text = str(job.live.get("text", "")) if job and running else ""
    found = larger.pictures_of(steps)
    rows = [row(step, running=running, text=text) for step in steps]
    asked = trace(rows, key=f"trace-{run.id}", sources=larger.sources(found))
    if asked.picture and asked.picture in found:
        larger.ask(run.id, found[asked.picture])
    if asked.fork:
        fork_from(run, asked.fork, policy)


def _graph(workflow: Workflow, steps: list[StepView], *, running: bool) -> None:
    """The workflow with the way taken: edges with counts, the step under way marked."""
    numbers = {fold(step.name): n for n, step in reversed(list(enumerate(workflow.steps)))}
    visits = [(numbers[fold(s.step)], s) for s in steps if fold(s.step) in numbers]
    taken: Counter[tuple[int, int]] = Counter()
    for number, view in visits:
        keys = [fold(b.key) for b in workflow.steps[number].branches]
        if view.finished and keys:
            taken[number, keys.index(fold(view.branch)) if view.branch and fold(view.branch) in keys else 0] += 1
    states: dict[int, State] = dict.fromkeys((number for number, _ in visits), "visited")
    if running and visits and not visits[-1][1].finished:
        states[visits[-1][0]] = "current"
    graph(workflow, key="run-graph", marks=Marks(states=states, taken=dict(taken)), height="70vh")


def _seconds(run: Run, job: Job | None, events: list[Event]) -> float:
    """What the steps took; while one is carried out with what it has taken so far, but no pause before it."""
    if run.stop:
        return run.totals.seconds
    finished = [event for event in events if event.kind == "step_finished"]
    took = sum(float(event.data["seconds"]) for event in finished)
    if job is None or job.state != "running":
        return took
    since = [event.at for event in events if event.kind in ("step_entered", "step_finished")]
    return took + time.time() - max([job.started_at or job.created_at, *since])


def _totals(run: Run, steps: list[StepView], seconds: float) -> None:
    """What it took, in one table with units."""
    total = run.totals
    calls = total.calls if run.stop else sum(answered(call) for s in steps for call in s.calls)
    cells = {
        "Steps": f"{len(steps):,}",
        "Calls": f"{calls:,}" + (f" ({total.cached} cached)" if total.cached else ""),
        "Tokens": f"{total.prompt_tokens:,} → {total.completion_tokens:,}" if run.stop else "–",
        "Cost": money(total.cost_usd) if run.stop else "–",
        "Time": duration(seconds),
    }
    with st.container(horizontal=True, gap="medium", key="run-totals"):
        for name, value in cells.items():
            with st.container(width="content", gap=None):
                st.caption(name)
                st.text(value)
