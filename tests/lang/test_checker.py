"""The rules on whole workflows: names, targets, reachability; and workflows that came from no text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.lang import Branch, Comment, Step, Workflow, check, format, graph, parse
from tests.lang.strategies import texts, workflows


def text(**ways: str) -> str:
    """Steps that lead to the named ones: one name makes a process, several a decision, none a terminal."""
    lines = []
    for name, targets in ways.items():
        kind = ("terminal", "process")[len(targets.split())] if len(targets.split()) < 2 else "decision"
        keys = ["next"] if kind == "process" else [f"k{number}" for number in range(len(targets))]
        pairs = zip(keys, targets.split(), strict=False)
        lines.append(f"{name}:::{kind}:::Do it.:::" + "::".join(f"{key}::{target}" for key, target in pairs))
    return "\n".join(lines) + "\n"


def found(source: str) -> list[tuple[str, int]]:
    return [(diagnostic.slug, diagnostic.line) for diagnostic in parse(source).diagnostics]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (text(A="B", B="A C", C=""), []),
        (text(A="A C", C=""), []),
        (text(A="B", B="A"), [("no-terminal", 2)]),
        (text(A="A"), [("no-terminal", 1)]),
        (text(A="A", B=""), [("endless-loop", 1), ("unreachable", 2)]),
        (text(A="B D", B="C", C="B", D=""), [("endless-loop", 2)]),
        (text(A="B E", B="C", C="D", D="C", E=""), [("dead-end", 2), ("endless-loop", 3)]),
        (text(A="B C Z", B="B", C="C", Z=""), [("endless-loop", 2), ("endless-loop", 3)]),
        (text(A="B", B="", C="D", D="C"), [("unreachable", 3), ("unreachable", 4)]),
        (text(A="B", B="", C="B"), [("unreachable", 3)]),
        (text(A="Q", B=""), [("unknown-target", 1)]),
        (text(A="B Q", B="B", C=""), [("unknown-target", 1), ("endless-loop", 2)]),
        (text(A="B", B="Q"), [("unknown-target", 2)]),
        (text(A="B", B="", C="Q"), [("unreachable", 3), ("unknown-target", 3)]),
    ],
)
def test_reachability_says_what_is_certain_and_nothing_twice(source: str, expected: list[tuple[str, int]]) -> None:
    assert found(source) == expected


def test_a_duplicate_is_not_unreachable_nor_is_what_only_it_leads_to() -> None:
    source = text(A="B", B="") + "b:::process:::Again.:::next::D\n" + text(D="")
    assert found(source) == [("duplicate-name", 3)]
    assert "line 2" in parse(source).diagnostics[0].message


def test_a_step_without_a_name_is_not_unreachable() -> None:
    assert found(text(A="B", B="") + ":::process:::Lost.:::next::B\n") == [("empty-name", 3)]


def test_lines_that_lack_fields_explain_a_missing_terminal_and_a_missing_entry() -> None:
    assert found("Z:::process\n" + text(A="B", B="", C="B")) == [("missing-field", 1)]
    assert found(text(A="A") + "Z:::terminal\n") == [("missing-field", 2)]
    assert found(text(A="B", B="") + "Z:::terminal\n" + text(C="B")) == [("missing-field", 3), ("unreachable", 4)]


def test_steps_behind_a_faulty_branch_are_not_called_unreachable() -> None:
    source = "A:::process:::Do it.:::next::\n" + text(B="C", C="")
    assert found(source) == [("empty-branch", 1)]


def test_only_the_first_unknown_targets_get_a_near_name() -> None:
    source = "".join(f"Step {n}:::process:::Do.:::next::Stepp {n}\n" for n in range(50)) + "End:::terminal:::Stop.:::\n"
    hints = [d.hint for d in parse(source).diagnostics if d.slug == "unknown-target"]
    assert len(hints) == 50
    assert [("did you mean" in hint) for hint in hints] == [True] * 20 + [False] * 30


def test_of_one_line_only_so_many_unknown_targets_are_listed_and_the_rest_counted() -> None:
    branches = "::".join(f"k{n}::Nowhere {n}" for n in range(30))
    diagnostics = parse(f"A:::decision:::Is it?:::{branches}\n").diagnostics
    assert len(diagnostics) == 20
    assert "10 more" in diagnostics[-1].message


@given(workflows())
@settings(max_examples=200, deadline=None)
def test_checking_a_workflow_finds_what_reading_its_text_finds(workflow: Workflow) -> None:
    read = parse(format(workflow))
    assert check(workflow) == tuple(replace(diagnostic, fix=None) for diagnostic in read.diagnostics)
    assert read.ok


@given(texts())
@settings(max_examples=200, deadline=None)
def test_a_workflow_read_without_errors_has_none_when_checked(source: str) -> None:
    result = parse(source)
    slugs = {diagnostic.slug for diagnostic in check(result.workflow) if diagnostic.severity == "error"}
    assert bool(slugs) == bool({d.slug for d in parse(format(result.workflow)).diagnostics if d.severity == "error"})


END = Step("End", "terminal", "Stop.")


@pytest.mark.parametrize(
    ("step", "slugs"),
    [
        (Step("#A", "process", "Do.", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step("A::B", "process", "Do.", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step(":A", "process", "Do.", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step("A:", "process", "Do.", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step("A::", "process", "Do.", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step("A", "process", "Do.", (Branch("next", "End:"),)), ["unknown-target"]),
        (Step("A", "process", ":Do.", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step("A", "process", "Do:::it", (Branch("next", "End"),)), ["reserved-mark"]),
        (Step("A", "decision", "Do?", (Branch("a::b", "End"), Branch("c", "End"))), ["reserved-mark"]),
        (Step("A", "decision", "Do?", (Branch("a:", "End"), Branch("c", "End"))), ["reserved-mark"]),
        (Step("A", "process", "Do.", (Branch("", "End"),)), ["missing-key"]),
        (Step("A", "process", "Do.", (Branch("next", ""),)), ["empty-branch"]),
        (Step("A", "process", "Do.", (Branch("then", "End"),)), ["process-branches"]),
        (Step("A", "process", "Do."), ["process-branches"]),
        (Step("A", "End", "Do."), ["unknown-type"]),
        (Step("A", "", "Do."), ["unknown-type"]),
        (Step(" ", "terminal", "Do."), ["empty-name"]),
        (Step("A", "terminal", "\n"), ["control-character", "empty-instruction"]),
        (Step("A", "Process", "Do\nit.", (Branch("NEXT", "end"),)), ["control-character"]),
        (Step("A", "process", "Do\u2028it.", (Branch("next", "End"),)), ["control-character"]),
        (Step(" A ", "PROCESS", "Do  it.", (Branch("Next", " END "),)), []),
    ],
)
def test_forms_and_json_obey_the_rules_of_the_text(step: Step, slugs: list[str]) -> None:
    diagnostics = check(Workflow((step, END)))
    unreachable = [d for d in diagnostics if d.slug == "unreachable"]
    assert [d.slug for d in diagnostics if d not in unreachable] == slugs
    assert all(d.fix is None for d in diagnostics)


def test_comments_that_would_be_read_as_steps_become_comments() -> None:
    workflow = Workflow((END,), (Comment("A:::process:::x:::", 0), Comment("two\nlines", 9)))
    assert format(workflow) == "# A:::process:::x:::\nEnd:::terminal:::Stop.:::\ntwo lines\n"
    assert [(d.slug, d.line) for d in check(workflow)] == [("prose", 3)]


def test_an_empty_workflow_has_no_steps() -> None:
    assert [d.slug for d in check(Workflow())] == ["no-steps"]


graphs = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


@given(graphs)
def test_closed_loops_are_those_whose_members_reach_just_each_other(ways: list[list[int]]) -> None:
    reach = {step: graph.reachable(ways[step], ways) for step in range(len(ways))}
    expected = {frozenset(reach[s]) for s in reach if s in reach[s] and all(reach[s] == reach[t] for t in reach[s])}
    loops = graph.closed_loops(range(len(ways)), ways)
    assert {frozenset(loop) for loop in loops if loop[0] in reach[loop[0]]} == expected


def test_a_chain_of_a_hundred_thousand_steps_needs_no_recursion() -> None:
    size = 100_000
    ways = [[step + 1] for step in range(size - 1)] + [[0]]
    assert graph.closed_loops(range(size), ways) == [list(range(size))]
