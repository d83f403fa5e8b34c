"""The comparison as a file to send: HTML that opens anywhere, CSV for spreadsheets."""

from __future__ import annotations

import re
from functools import partial

import streamlit as st

from autoflow.report.comparison import ComparisonReport
from autoflow.report.csv import report_csv
from autoflow.report.html import report_html
from autoflow.report.load import trace_pairs
from pages.ui import services


def draw(report: ComparisonReport) -> None:
    """Files are made when they are asked for."""
    name = file_name(report)
    with st.popover("Export", icon=":material/download:"):
        st.caption("One file each, with nothing to load from elsewhere. The HTML has the traces that differ most.")
        st.download_button(
            "HTML", partial(_html, report), f"{name}.html", "text/html", icon=":material/html:", key="export-html",
            on_click="ignore", width="stretch",
        )  # fmt: skip
        st.download_button(
            "CSV", partial(_csv, report), f"{name}.csv", "text/csv", icon=":material/table:", key="export-csv",
            on_click="ignore", width="stretch",
        )  # fmt: skip


def file_name(report: ComparisonReport) -> str:
    """Letters, digits and dashes, whatever the two are called."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{report.a.name} and {report.b.name}".casefold()).strip("-")
    return words[:80].strip("-") or "comparison"


def _html(report: ComparisonReport) -> str:
    return report_html(report, trace_pairs(services.store(), report))


def _csv(report: ComparisonReport) -> bytes:
    """With a byte order mark, without which Excel takes UTF-8 for something else."""
    return report_csv(report).encode("utf-8-sig", "backslashreplace")
