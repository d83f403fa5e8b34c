"""The page below its pickers: the outcome, while it comes in and when it is there, and what differs."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from autoflow.records import Job
from autoflow.report.comparison import ComparisonReport
from autoflow.report.load import load_comparison, openings_of_test, tasks_of
from autoflow.report.notes import waiting
from autoflow.study import Split, Study
from autoflow.suites.base import SuiteTask
from pages.ui import services
from pages.ui.compare import earlier, export, missing, outcome, parts, tasks
from pages.ui.compare.chosen import Chosen, Source

REFRESH_S = 1.5


def draw(shown: Chosen) -> None:
    """Live while runs come in; then once more as a whole."""
    source = shown.source
    job = missing.job_of(source.study) if source else None
    if source and missing.under_way(source.study, job):
        st.fragment(_live, run_every=REFRESH_S)(source, shown.setting.split)
        parts.draw_texts(shown.a, shown.b)
        return
    report = _report(source, shown.setting.split) if source else None
    with st.container(horizontal=True, vertical_alignment="center"):
        if report is not None and report.rows:
            export.draw(report)
        missing.draw_ended(job)
        if report is not None and waiting(report):
            link = {"study": report.study.id}
            st.page_link(
                services.PAGES["optimize"], label="Rate the answers", icon=":material/star:", query_params=link
            )
    missing.draw_button(shown, report)
    if report is not None:
        outcome.draw(report)
    parts.draw_texts(shown.a, shown.b)
    if report is not None:
        tasks.draw_traces(report, tasks.draw_tasks(report))
    earlier.draw(source.study if source else None)


def _live(source: Source, split: Split) -> None:
    store = services.store()
    study, job = store.get_study(source.study.id), missing.job_of(source.study)
    if job is None or not missing.under_way(study, job):
        st.rerun()
    else:
        missing.draw_progress(study, job)
        report = _report(source, split, _done(job))
        outcome.draw(report)
        tasks.draw_tasks(report, selectable=False)


def _report(source: Source, split: Split, mark: int = 0) -> ComparisonReport:
    """The comparison, read anew only where something may have changed: it takes seconds where tasks are many."""
    study, store = source.study, services.store()
    if study.stop is None and not mark:
        mark = _done(missing.job_of(study))
    marks = (study.stop, mark, len(store.ratings(study.id)), openings_of_test(store, study.spec.suite))
    return _loaded(study, source.a, source.b, split, marks)


def _done(job: Job | None) -> int:
    """Grows with each fiftieth of the runs."""
    return 0 if job is None else 1 + int(job.done // max(1.0, (job.total or 0.0) // 50))


@st.cache_resource(max_entries=6, ttl=600, show_spinner="Reading what was run", hash_funcs={Study: lambda s: s.id})
def _loaded(study: Study, a: int, b: int, split: Split, marks: tuple[object, ...]) -> ComparisonReport:
    return load_comparison(services.store(), study.id, a, b, split, _tasks(study, split))


@st.cache_resource(max_entries=20, ttl=600, show_spinner=False, hash_funcs={Study: lambda study: study.id})
def _tasks(study: Study, split: Split) -> Mapping[str, SuiteTask]:
    return tasks_of(services.store(), study, split)
