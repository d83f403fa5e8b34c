"""The graph as a drawing and as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given, settings

from autoflow.lang import parse
from autoflow.lang.workflow import Workflow
from autoflow.report.bar import bar_svg, bar_words
from autoflow.report.drawing import draw
from autoflow.report.svg import graph_svg
from autoflow.statistics import Comparison, Interval
from tests.lang.strategies import workflows

LOOP = """Step 1:::decision:::Is it <b>done</b>?:::yes::End::no::Step 1::well::End::maybe::Nowhere
End:::terminal:::Say so.:::
"""


def test_edges_of_branches_to_one_step_are_one_and_targets_that_are_none_have_none() -> None:
    drawn = draw(parse(LOOP).workflow)
    assert [(e.source, e.branches, e.key, e.back) for e in drawn.edges] == [
        (0, (0, 2), "yes, well", False),
        (0, (1,), "no", True),
    ]


@settings(max_examples=60, deadline=None)
@given(workflows())
def test_any_workflow_is_well_formed_svg_with_all_its_steps(workflow: Workflow) -> None:
    svg = graph_svg(workflow, key="a")
    if workflow.steps:
        root = ET.fromstring(svg)
        assert len([g for g in root.iter("g") if g.get("class", "").startswith("node")]) == len(workflow.steps)


def test_signs_stand_at_their_steps() -> None:
    root = ET.fromstring(graph_svg(parse(LOOP).workflow, key="a", signs={1: "+"}))
    nodes = [g for g in root.iter("g") if g.get("class", "").startswith("node")]
    assert ["".join(t.text or "" for t in g.iter("text")) for g in nodes] == ["Step 1Is it <b>done</b>?", "End+"]


def test_the_bar_has_the_shares_of_wins_ties_and_losses() -> None:
    found = Comparison(Interval(0.1, 0.0, 0.2), 0.1, wins=3, ties=0, losses=1, tasks=4)
    root = ET.fromstring(bar_svg(found, "old", "new"))
    rects = [r for r in root if r.tag.endswith("rect")]
    assert [(float(r.get("x", "")), float(r.get("width", ""))) for r in rects] == [(0, 448), (450, 148)]
    assert (
        root.get("aria-label") == bar_words(found, "old", "new") == "new better on 3 tasks, same on 0, old better on 1"
    )
