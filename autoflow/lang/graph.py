"""What can be reached in a graph of 100,000 steps: linear, and without recursion.

A graph is a list of successors: `ways[i]` holds the positions that step i leads to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

Ways = Sequence[Sequence[int]]


def reachable(starts: Iterable[int], ways: Ways) -> set[int]:
    """The starts and all that they lead to."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        fresh = [way for way in ways[waiting.pop()] if way not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return seen


def reversed_ways(ways: Ways) -> list[list[int]]:
    """For each step, those that lead to it."""
    back: list[list[int]] = [[] for _ in ways]
    for step, following in enumerate(ways):
        for way in following:
            back[way].append(step)
    return back


def closed_loops(steps: Collection[int], ways: Ways) -> list[list[int]]:
    """The strongly connected components of `steps` that nothing leaves, each in ascending order.

    `steps` must be closed: whatever they lead to is among them.
    """
    component = _components(steps, ways)
    left = {component[step] for step in steps for way in ways[step] if component[way] != component[step]}
    loops: dict[int, list[int]] = {}
    for step in sorted(steps):
        if component[step] not in left:
            loops.setdefault(component[step], []).append(step)
    return list(loops.values())


def _components(steps: Collection[int], ways: Ways) -> dict[int, int]:
    """Step -> a number that it shares with its strongly connected component (Kosaraju's two passes)."""
    back: dict[int, list[int]] = {step: [] for step in steps}
    for step in steps:
        for way in ways[step]:
            back[way].append(step)
    component: dict[int, int] = {}
    for root in reversed(_finished(steps, ways)):
        waiting = [] if root in component else [root]
        while waiting:
            step = waiting.pop()
            if step not in component:
                component[step] = root
                waiting.extend(back[step])
    return component


def _finished(steps: Collection[int], ways: Ways) -> list[int]:
    """The steps in the order in which a depth-first walk leaves them."""
    order: list[int] = []
    seen: set[int] = set()
    for root in steps:
        if root in seen:
            continue
        seen.add(root)
        path: list[tuple[int, Iterator[int]]] = [(root, iter(ways[root]))]
        while path:
            step, following = path[-1]
            fresh = next((way for way in following if way not in seen), None)
            if fresh is None:
                order.append(step)
                path.pop()
            else:
                seen.add(fresh)
                path.append((fresh, iter(ways[fresh])))
    return order
