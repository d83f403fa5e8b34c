"""One benchmark: how far it is, its grid, its table, its tasks, and the files to take along."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.records import Job
from autoflow.report.grid_words import facts
from pages.ui import services
from pages.ui.benchmark import beside, export, grid, loaded, state, table
from pages.ui.plain import plain

REFRESH_S = 3.0


def draw(benchmark_id: str) -> None:
    """Raises NotFound, which the shell tells."""
    one = services.store().get_benchmark(benchmark_id)
    st.page_link(services.PAGES["benchmark"], label="All benchmarks", icon=":material/arrow_back:", query_params={})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(plain(one.name, 200) or "A benchmark without a name", width="stretch")
        export.draw(one)
        if not one.recorded:
            state.delete(one)
    if one.recorded:
        with st.container(border=True, key="benchmark-recorded", gap="xsmall"):
            st.markdown(":material/videocam: **A recording, to show around.** It was made before, and cannot go on.")
            st.text(one.recorded)
    live = state.under_way(_jobs(one))
    st.fragment(_live, run_every=REFRESH_S if live else None)(one, live)
    with st.expander("How it was made", icon=":material/info:", key="benchmark-facts"):
        for name, value in facts(one, tuple(loaded.read(one).suites)):
            st.text(f"{name}: {value}")


def _live(one: Benchmark, live: bool) -> None:
    """Args: live: whether this part redraws itself, which only the whole page can begin and end."""
    jobs = _jobs(one)
    if state.under_way(jobs) != live:
        st.rerun()
    report = loaded.read(one)
    state.draw(one, report, jobs)
    state.draw_unscored(report)
    grid.draw(report)
    table.draw(report)
    beside.draw(report)


def _jobs(one: Benchmark) -> list[Job]:
    return [] if one.recorded else list(services.store().benchmark_jobs(one.id).values())
