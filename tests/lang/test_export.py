"""Pictures of workflows. What Mermaid makes of them was looked at in a browser (11.17); here are the texts it read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from autoflow.lang.export import MERMAID_MAX_CHARACTERS, TYPE_COLOURS, to_dot, to_mermaid
from autoflow.lang.workflow import Branch, Step, Workflow
from tests.lang.workflows import broken, sound

WORKFLOW = Workflow(
    (
        Step("Read", "process", "Read the mail", (Branch("next", "Check"),)),
        Step("Check", "decision", "Is it urgent?", (Branch("yes", "Answer"), Branch("no", "Lost"))),
        Step("Answer", "terminal", "Answer it"),
    )
)


def test_mermaid_has_a_shape_for_each_type_and_a_node_for_what_is_missing() -> None:
    lines = [line.strip() for line in to_mermaid(WORKFLOW).splitlines()]
    assert lines[0] == "flowchart TD"
    assert [line for line in lines if not line.startswith(("classDef", "class "))][2:] == [
        's0("Read<br/>Read the mail")',
        's1{"Check<br/>Is it urgent#63;"}',
        's2(["Answer<br/>Answer it"])',
        'm0["? Lost"]',
        "s0 --> s1",
        's1 -->|"yes"| s2',
        's1 -.->|"no"| m0',
    ]


def test_mermaid_shows_a_run_and_its_problems() -> None:
    text = to_mermaid(WORKFLOW, current="check", taken={("Read", "NEXT"): 2, ("check", "Yes"): 1}, problems=["Answer"])
    assert 's0 ==>|"×2"| s1' in text
    assert 's1 ==>|"yes ×1"| s2' in text
    assert "class s1 current" in text
    assert 's2(["⚠ Answer<br/>Answer it"])' in text
    assert "class s2 problem" in text


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ('He said "stop"', "He said #34;stop#34;"),
        ("<img src=x>", "#60;img src#61;x#62;"),
        ("end", "end"),
        ("a\nclick s0 call x()", "a click s0 call x#40;#41;"),
        ("%%{init: {}}%%", "#37;#37;#123;init#58;#8288; #123;#125;#125;#37;#37;"),
        ("`**md**`", "#96;#42;#42;md#42;#42;#96;"),
        ("#34; &amp;", "#35;34#59; #38;amp#59;"),
        ("1. first", "1#46; first"),
        ("$$x$$", "#36;#8288;#36;#8288;x#36;#8288;#36;#8288;"),
        (r"a\nb", "a#92;#8288;nb"),
        ("fa:fa-car", "fa#58;#8288;fa#45;car"),
        ("\u202eabc\ud800", "abc"),
        ("ﬂ°°34¶ß", "ﬂ#176;#176;34#182;ß"),
        ("x" * 10_000, "x" * 39 + "…"),
    ],
)
def test_labels_stay_labels(label: str, written: str) -> None:
    assert f's0(["{written}"])' in to_mermaid(Workflow((Step(label, "terminal", ""),)))


NODE = r's\d+(\(\[|\(|\{|\[)"[^"\n]*"(\]\)|\)|\}|\])|m\d+\["[^"\n]*"\]|class [sm]\d+ [a-z]+'
EDGE = r's\d+ (-->|==>|-\.->)(\|"[^"\n]*"\|)? [sm]\d+'
HEAD = r"flowchart TD|accTitle: Workflow of \d+ steps|classDef [a-z]+ [a-z0-9#:,\- ]+"


@given(broken() | sound())
def test_no_text_reaches_the_syntax_of_mermaid(workflow: Workflow) -> None:
    for line in to_mermaid(workflow, problems=[s.name for s in workflow.steps]).splitlines():
        assert re.fullmatch(rf"\s*({HEAD}|{NODE}|{EDGE})", line), line
        for label in re.findall(r'"([^"]*)"', line):
            plain = re.sub(r"#\d+;|<br/>|^[⚠?] ", "", label)
            assert all(c.isalnum() or c in " ,…×" for c in plain), label


@given(broken() | sound())
def test_no_text_reaches_the_syntax_of_dot(workflow: Workflow) -> None:
    text = '"(?:[^"\\\\\n]|\\\\.)*"'
    attribute = rf"(label|style|fillcolor|color|fontcolor)=({text}|dashed)|shape=[a-z]+"
    for line in to_dot(workflow).splitlines()[3:-1]:
        assert re.fullmatch(rf"    ([sm]\d+|s\d+ -> [sm]\d+) \[({attribute})(, ({attribute}))*\];", line), line


def test_labels_give_way_where_mermaid_would_refuse_the_text() -> None:
    steps = [Step(f"Step {k}", "process", "word " * 30, (Branch("next", f"Step {k + 1}"),)) for k in range(400)]
    text = to_mermaid(Workflow(tuple(steps)))
    assert len(text) <= MERMAID_MAX_CHARACTERS
    assert text.count("s399 ") + text.count("s399(") >= 2


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it, 0 to 1."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("kind", TYPE_COLOURS)
def test_text_is_readable_on_its_colour(kind: str) -> None:
    low, high = sorted((luminance(TYPE_COLOURS[kind].fill), luminance(TYPE_COLOURS[kind].text)))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_dot_draws_what_is_missing_dashed() -> None:
    text = to_dot(WORKFLOW)
    assert 's1 -> m0 [label="no", style=dashed];' in text
    assert 's0 [label="Read\\nRead the mail", shape=box' in text


def test_dot_escapes_what_graphviz_would_read() -> None:
    text = to_dot(Workflow((Step('a"b', "terminal", r"c\N &quot; d"),)))
    assert r'label="a\"b\nc\\N &amp;quot; d"' in text
