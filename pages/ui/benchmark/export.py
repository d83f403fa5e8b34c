"""A benchmark as files to take along. Each is made when it is asked for."""

from __future__ import annotations

import re
from functools import partial

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.report.grid_files import grid_csv, grid_latex, grid_tasks_csv
from autoflow.report.grid_html import grid_html
from autoflow.report.grid_read import objectives
from pages.ui import services
from pages.ui.benchmark.loaded import read_by_id


def draw(one: Benchmark) -> None:
    name = file_name(one)
    with st.popover("Export", icon=":material/download:"):
        st.caption("One file each, with nothing to load from elsewhere; what is done by now stands in it.")
        for label, make, ending, kind, icon in _KINDS:
            st.download_button(
                label, partial(make, one.id), f"{name}{ending}", kind, icon=icon, on_click="ignore", width="stretch",
                key=f"benchmark-export-{label}",
            )  # fmt: skip


def file_name(one: Benchmark) -> str:
    """Letters, digits and dashes, whatever it is called."""
    return re.sub(r"[^a-z0-9]+", "-", one.name.casefold()).strip("-")[:80].strip("-") or "benchmark"


def _html(benchmark_id: str) -> str:
    store, report = services.store(), read_by_id(benchmark_id)
    return grid_html(report, objectives(store, report.benchmark), saved=store.get_suite)


def _csv(benchmark_id: str) -> bytes:
    """With a byte order mark, without which Excel takes UTF-8 for something else."""
    return grid_csv(read_by_id(benchmark_id)).encode("utf-8-sig", "backslashreplace")


def _tasks(benchmark_id: str) -> bytes:
    return grid_tasks_csv(read_by_id(benchmark_id)).encode("utf-8-sig", "backslashreplace")


def _latex(benchmark_id: str) -> str:
    return grid_latex(read_by_id(benchmark_id))


_KINDS = (
    ("HTML", _html, ".html", "text/html", ":material/html:"),
    ("CSV of workflows", _csv, ".csv", "text/csv", ":material/table:"),
    ("CSV of tasks", _tasks, "-tasks.csv", "text/csv", ":material/table_rows:"),
    ("LaTeX", _latex, ".tex", "text/x-tex", ":material/functions:"),
)
