"""The head of a study: its name, what it was told, and that it is a recording where it is one."""

from __future__ import annotations

import streamlit as st

from autoflow.records import is_id
from autoflow.study import Split, Study
from pages.ui import services
from pages.ui.format import ago, plural
from pages.ui.optimize import suite
from pages.ui.plain import plain

_SPLITS: tuple[tuple[Split, str], ...] = (("train", "train"), ("val", "validation"), ("test", "test"))
METHODS = {
    "in-context": "in-context",
    "paper": "as in the paper",
    "lora": "fine-tuning",
    "evaluate": "scored, not searched",
}


def draw(study: Study) -> None:
    with st.container(horizontal=True):
        st.page_link(services.PAGES["optimize"], label="All studies", icon=":material/arrow_back:", query_params={})
        benchmark_id = st.query_params.get("benchmark", "")
        if is_id(benchmark_id, "bm"):  # it was opened as a cell of that one
            st.page_link(
                services.PAGES["benchmark"], label="The benchmark", icon=":material/grid_on:",
                query_params={"benchmark": benchmark_id},
            )  # fmt: skip
    st.title(plain(study.name or "A study without a name"))
    st.caption(plain(told(study), 400))
    st.caption(plain(suite.about(study.spec.suite), 300))
    if study.recorded:
        with st.container(border=True, key="study-recorded", gap="xsmall"):
            st.markdown(":material/videocam: **A recording, to show around.** It was made before, and cannot go on.")
            st.text(study.recorded)


def told(study: Study) -> str:
    """`in-context · openagi-plan, 8 train / 12 validation / 24 test tasks · written by A, run by B · seed 0 · ...`"""
    spec = study.spec
    sizes = " / ".join(f"{len(study.splits.get(split, ()))} {name}" for split, name in _SPLITS)
    models = (
        f"written by {spec.generator}, run by {spec.interpreter}" if spec.generator else f"run by {spec.interpreter}"
    )
    judge = f", judged by {spec.judge}" if spec.judge else ""
    repeats = plural(spec.repeats, "repeat") if spec.repeats > 1 else ""
    tasks = f"{suite.name_of(spec.suite)}: {sizes} tasks"
    begun = "" if study.recorded else ago(study.created_at)  # of a recording: when it was opened here
    parts = (METHODS[spec.method], tasks, models + judge, repeats, f"seed {spec.seed}", begun)
    return " · ".join(filter(None, parts))
