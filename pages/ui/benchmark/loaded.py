"""A benchmark as it stands; studies that have ended are read once, and again when a person has rated answers."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.report.grid import Measured
from autoflow.report.grid_read import GridReport, read_grid, read_measured
from autoflow.study import Study
from autoflow.suites.registry import TABLE
from pages.ui import services


def read(one: Benchmark) -> GridReport:
    """Its cells, and what follows from all of them together."""
    return read_grid(
        services.store(), one, lambda study: _measured(study.id, study.stop, study.best, _rated(study), study)
    )


def read_by_id(benchmark_id: str) -> GridReport:
    """Raises NotFound."""
    return read(services.store().get_benchmark(benchmark_id))


def _rated(study: Study) -> int:
    """How many ratings it has: they change scores after the end. Only answers to people's own tables wait for them."""
    return len(services.store().ratings(study.id)) if study.spec.suite.name == TABLE else 0


@st.cache_data(max_entries=2_000, show_spinner=False)
def _measured(study_id: str, stop: str | None, best: int | None, rated: int, _study: Study) -> Measured:
    return read_measured(services.store(), _study)
