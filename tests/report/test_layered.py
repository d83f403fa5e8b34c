"""The layout of the graph: whatever the workflow, nothing overlaps, leaves the picture or takes for ever."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.report.layered import GAP_X, MOST_DUMMIES, NODE_HEIGHT, NODE_WIDTH, layout


def graphs() -> st.SearchStrategy[tuple[int, list[tuple[int, int]]]]:
    def edges(count: int) -> st.SearchStrategy[tuple[int, list[tuple[int, int]]]]:
        node = st.integers(0, count - 1)
        return st.tuples(st.just(count), st.lists(st.tuples(node, node), max_size=3 * count))

    return st.integers(1, 25).flatmap(edges)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_nodes_never_overlap_and_everything_lies_in_the_picture(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    found = layout(count, edges, [NODE_HEIGHT] * count)
    rows: dict[float, list[float]] = {}
    for x, y in found.nodes:
        rows.setdefault(y, []).append(x)
    for row in rows.values():
        assert all(b - a >= NODE_WIDTH + GAP_X - 1e-6 for a, b in pairwise(sorted(row)))
    points = [*found.nodes, *(p for line in found.edges for p in line)]
    assert all(-1e-6 <= x <= found.width + 1e-6 and -1e-6 <= y <= found.height + 1e-6 for x, y in points)


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_edges_go_down_unless_they_close_a_loop(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    found = layout(count, edges, [NODE_HEIGHT] * count)
    for (source, target), back in zip(edges, found.back, strict=True):
        assert (found.nodes[source][1] < found.nodes[target][1]) is not back


def test_a_chain_is_a_straight_line() -> None:
    found = layout(5, [(i, i + 1) for i in range(4)], [NODE_HEIGHT] * 5)
    assert len({x for x, _ in found.nodes}) == 1
    assert [y for _, y in found.nodes] == sorted(y for _, y in found.nodes)


def test_a_step_that_leads_to_itself_and_two_that_lead_to_each_other() -> None:
    found = layout(2, [(0, 0), (0, 1), (1, 0)], [NODE_HEIGHT] * 2)
    assert found.back == (True, False, True)


def test_nothing_at_all() -> None:
    assert layout(0, [], []).nodes == ()


def test_edges_that_all_jump_far_stay_cheap() -> None:
    count = 1000
    edges = [(i, i + 1) for i in range(count - 1)] + [(i, count - 1) for i in range(count - 1)]
    assert (count - 2) ** 2 / 2 > MOST_DUMMIES
    found = layout(count, edges, [NODE_HEIGHT] * count)
    assert sum(map(len, found.edges)) == 2 * len(edges)


def test_a_thousand_nested_loops_do_not_recurse() -> None:
    count = 1000
    edges = [(i, i + 1) for i in range(count - 1)] + [(count - 1 - i, i) for i in range(count // 2)]
    assert sum(layout(count, edges, [NODE_HEIGHT] * count).back) == count // 2
