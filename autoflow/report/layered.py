"""Where the nodes and edges of a workflow's graph lie: a layered layout, top to bottom.

The steps of Sugiyama, Tagawa and Toda (1981): turn loops round, give each node a layer, break long edges with dummy
nodes, order the layers by barycentres, place the nodes. Left out: the optimal variants of each step, which would cost
more than linear time for a picture that a few hundred nodes do not need. Edges that go back run outside, in lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

NODE_WIDTH, NODE_HEIGHT, DECISION_HEIGHT = 178.0, 48.0, 66.0
GAP_X, GAP_Y, LANE = 26.0, 46.0, 22.0
SWEEPS = 6
MOST_DUMMIES = 20_000  # beyond it long edges run straight: n edges over n layers would need n squared
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of the nodes and the points that each edge passes, in pixels; y grows downwards."""

    nodes: tuple[Point, ...]
    edges: tuple[tuple[Point, ...], ...]  # the first lies on the source's rim, the last on the target's
    back: tuple[bool, ...]  # the edge goes up, in a lane
    width: float
    height: float


def layout(count: int, edges: Sequence[tuple[int, int]], heights: Sequence[float]) -> Layout:
    """Lay out `count` nodes; an edge is (source, target), and there may be several between the same two."""
    back = _back_edges(count, edges)
    layers, chains = _layers(count, edges, back)
    _order(layers, chains)
    x = _place(layers, chains)
    tops = _tops(layers, heights)
    middle = {v: (x[v], tops[r] + _layer_height(layer, heights) / 2) for r, layer in enumerate(layers) for v in layer}
    left = min(x.values(), default=0.0) - NODE_WIDTH / 2
    right = max(x.values(), default=0.0) + NODE_WIDTH / 2
    sides = _sides(edges, back, layers)
    lanes = {side: _lanes([(e, middle[s][1], middle[t][1]) for e, (s, t) in enumerate(edges) if sides.get(e) == side])
             for side in (-1, 1)}  # fmt: skip
    rims = {side: LANE * (max(lanes[side].values()) + 2) if lanes[side] else 0.0 for side in (-1, 1)}
    out = {e: (left if side < 0 else right) + side * LANE * (lanes[side][e] + 1) for e, side in sides.items()}
    points = [
        _loop(middle[s], middle[t], sides[e], out[e]) if back[e]
        else _down([middle[v] for v in chains[e]], heights[s], heights[t])
        for e, (s, t) in enumerate(edges)
    ]  # fmt: skip
    shift = rims[-1] - left
    return Layout(
        nodes=tuple((middle[i][0] + shift, middle[i][1]) for i in range(count)),
        edges=tuple(tuple((px + shift, py) for px, py in line) for line in points),
        back=tuple(back),
        width=right - left + rims[-1] + rims[1] if count else 0.0,
        height=tops[-1] + _layer_height(layers[-1], heights) if layers else 0.0,
    )


def _back_edges(count: int, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """Which edges close a loop, seen in a depth-first walk from the first node (without recursion)."""
    out: list[list[int]] = [[] for _ in range(count)]
    for e, (source, _) in enumerate(edges):
        out[source].append(e)
    state, back = [0] * count, [False] * len(edges)  # state: 0 unseen, 1 on the path, 2 done
    for root in range(count):
        if state[root]:
            continue
        state[root], path = 1, [(root, iter(out[root]))]
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                path.pop()
                continue
            target = edges[following][1]
            if state[target] == 1:
                back[following] = True
            elif state[target] == 0:
                state[target] = 1
                path.append((target, iter(out[target])))
    return back


def _layers(
    count: int, edges: Sequence[tuple[int, int]], back: Sequence[bool]
) -> tuple[list[list[int]], list[list[int]]]:
    """Layers of nodes (dummies are numbered from `count`), and the nodes that each forward edge passes."""
    rank = _longest_paths(count, [edge for edge, b in zip(edges, back, strict=True) if not b])
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for node in range(count):
        layers[rank[node]].append(node)
    forward = [(source, target) for (source, target), b in zip(edges, back, strict=True) if not b]
    bend = sum(rank[target] - rank[source] - 1 for source, target in forward) <= MOST_DUMMIES
    chains: list[list[int]] = []
    dummy = count
    for (source, target), b in zip(edges, back, strict=True):
        chain = [source]
        for r in range(rank[source] + 1, rank[target]) if bend and not b else ():
            layers[r].append(dummy)
            chain.append(dummy)
            dummy += 1
        chains.append([] if b else [*chain, target])
    return layers, chains


def _longest_paths(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    rank, waiting = [0] * count, [0] * count
    out: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        out[source].append(target)
        waiting[target] += 1
    ready = [node for node in range(count) if not waiting[node]]
    for node in ready:  # grows while it is walked
        for target in out[node]:
            rank[target] = max(rank[target], rank[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return rank


def _neighbours(chains: Sequence[Sequence[int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            below.setdefault(upper, []).append(lower)
            above.setdefault(lower, []).append(upper)
    return above, below


def _order(layers: list[list[int]], chains: Sequence[Sequence[int]]) -> None:
    """Sort each layer by the mean place of its neighbours, down and up again, so that few edges cross."""
    above, below = _neighbours(chains)
    for sweep in range(SWEEPS):
        near, walk = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        place: dict[int, float] = {}
        for layer in walk:
            own = {v: i / len(layer) for i, v in enumerate(layer)}
            wish = {v: fmean(place[n] for n in near[v]) if near.get(v) else own[v] for v in layer}
            layer.sort(key=lambda v: (wish[v], own[v]))
            place.update({v: (i + 0.5) / len(layer) for i, v in enumerate(layer)})


def _place(layers: Sequence[Sequence[int]], chains: Sequence[Sequence[int]]) -> dict[int, float]:
    """x of each node: close to its neighbours, never closer to the next in its layer than the gap."""
    above, below = _neighbours(chains)
    step = NODE_WIDTH + GAP_X
    x = {v: (i - (len(layer) - 1) / 2) * step for layer in layers for i, v in enumerate(layer)}
    for sweep in range(SWEEPS):
        near, walk = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        for layer in walk:
            wish = [fmean(x[n] for n in near[v]) if near.get(v) else x[v] for v in layer]
            x.update(zip(layer, _apart(wish, step), strict=True))
    return x


def _apart(wish: Sequence[float], step: float) -> list[float]:
    """The wishes, moved as little as need be so that they lie `step` apart: the mean of a push from either side."""
    pushed = list(wish)
    for i in range(1, len(pushed)):
        pushed[i] = max(pushed[i], pushed[i - 1] + step)
    pulled = list(wish)
    for i in range(len(pulled) - 2, -1, -1):
        pulled[i] = min(pulled[i], pulled[i + 1] - step)
    return [(a + b) / 2 for a, b in zip(pushed, pulled, strict=True)]


def _layer_height(layer: Sequence[int], heights: Sequence[float]) -> float:
    return max((heights[v] for v in layer if v < len(heights)), default=NODE_HEIGHT)


def _tops(layers: Sequence[Sequence[int]], heights: Sequence[float]) -> list[float]:
    tops, y = [], 0.0
    for layer in layers:
        tops.append(y)
        y += _layer_height(layer, heights) + GAP_Y
    return tops


def _down(middles: Sequence[Point], source_height: float, target_height: float) -> tuple[Point, ...]:
    first, last = middles[0], middles[-1]
    return ((first[0], first[1] + source_height / 2), *middles[1:-1], (last[0], last[1] - target_height / 2))


def _sides(edges: Sequence[tuple[int, int]], back: Sequence[bool], layers: Sequence[Sequence[int]]) -> dict[int, int]:
    """Back edge -> -1 (left) or 1 (right), whichever side has fewer nodes in the way."""
    place = {v: (i, len(layer) - 1 - i) for layer in layers for i, v in enumerate(layer)}
    return {
        e: -1 if place[s][0] + place[t][0] < place[s][1] + place[t][1] else 1
        for e, (s, t) in enumerate(edges) if back[e]
    }  # fmt: skip


def _loop(source: Point, target: Point, side: int, lane: float) -> tuple[Point, ...]:
    """Out of the source's side, along the lane, into the target's same side."""
    away = 6.0 if source == target else 0.0
    half = side * NODE_WIDTH / 2
    start, end = (source[0] + half, source[1] + away), (target[0] + half, target[1] - away)
    return (start, (lane, start[1]), (lane, end[1]), end)


def _lanes(spans: Sequence[tuple[int, float, float]]) -> dict[int, int]:
    """Edge -> lane, so that no two edges share a piece of one; the shortest lie innermost."""
    taken: list[list[tuple[float, float]]] = []
    lanes: dict[int, int] = {}
    for edge, a, b in sorted(spans, key=lambda s: abs(s[1] - s[2])):
        low, high = min(a, b), max(a, b)
        for number in range(len(taken) + 1):
            if number == len(taken):
                taken.append([])
            if all(high < other_low or low > other_high for other_low, other_high in taken[number]):
                taken[number].append((low, high))
                lanes[edge] = number
                break
    return lanes
