"""What a graph is given to draw."""

from __future__ import annotations

from autoflow.lang import parse
from pages.ui.components.graph import _drawing
from pages.ui.components.steps import Marks

TEXT = """Step 1:::decision:::Is it urgent?:::yes::Step 7::no::Step 7::later::End
Step 7:::process:::Write an answer.:::next::End
End:::terminal:::Say so.:::
"""


def test_branches_to_one_step_share_an_edge_with_all_their_answers() -> None:
    drawn = _drawing(parse(TEXT).workflow, (), Marks(taken={(0, 0): 1, (0, 1): 2}))
    assert [(edge["key"], edge["count"]) for edge in drawn["edges"]] == [("yes, no", 3), ("later", 0), ("", 0)]


def test_a_numbered_step_says_how_its_instruction_begins_wherever_it_stands() -> None:
    drawn = _drawing(parse(TEXT).workflow, (), Marks())
    assert [node["lines"] for node in drawn["nodes"]] == [
        ["Step 1", "Is it urgent?"],
        ["Step 7", "Write an answer."],
        ["End"],
    ]
