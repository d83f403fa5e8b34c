"""The benchmarks there are."""

from __future__ import annotations

import streamlit as st

from autoflow.benchmark import Benchmark
from pages.ui import services
from pages.ui.format import ago, plural
from pages.ui.plain import cut, plain

SHOWN = 30


def draw() -> None:
    """Newest first; nothing where there is none yet."""
    found = services.store().list_benchmarks(SHOWN + 1)
    if not found:
        return
    st.header("Benchmarks")
    for one in found[:SHOWN]:
        _row(one)
    if len(found) > SHOWN:
        st.caption(f"Only the latest {SHOWN} are shown.")


def _row(one: Benchmark) -> None:
    spec = one.spec
    with st.container(border=True, key=f"benchmark-{one.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(cut(one.name or "A benchmark without a name", 80), width="stretch")
            st.page_link(
                services.PAGES["benchmark"], label="Open", icon=":material/open_in_new:",
                query_params={"benchmark": one.id},
            )  # fmt: skip
        facts = [
            "a recording" if one.recorded else ago(one.created_at),
            plural(len(spec.generators), "generator"), plural(len(spec.interpreters), "interpreter"),
            ", ".join(suite.name for suite in spec.suites),
        ]  # fmt: skip
        st.caption(plain(" · ".join(facts), 300))
