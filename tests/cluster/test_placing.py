"""Carriers by what they take: processors, GPUs, memory, and models that are loaded once a node."""

from __future__ import annotations

import pytest

from autoflow.cluster.placing import GB, Needs, Node, needs_of, places, room, spread
from autoflow.cluster.wire import Order
from autoflow.records import ConnectionKind, RunPolicy
from autoflow.study import SuiteSpec

SMALL = Node("small", cpus=2, memory=4 * GB)
LARGE = Node("large", cpus=16, memory=64 * GB)
GPUS = Node("gpus", cpus=16, gpus=4, memory=256 * GB)
HEAD = Node("head", cpus=0, memory=4 * GB)


def order(suite: str = "openagi-plan", model: str = "openai:gpt") -> Order:
    return Order(suite=SuiteSpec(name=suite), model=model, policy=RunPolicy())


def placed(kind: ConnectionKind, told: Order, *nodes: Node, most: int | None = None) -> dict[str, int]:
    return dict(spread(nodes, needs_of(told, kind, nodes), most))


def test_client_of_an_endpoint_takes_a_processor() -> None:
    assert placed("openai", order(), HEAD, SMALL, LARGE) == {"head": 0, "small": 2, "large": 16}


def test_carriers_that_an_endpoint_has_no_calls_for_are_not_started() -> None:
    assert placed("openai", order(), SMALL, LARGE, most=5) == {"small": 2, "large": 3}
    assert placed("openai", order(), SMALL, LARGE, most=1) == {"small": 1, "large": 0}


@pytest.mark.parametrize("model", ["embedded:qwen2.5-coder-1.5b", "embedded:/models/unheard-of.gguf"])
def test_embedded_model_has_one_carrier_a_node(model: str) -> None:
    assert placed("embedded", order(model=model), HEAD, SMALL, LARGE) == {"head": 0, "small": 1, "large": 1}


def test_embedded_model_is_not_placed_where_its_memory_is_not() -> None:
    tight = Node("tight", cpus=4, memory=1 * GB)
    assert placed("embedded", order(model="embedded:qwen2.5-coder-1.5b"), tight, LARGE) == {"tight": 0, "large": 1}


def test_expert_models_have_a_gpu_each_where_there_are_gpus() -> None:
    assert placed("openai", order("openagi"), SMALL, LARGE, GPUS) == {"small": 0, "large": 0, "gpus": 4}


def test_expert_models_without_a_gpu_have_a_node_each_that_has_their_memory() -> None:
    assert placed("openai", order("openagi"), SMALL, LARGE) == {"small": 0, "large": 1}


def test_room_is_what_is_scarcest() -> None:
    assert room(Node("n", cpus=8, memory=1 * GB), Needs()) == 3
    assert room(Node("n", cpus=0.5, memory=1 * GB), Needs()) == 0
    assert room(GPUS, Needs(cpus=8, gpus=1, memory=0)) == 2


def test_no_node_no_carrier() -> None:
    assert spread([], Needs(), 3) == {}


def test_calls_of_an_endpoint_are_shared_and_those_of_other_models_are_each_nodes_own() -> None:
    assert places(64, 16, shared=True) == 4
    assert places(5, 2, shared=True) == 3
    assert places(5, 0, shared=True) == 5
    assert places(4, 8, shared=False) == 4
