"""One benchmark: how far it is, its grid, its table."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.report.grid_table import GridReport, read_grid
from pages.ui import services
from pages.ui.benchmark import grid, state, table
from pages.ui.plain import plain

REFRESH_S = 3.0


def draw(benchmark_id: str) -> None:
    """Raises NotFound, which the shell tells."""
    one = services.store().get_benchmark(benchmark_id)
    st.page_link(services.PAGES["benchmark"], label="All benchmarks", icon=":material/arrow_back:")
    st.title(plain(one.name, 200) or "A benchmark without a name")
    if one.recorded:
        with st.container(border=True, key="benchmark-recorded", gap="xsmall"):
            st.markdown(":material/videocam: **A recording, to show around.** It was made before, and cannot go on.")
            st.text(one.recorded)
    st.fragment(_live, run_every=REFRESH_S if state.under_way(one) else None)(one)


def _live(one: Benchmark) -> None:
    report = read(one)
    state.draw(one, report)
    grid.draw(report)
    table.draw(report)


def read(one: Benchmark) -> GridReport:
    """As it stands; read anew only where a study has moved."""
    studies = [services.store().get_study(study_id) for study_id in one.studies.values()]
    return _read(one.id, tuple((s.id, s.rounds, s.stop, s.best, s.test_uses, s.seconds) for s in studies))


@st.cache_data(max_entries=30, show_spinner=False)
def _read(benchmark_id: str, moved: tuple[tuple[object, ...], ...]) -> GridReport:
    store = services.store()
    return read_grid(store, store.get_benchmark(benchmark_id))
