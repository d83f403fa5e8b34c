"""The benchmarks there are; where there is none yet, what one is and how to make the first."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import Benchmark, cells
from autoflow.records import Job
from pages.ui import services
from pages.ui.benchmark.state import under_way
from pages.ui.format import ago, plural
from pages.ui.home import model
from pages.ui.plain import cut, plain

SHOWN = 30
FIRST = (
    "A benchmark is a grid of searches. Generators stand on the left: models that write workflows. Interpreters stand "
    "on top: models that carry them out. In each square one search looks for a better workflow than the one written by "
    "hand, and both are scored on tasks that nobody had seen."
)
HOW = (
    "For a first one, leave everything as it is and press Measure: one model on both sides and a few tasks, some "
    "minutes. To ask whether two models together do better than one, choose the same two on both sides."
)


def introduce() -> None:
    """For who has none yet; and the default model, where it is not here."""
    if not services.store().list_benchmarks(1):
        with st.container(border=True, key="benchmark-first", gap="xsmall"):
            st.markdown(":material/grid_on: **What is a benchmark?**")
            st.text(FIRST)
            st.text(HOW)
    model.missing()


def draw() -> None:
    """Newest first; nothing where there is none yet."""
    found = services.store().list_benchmarks(SHOWN + 1)
    if not found:
        return
    st.header("Benchmarks")
    for one in found[:SHOWN]:
        _row(one)
    if len(found) > SHOWN:
        st.caption(f"Only the latest {SHOWN} are shown.")


def _row(one: Benchmark) -> None:
    spec = one.spec
    with st.container(border=True, key=f"benchmark-{one.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(cut(one.name, 80) or "A benchmark without a name", width="stretch")
            st.page_link(
                services.PAGES["benchmark"], label="Open", icon=":material/open_in_new:",
                query_params={"benchmark": one.id},
            )  # fmt: skip
        facts = [
            _state(one),
            f"{plural(len(spec.generators), 'generator')} × {plural(len(spec.interpreters), 'interpreter')}",
            ", ".join(dict.fromkeys(suite.name for suite in spec.suites)),
            plural(len(spec.variants), "variant") if len(spec.variants) > 1 else "",
            "" if one.recorded else ago(one.created_at),
        ]
        st.caption(plain(" · ".join(filter(None, facts)), 300))


def _state(one: Benchmark) -> str:
    """`a recording`, `3 of 4 cells ended, under way`."""
    if one.recorded:
        return "a recording"
    store = services.store()
    studies, jobs = store.benchmark_studies(one.id), store.benchmark_jobs(one.id)
    ended = sum(study.stop is not None for study in studies.values())
    return f"{ended} of {plural(len(list(cells(one.spec))), 'cell')} ended{_pace(list(jobs.values()))}"


def _pace(jobs: list[Job]) -> str:
    if under_way(jobs):
        return ", under way"
    return ", some failed" if any(job.state == "failed" for job in jobs) else ""
