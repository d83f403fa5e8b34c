"""How far a benchmark is, what can be done with all of its cells at once, and why some of them have no score."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from autoflow.benchmark import Benchmark
from autoflow.optimize.benchmarking import pause, submit
from autoflow.records import Job
from autoflow.report.grid import ENDED, CellState, GridCell
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_words import pair
from pages.ui import services
from pages.ui.format import plural
from pages.ui.plain import cut

_WORDS: tuple[tuple[CellState, str], ...] = (
    ("running", "running"), ("waiting", "waiting"), ("paused", "paused"), ("failed", "failed"), ("stopped", "stopped"),
    ("deleted", "deleted"),
)  # fmt: skip
SHOWN = 12  # cells that are told one by one
_TOLD = 600  # characters of why a cell failed


def under_way(jobs: Iterable[Job]) -> bool:
    """Whether anything may still come without a person's doing."""
    return any(not job.ended and job.state != "paused" for job in jobs)


def draw(one: Benchmark, report: GridReport, jobs: Iterable[Job]) -> None:
    """`3 of 4 cells done · 1 running`, and the buttons."""
    found, states, all_ = list(jobs), report.states, len(report.cells)
    words = [f"{states[state]} {word}" for state, word in _WORDS if states[state]]
    with st.container(horizontal=True, vertical_alignment="center", key="benchmark-state"):
        head = "Measured" if report.done == all_ else f"{report.done} of {plural(all_, 'cell')} done"
        st.markdown(f"{_icon(report, found)} **{head}**" + "".join(f" · {word}" for word in words), width="stretch")
        if not one.recorded:
            _buttons(one, report, found)
    if 0 < report.done < all_ and under_way(found):
        st.progress(report.done / all_)
    if not one.recorded and any(job.state == "queued" for job in found):
        services.worker_note()


def _icon(report: GridReport, jobs: list[Job]) -> str:
    if under_way(jobs):
        return ":material/pending:"
    if report.states["failed"]:
        return ":material/error:"
    over = all(cell.state in ENDED for cell in report.cells)
    return ":material/check_circle:" if over else ":material/pause_circle:"


def _buttons(one: Benchmark, report: GridReport, jobs: list[Job]) -> None:
    states = report.states
    if any(job.state in ("queued", "running") for job in jobs):
        st.button("Pause all", icon=":material/pause:", key="benchmark-pause", on_click=_pause, args=(one,))
    elif any(job.state == "pausing" for job in jobs):
        st.caption("Pausing after the runs under way", width="content")
    never = states["waiting"] - sum(job.state == "queued" for job in jobs)
    if states["paused"] or states["failed"] or never > 0:
        st.button(
            "Go on", icon=":material/play_arrow:", key="benchmark-resume", on_click=_go_on, args=(one,), type="primary"
        )


def draw_unscored(report: GridReport) -> None:
    """Cells that have no score, and never will without a person's doing; nothing where there are none."""
    found = [
        g for g in report.cells if g.state in ("failed", "stopped", "deleted") or (g.state == "done" and not g.sides)
    ]
    if not found:
        return
    with st.container(border=True, key="benchmark-unscored", gap="xsmall"):
        st.markdown("**Cells without a score**")
        for cell in found[:SHOWN]:
            _unscored(report, cell)
        if len(found) > SHOWN:
            st.caption(f"and {plural(len(found) - SHOWN, 'other')}")
        if any(cell.state == "failed" for cell in found) and not report.benchmark.recorded:
            st.caption("Nothing that was found is lost. Mend the cause, then press Go on.")


def _unscored(report: GridReport, cell: GridCell) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{cut(pair(report, cell), 160)}: {cell.state}. {cut(cell.words, _TOLD)}", width="stretch")
        if cell.state != "deleted":
            st.page_link(
                services.PAGES["optimize"], label="Open", icon=":material/open_in_new:",
                query_params={"study": cell.study_id, "benchmark": report.benchmark.id},
            )  # fmt: skip


def delete(one: Benchmark) -> None:
    """Behind a question: what is under way is paused, and studies stay."""
    with st.popover("Delete", icon=":material/delete:", key="benchmark-delete"):
        st.text("The benchmark goes; its studies stay, and are found on the page Optimize.")
        if st.button("Delete the benchmark", key="benchmark-delete-now"):
            store = services.store()
            pause(store, one)
            store.delete_benchmark(one.id)
            services.go("benchmark")


@services.said
def _pause(one: Benchmark) -> None:
    pause(services.store(), one)


@services.said
def _go_on(one: Benchmark) -> None:
    from autoflow.jobs.supervisor import ensure_worker

    submit(services.store(), one)
    ensure_worker()
