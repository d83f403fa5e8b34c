"""What is wrong with rows, in a few sentences, and row by row for whoever wants to mend them."""

from __future__ import annotations

import streamlit as st

from autoflow.suites.table_rows import Preview
from pages.ui.format import plural

SHOWN = 200  # problems that are listed


def draw(key: str, seen: Preview) -> None:
    good = len(seen.rows)
    icon = ":material/check_circle:" if good == seen.total else ":material/warning:"
    st.markdown(f"{icon} **{good:,} of {plural(seen.total, 'row')} can be used.**")
    unused = [f"Columns that are not used: {', '.join(seen.unused)}."] if seen.unused else []
    with st.container(gap="xsmall"):
        for sentence in (*seen.notes, *seen.sentences(), *unused):
            st.text(sentence)
    if seen.problems and st.toggle("Show the rows", key=f"{key}-problems"):
        listed = [{"Row": p.row, "What is wrong": p.words} for p in seen.problems[:SHOWN]]
        st.dataframe(listed, hide_index=True, width="stretch")
        if sum(seen.counts.values()) > len(listed):
            st.caption(f"The first {len(listed)} of {sum(seen.counts.values()):,}.")
