"""What differs between the two texts: step by step, and as graphs."""

from __future__ import annotations

import streamlit as st

from autoflow.lang import parse
from autoflow.lang.diff import diff
from autoflow.report.comparison import signs
from autoflow.report.sides import Text
from pages.ui.components.changes import change_list
from pages.ui.components.graph import graph
from pages.ui.components.steps import Marks
from pages.ui.plain import plain


def draw_texts(a: Text, b: Text) -> None:
    """The two workflows beside each other, before anything is run."""
    first, second = parse(a.text).workflow, parse(b.text).workflow
    found = diff(first, second)
    st.header("What changed from A to B", anchor=False)
    change_list(found, key="compare-changes")
    st.header("Graphs", anchor=False)
    st.caption("\\+ only in B, − only in A, \\~ changed")
    for column, text, workflow, marks, letter in zip(
        st.columns(2, gap="medium"), (a, b), (first, second), signs(found), "AB", strict=True
    ):
        with column:
            st.markdown(f"**{letter}** {plain(text.name)}")
            if workflow.steps:
                graph(
                    workflow,
                    key=f"compare-graph-{letter}",
                    marks=Marks(signs=marks),
                    height="60vh",
                    label=f"Graph of {letter}",
                )
            else:
                st.caption("It has no steps.")
