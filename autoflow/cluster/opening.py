"""A cluster for the runs of one study or one command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from autoflow.cluster.evaluator import on_ray
from autoflow.cluster.wire import order_of
from autoflow.evaluate import MakeEvaluator
from autoflow.llm.base import LLM
from autoflow.llm.registry import Connections, kind_of
from autoflow.records import RunPolicy
from autoflow.study import SuiteSpec
from autoflow.suites.registry import Saved


@asynccontextmanager
async def cluster_for(
    address: str, suite: SuiteSpec, llm: LLM, model: str, judge: str, policy: RunPolicy, *, saved: Saved,
    connections: Connections,
) -> AsyncIterator[MakeEvaluator]:  # fmt: skip
    """Makes evaluators for the length of the block.

    Args:
        address: `auto`: the cluster that this machine belongs to; or HOST:PORT of its head.
        llm: the model that carries out, as it is opened here.
        model, judge: names, as nodes open them; the judge's may be empty.
        saved, connections: what the database of this machine knows, and that of a node need not know.
    Raises: see `on_ray`.
    """
    order = await asyncio.to_thread(order_of, suite, model, judge, policy, saved=saved, connections=connections)
    kind = await asyncio.to_thread(kind_of, model, connections)
    async with on_ray(address, order, kind, llm.capabilities.concurrency) as made:
        yield made
