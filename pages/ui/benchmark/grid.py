"""The grid as pictures: generators by interpreters, a picture for each suite and variant; a cell opens its study."""

from __future__ import annotations

from itertools import product
from typing import Literal

import streamlit as st

from autoflow.report.figures import signed
from autoflow.report.grid import GridCell
from autoflow.report.grid_table import GridReport, synergy_words
from pages.ui import services
from pages.ui.components.heatmap import Cell, Map, heatmap
from pages.ui.plain import cut

Shown = Literal["Generated", "Manual", "Plain prompt", "Gain"]
SHOWN: tuple[Shown, ...] = ("Generated", "Manual", "Plain prompt", "Gain")
_SIDES = {"Generated": "found", "Manual": "manual", "Plain prompt": "plain"}
_NAME = 28  # characters of a model's name beside the picture


def draw(report: GridReport) -> None:
    """Nothing where no cell is done."""
    if not any(cell.sides for cell in report.cells):
        st.text("The grid fills as cells come to their test.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Grid")
        st.space("stretch")
        shown: Shown = st.segmented_control(
            "Shown", SHOWN, key="benchmark-shown", default=SHOWN[0], required=True, label_visibility="collapsed"
        ) or SHOWN[0]  # fmt: skip
    st.caption("Score on the sealed test; a gain is shown around the middle of the scale. A cell opens its study.")
    spec = report.benchmark.spec
    for suite, variant in product(range(len(spec.suites)), range(len(spec.variants))):
        name = ", ".join(filter(None, (spec.suites[suite].name, spec.variants[variant].name)))
        if len(spec.suites) * len(spec.variants) > 1:
            st.subheader(name)
        _picture(report, suite, variant, shown, name)
    for one in report.synergies:
        st.text(synergy_words(report, one))


def _picture(report: GridReport, suite: int, variant: int, shown: Shown, name: str) -> None:
    spec = report.benchmark.spec
    there = {
        (g.cell.generator, g.cell.interpreter): g
        for g in report.cells
        if (g.cell.suite, g.cell.variant) == (suite, variant)
    }
    rows = [(n, cut(model, _NAME)) for n, model in enumerate(spec.generators)]
    columns = [str(n) for n in range(len(spec.interpreters))]
    cells = [[_cell(report, there[n, k], shown) for k in range(len(columns))] for n, _ in rows]
    groups = [(cut(model, _NAME), k, k) for k, model in enumerate(spec.interpreters)]
    heatmap(
        f"{report.benchmark.id}-{suite}-{variant}", Map(rows, columns, groups, cells),
        key=f"grid-{suite}-{variant}", label=f"Grid of {name}: generators down, interpreters across", selected=None,
        task=None, on_open=lambda row, column: _open(there[row, int(column)]),
    )  # fmt: skip


def _open(cell: GridCell) -> None:
    services.go("optimize", study=cell.study_id)


def _cell(report: GridReport, found: GridCell, shown: Shown) -> Cell | None:
    spec = report.benchmark.spec
    who = f"{spec.generators[found.cell.generator]} writes, {spec.interpreters[found.cell.interpreter]} runs"
    if shown == "Gain":
        if found.gain is None:
            return None
        d = found.gain.difference
        told = f"{who}\n{signed(d.mean)} above manual, 95 % interval {signed(d.low)} to {signed(d.high)}"
        return Cell((d.mean + 1) / 2, signed(d.mean), told)
    scored = found.sides.get(_SIDES[shown])  # type: ignore[call-overload]
    if scored is None:
        return None
    m = scored.mean
    told = f"{who}\n{shown}: {m.mean:.3f}, 95 % interval {m.low:.3f} to {m.high:.3f}, {scored.valid:.0%} usable"
    return Cell(m.mean, f"{m.mean:.2f}", told)
