"""The table in the paper's form, with the published figures apart, and the files to take along."""

from __future__ import annotations

import streamlit as st

from autoflow.report.figures import signed
from autoflow.report.grid import PUBLISHED
from autoflow.report.grid_table import COLUMNS, GridReport, Line, grid_csv, grid_latex, lines
from pages.ui.plain import plain


def draw(report: GridReport) -> None:
    """Nothing where nothing was measured."""
    found = lines(report)
    if not found:
        return
    st.header("Table")
    st.table(_columns(found), border="horizontal")
    with st.container(horizontal=True):
        name = report.benchmark.id
        st.download_button(
            "CSV", grid_csv(report), f"{name}.csv", "text/csv", icon=":material/download:", key="grid-csv"
        )
        st.download_button(
            "LaTeX", grid_latex(report), f"{name}.tex", "text/x-tex", icon=":material/download:", key="grid-tex"
        )
    st.subheader("Published")
    st.caption(
        "Average scores of the paper (arXiv 2407.12821), on its own data and models. Nothing here was measured by us."
    )
    interpreters, manual, best, by = zip(*PUBLISHED, strict=True)
    st.table(
        {"Interpreter": interpreters, "Manual": [f"{v:.4f}" for v in manual], "Generated": [f"{v:.4f}" for v in best],
         "Generator of the best": by}, border="horizontal",
    )  # fmt: skip


def _columns(found: list[Line]) -> dict[str, list[str]]:
    told = {
        "Interpreter": [plain(line.interpreter) for line in found],
        "Generator": [plain(line.generator) or "–" for line in found],
        "Workflow": [line.workflow for line in found],
        "Variant": [plain(line.variant) or "–" for line in found],
    }
    told |= {c: [_number(line.metrics.get(c)) for line in found] for c in COLUMNS if any(c in f.metrics for f in found)}
    return told | {
        "Average": [_number(line.mean) for line in found],
        "95 % interval": [f"{line.low:.3f} to {line.high:.3f}" for line in found],
        "Usable": [f"{line.valid:.0%}" for line in found],
        "Above manual": ["" if line.gain is None else signed(line.gain) for line in found],
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
