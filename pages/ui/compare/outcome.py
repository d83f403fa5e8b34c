"""What the comparison comes to: the sentence, wins and losses, figures of both sides, what one must know."""

from __future__ import annotations

import streamlit as st

from autoflow.report.bar import bar_svg, bar_words
from autoflow.report.comparison import ComparisonReport
from autoflow.report.notes import notes, side_figures
from pages.ui.plain import plain


def draw(report: ComparisonReport) -> None:
    """The verdict first; figures only where there are some."""
    st.header(plain(report.verdict, 1000), anchor=False)
    for note in notes(report):
        st.caption(plain(note, 500))
    if report.comparison is None:
        return
    left, right = st.columns([4, 6], gap="medium", vertical_alignment="center")
    with left:
        words = bar_words(report.comparison, report.a.name, report.b.name)
        st.image(str(bar_svg(report.comparison, "A", "B")), width="stretch", alt=words)
        st.text(words)
    with right:
        _figures(report)


def _figures(report: ComparisonReport) -> None:
    a, b = side_figures(report.a), side_figures(report.b)
    head = f"| Figure | A {plain(report.a.name)} | B {plain(report.b.name)} |\n|:--|--:|--:|\n"
    rows = [f"| {name} | {plain(first)} | {plain(second)} |" for (name, first), (_, second) in zip(a, b, strict=True)]
    st.markdown(head + "\n".join(rows), width="stretch")
