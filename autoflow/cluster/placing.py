"""How many carriers a node has room for, by what one of them takes.

A carrier is a process; the client of an endpoint takes 3 ms of CPU a call, so that as many carriers as processors are
of use, as long as the endpoint takes their calls. A model that runs on the node itself is another matter: llama.cpp
runs it in one server of the node on all cores, and a second carrier would only wait for the first. Expert models are
loaded by the carrier itself: one for each GPU, or one for a node without any, which has the node's memory to itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

from autoflow.cluster.wire import Order
from autoflow.errors import AutoFlowError
from autoflow.llm.catalogue import catalogue
from autoflow.records import ConnectionKind

GB = 1_000_000_000
ITSELF_GB = 0.3  # a carrier with a suite of texts, measured
EXPERTS_GB = 6.0  # the largest expert model of the hub, and the library that loads it
EMBEDDED_GB = 2.0  # a model that no catalogue knows


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster, with what it offers in all."""

    id: str
    cpus: float
    gpus: float = 0.0
    memory: float = 0.0  # bytes


@dataclass(frozen=True, slots=True)
class Needs:
    """What one carrier takes."""

    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = ITSELF_GB * GB  # bytes
    a_node: int | None = None  # carriers a node at most; None: as many as there is room for


def needs_of(order: Order, kind: ConnectionKind, nodes: Sequence[Node]) -> Needs:
    """What a carrier of this order takes, on such nodes."""
    experts = order.suite.name == "openagi"
    here = kind in ("embedded", "local")  # the model is on the node itself
    on_gpus = experts and any(node.gpus >= 1 for node in nodes)
    memory = ITSELF_GB + (EXPERTS_GB if experts else 0.0) + (_model_gb(order) if here else 0.0)
    alone = here or (experts and not on_gpus)
    return Needs(gpus=1.0 if on_gpus else 0.0, memory=memory * GB, a_node=1 if alone else None)


def _model_gb(order: Order) -> float:
    name = order.model.partition(":")[2]
    try:
        return catalogue().find(name).memory_gb or EMBEDDED_GB
    except AutoFlowError:
        return EMBEDDED_GB


def places(concurrency: int, carriers: int, *, shared: bool) -> int:
    """Runs under way on one of so many carriers. A run has one call under way.

    Args:
        concurrency: calls that the model takes at a time, `capabilities.concurrency`.
        shared: the model is one for all carriers (an endpoint), and not each node's own.
    """
    return -(-concurrency // max(1, carriers)) if shared else concurrency


def room(node: Node, needs: Needs) -> int:
    """Carriers that fit onto the node."""
    wanted = ((node.cpus, needs.cpus), (node.gpus, needs.gpus), (node.memory, needs.memory))
    fits = min(int(offered // taken) for offered, taken in wanted if taken)
    return fits if needs.a_node is None else min(fits, needs.a_node)


def spread(nodes: Sequence[Node], needs: Needs, most: int | None) -> Mapping[str, int]:
    """Carriers of each node, by its id: all there is room for, or `most`, one after the other on each node in turn."""
    left = {node.id: room(node, needs) for node in nodes}
    found = dict.fromkeys(left, 0)
    for name in cycle(list(left)):
        if not any(left.values()) or (most is not None and sum(found.values()) >= most):
            break
        if left[name]:
            left[name] -= 1
            found[name] += 1
    return found
