"""The tasks that the selected candidate did worst, and the trace of the one that is opened."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from autoflow.errors import NotFound
from autoflow.interpret.trace import run_warnings, views
from autoflow.optimize.view import StudyView
from autoflow.records import STOP_WORDS
from autoflow.report.visits import row
from autoflow.study import SPLITS, Candidate, Outcome, Split
from autoflow.suites.base import SuiteTask
from pages.ui import services
from pages.ui.components.trace import trace
from pages.ui.format import duration, money, plural, tokens
from pages.ui.optimize import loaded, tasks
from pages.ui.optimize.figures import SPLIT_WORDS, number
from pages.ui.plain import plain

SHOWN = 6
ANSWER_HEIGHT = 200  # pixels; a longer answer scrolls


def draw(view: StudyView, candidate: Candidate) -> None:
    """Nothing where it was not run."""
    splits = [split for split in SPLITS if view.outcomes(candidate.number, split)]
    if not splits:
        return
    known = tasks.tasks_of(view.study)
    st.header(f"Tasks of candidate {candidate.number}")
    if why := tasks.missing(view.study):
        st.text(f"The words of the tasks are not known any more: {why}")
    left, right = st.columns([5, 6], gap="medium")
    with left:
        split = _split(splits)
        _worst(view, candidate, split, known)
    with right:
        _opened(view, candidate, known)


def _split(splits: list[Split]) -> Split:
    """The split whose tasks are listed: validation first, where it was run on it."""
    first = "val" if "val" in splits else splits[0]
    picked: Split | None = st.segmented_control(
        "Split", splits, default=first, required=True, format_func=SPLIT_WORDS.__getitem__, key="worst-split",
        label_visibility="collapsed",
    )  # fmt: skip
    return picked or first


def _worst(view: StudyView, candidate: Candidate, split: Split, known: Mapping[str, SuiteTask]) -> None:
    scores = view.task_scores(candidate.number, split)
    before = {} if candidate.parent is None else view.task_scores(candidate.parent, split)
    opened = loaded.task_named(view)
    st.caption("The worst first." if len(scores) > 1 else "The only task.")
    for task in sorted(scores, key=lambda t: (scores[t], t))[:SHOWN]:
        with st.container(border=True, gap="xsmall", key=f"worst-{task}"):
            compared = f" · parent {number(before[task])}" if task in before else ""
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{number(scores[task])}**{compared}", width="stretch")
                st.button(
                    "Open the trace", key=f"open-{task}", type="tertiary", icon=":material/segment:",
                    disabled=task == opened, on_click=loaded.select_run, args=(candidate.number, task),
                )  # fmt: skip
            st.text(tasks.words(known, task, 200))
    if len(scores) > SHOWN:
        st.caption(f"and {len(scores) - SHOWN} more, in the map above")


def _opened(view: StudyView, candidate: Candidate, known: Mapping[str, SuiteTask]) -> None:
    task = loaded.task_named(view)
    if task is None:
        st.caption("Open a trace: here, or by a cell of the map above.")
        return
    repeat = _repeat(view, candidate, task)
    outcome = view.outcome(candidate.number, task, repeat)
    if outcome is None:
        st.text(f"Candidate {candidate.number} was not run on this task.")
        return
    st.markdown(f"**{number(outcome.score)}** · {SPLIT_WORDS[outcome.split]} · {plain(task)}")
    st.text(tasks.words(known, task, 2000))
    _fared(outcome)
    _trace(view, outcome)


def _repeat(view: StudyView, candidate: Candidate, task: str) -> int:
    count = view.study.spec.repeats
    there = [r for r in range(count) if view.outcome(candidate.number, task, r) is not None]
    if len(there) < 2:
        return there[0] if there else 0
    picked = st.segmented_control(
        "Repeat", there, default=there[0], required=True, format_func=lambda r: f"Run {r + 1}", key=f"repeat-{task}"
    )
    return int(picked or 0)


def _fared(outcome: Outcome) -> None:
    """How it ended, what it answered, what would have been right, and what it took."""
    if outcome.stop != "terminal" or outcome.error:
        st.markdown(f":material/error: **{STOP_WORDS[outcome.stop]}**")
        st.text(outcome.error or "No reason was given.")
    for name, text in (("Answer", outcome.answer), ("Expected", outcome.expected)):
        if text:
            st.caption(name)
            st.code(text, language=None, wrap_lines=True, height=ANSWER_HEIGHT if len(text) > 600 else "content")
    took = outcome.totals
    figures = [
        plural(outcome.steps, "step"), plural(took.calls, "call"), tokens(took.prompt_tokens, took.completion_tokens),
        money(took.cost_usd), duration(took.seconds),
    ]  # fmt: skip
    parts = [f"{name} {number(value)}" for name, value in outcome.parts.items()]
    judge = (
        f"judge: {plural(outcome.judge.calls, 'call')}, {money(outcome.judge.cost_usd)}" if outcome.judge.calls else ""
    )
    st.caption(plain(" · ".join(filter(None, [*figures, *parts, judge])), 400))


def _trace(view: StudyView, outcome: Outcome) -> None:
    try:
        events = services.store().outcome_events(view.study.id, outcome.candidate, outcome.task, outcome.repeat)
    except NotFound as error:
        st.text(error.message)
        return
    for warning in run_warnings(events):
        st.text(f"{warning['message']} {warning.get('hint') or ''}".strip())
    steps = views(events)
    if not steps:
        st.text("No step was carried out.")
        return
    shown = [row(step, running=False) | {"can_fork": False} for step in steps]
    trace(shown, key=f"study-trace-{outcome.candidate}-{outcome.task}-{outcome.repeat}")
