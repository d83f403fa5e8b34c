"""A benchmark as it stands; studies that have ended are read once in the life of the app."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.report.grid import Measured
from autoflow.report.grid_read import GridReport, read_grid, read_measured
from autoflow.study import Study
from pages.ui import services


def read(one: Benchmark) -> GridReport:
    """Its cells, and what follows from all of them together."""
    return read_grid(services.store(), one, lambda study: _measured(study.id, study.stop, study.best, study))


def read_by_id(benchmark_id: str) -> GridReport:
    """Raises NotFound."""
    return read(services.store().get_benchmark(benchmark_id))


@st.cache_data(max_entries=2_000, show_spinner=False)
def _measured(study_id: str, stop: str | None, best: int | None, _study: Study) -> Measured:
    return read_measured(services.store(), _study)
