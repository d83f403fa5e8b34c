"""Benchmark: generators with interpreters, the manual workflow beside what each finds."""

from __future__ import annotations

import streamlit as st

from pages.ui import services
from pages.ui.benchmark import listed, page, setup

benchmark_id = services.query_id("benchmark", "bm")
if benchmark_id is None:
    st.title("Benchmark")
    st.text("Which model writes best, and which carries out best? A grid of both, measured on sealed tests.")
    listed.introduce()
    setup.draw()
    listed.draw()
else:
    page.draw(benchmark_id)
