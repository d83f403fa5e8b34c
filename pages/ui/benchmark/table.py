"""The table in the paper's form, with the published figures apart, and by what all of it was scored."""

from __future__ import annotations

import streamlit as st

from autoflow.report.grid_html import PUBLISHED_WORDS
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_scoring import PUBLISHED, scored_by
from autoflow.report.grid_table import Line, columns, lines, metric_words, span_words, workflow_words
from autoflow.report.grid_words import signed_interval
from pages.ui import services
from pages.ui.components.figures import figures
from pages.ui.plain import cut, plain

SHOWN = 60  # lines
_NAME = 60  # characters of a model's name
_WORDS = ("Interpreter", "Generator", "Workflow", "Tasks of", "Variant")


def draw(report: GridReport) -> None:
    """Nothing where nothing was measured."""
    found = lines(report)
    if not found:
        return
    st.header("Table")
    for suite in report.benchmark.spec.suites:
        st.caption(plain(scored_by(suite, services.store().get_suite), 400))
    shown = found[:SHOWN]
    figures(_columns(report, shown), key="benchmark-table", label="Table", words=_WORDS, strong=_best(shown))
    if len(found) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(found):,} lines; the files have all of them.")
    with st.container(border=True, key="benchmark-published", gap="xsmall"):
        st.subheader("Published, not measured")
        st.caption(PUBLISHED_WORDS)
        figures(
            {
                "Interpreter": [one.interpreter for one in PUBLISHED],
                "Manual, published": [f"{one.manual:.4f}" for one in PUBLISHED],
                "Generated, published": [f"{one.generated:.4f}" for one in PUBLISHED],
                "Generator": [one.generator for one in PUBLISHED],
            },
            key="benchmark-published-table", label="Published, not measured", words=_WORDS,
        )  # fmt: skip


def _best(found: list[Line]) -> list[int]:
    """The best line of each interpreter, suite and variant stands out."""
    best: dict[tuple[str, str, str], int] = {}
    for n, line in enumerate(found):
        place = (line.suite, line.variant, line.interpreter)
        if place not in best or line.mean.mean > found[best[place]].mean.mean:
            best[place] = n
    return list(best.values())


def _columns(report: GridReport, found: list[Line]) -> dict[str, list[str]]:
    told = {
        "Interpreter": [cut(line.interpreter, _NAME) for line in found],
        "Generator": [cut(line.generator, _NAME) or "–" for line in found],
        "Workflow": [workflow_words(line) for line in found],
    }
    if len(report.suites) > 1:
        told["Tasks of"] = [cut(line.suite, _NAME) for line in found]
    if any(line.variant for line in found):
        told["Variant"] = [cut(line.variant, _NAME) or "–" for line in found]
    told |= {column: [metric_words(line, column) for line in found] for column in columns(report)}
    return told | {
        "Average": [f"{line.mean.mean:.3f}" for line in found],
        "95 % interval": [span_words(line.mean, line.tasks, 3) for line in found],
        "Usable": [f"{line.valid:.0%}" for line in found],
        "Calls a run": [f"{line.calls:.1f}" for line in found],
        "Above manual": [signed_interval(line.gain) for line in found],
    }
