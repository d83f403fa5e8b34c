"""Runs on a real cluster of two nodes: the same scores, nothing lost or doubled, errors as they were."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from autoflow.cluster.evaluator import on_ray
from autoflow.cluster.ray_cluster import Cluster, check_address
from autoflow.cluster.wire import Order
from autoflow.errors import ModelNotFound, ModelUnavailable, SettingsError
from autoflow.evaluate import LocalEvaluator
from autoflow.llm.scripted import ScriptedLLM
from autoflow.records import Connection, Event, RunPolicy, Totals
from autoflow.settings import environment_with
from autoflow.study import Outcome
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.tools.toolbox import Toolbox
from tests.cluster.conftest import PLACES, SUITE, Kept, Machines, Script, carriers, keys, units, until
from tests.llm.server import Request, Server, says

pytestmark = pytest.mark.ray


class Endpoint(Server):
    """A model behind HTTP that knows how many calls it had at once."""

    busy = most = 0

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0.05)
        self.busy -= 1
        await says("Image Denoising")(writer, request)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    server.start()
    server.script(server.answer)
    yield server
    server.stop()


async def test_runs_score_as_in_one_process_and_their_totals_are_kept(cluster: Machines, script: Script) -> None:
    model = script()
    far, near = Kept(), Kept()
    async with carriers(cluster, model) as made:
        await made(lambda: True).map(units(repeats=3), far)
    suite = OpenAGIPlanSuite(seed=SUITE.seed, sizes=SUITE.sizes)
    llm = ScriptedLLM.from_file(model.removeprefix("scripted:"))
    await LocalEvaluator(suite, llm, Toolbox(()), policy=RunPolicy()).map(units(repeats=3), near)

    def told(kept: Kept) -> list[object]:
        return sorted(
            (o.task, o.repeat, o.score, o.answer, o.totals.calls, o.totals.prompt_tokens) for o in kept.outcomes
        )

    assert told(far) == told(near)
    assert far.keys == keys(3)
    assert far.events == near.events
    assert sum((o.totals for o in far.outcomes), Totals()).calls == 120


async def test_carriers_stay_warm_from_one_call_to_the_next_and_end_with_the_block(
    cluster: Machines, script: Script
) -> None:
    async with carriers(cluster, script()) as made:
        await made(lambda: True).map(units(), Kept())
        await until(lambda: len(cluster.carriers()) == 2)  # the first one may have done all before the other was there
        before = {process.pid for process in cluster.carriers()}
        await made(lambda: True).map(units(), Kept())
        assert {process.pid for process in cluster.carriers()} == before
        assert len({process.ppid() for process in cluster.carriers()}) == 2  # one on each node
    await until(lambda: not cluster.carriers())


async def test_node_that_dies_costs_repeats_and_no_outcome(cluster: Machines, endpoint: Endpoint) -> None:
    nodes: list[int] = []

    def cut(count: int) -> None:
        if count == 20 and not nodes:
            victim = cluster.carriers()[0]
            nodes.append(victim.pid)
            cluster.cut_power(victim)

    kept = Kept(then=cut)
    async with carriers(cluster, "openai:far", "openai", PLACES, connections=(_connection(endpoint),)) as made:
        await made(lambda: True).map(units(repeats=2), kept)
    assert nodes
    assert kept.keys == keys(2)
    assert {o.stop for o in kept.outcomes} == {"terminal"}
    assert len(kept.outcomes) <= len(endpoint.requests) <= len(kept.outcomes) + PLACES  # those that were under way


async def test_carrier_that_dies_is_replaced_on_its_node(cluster: Machines, script: Script) -> None:
    killed: list[int] = []

    def kill(count: int) -> None:
        if count == 10 and not killed:
            victim = cluster.carriers()[0]
            killed.append(victim.pid)
            victim.send_signal(signal.SIGKILL)

    kept = Kept(then=kill)
    async with carriers(cluster, script(latency_s=0.3)) as made:
        evaluating = asyncio.create_task(made(lambda: True).map(units(repeats=3), kept))
        await until(lambda: killed and len({p.pid for p in cluster.carriers()} - set(killed)) == 2)
        await evaluating
    assert kept.keys == keys(3)


async def test_node_that_joins_gets_runs_too(cluster: Machines, script: Script) -> None:
    kept = Kept()
    async with carriers(cluster, script(latency_s=0.3)) as made:
        evaluating = asyncio.create_task(made(lambda: True).map(units(repeats=8), kept))
        await until(lambda: len(cluster.carriers()) == 2)
        await asyncio.to_thread(cluster.add)
        await until(lambda: len(cluster.carriers()) == 3)
        newest = max(cluster.carriers(), key=lambda process: process.create_time())
        await evaluating
        cluster.cut_power(newest)  # two again, for the tests that follow
    assert kept.keys == keys(8)


async def test_what_is_asked_to_end_finishes_what_is_under_way(cluster: Machines, script: Script) -> None:
    kept = Kept()
    async with carriers(cluster, script(latency_s=0.05)) as made:
        await made(lambda: len(kept.outcomes) < 12).map(units(repeats=5), kept)
    assert 12 <= len(kept.outcomes) < 12 + 2 * PLACES
    assert len(set(kept.keys)) == len(kept.outcomes)


async def test_fault_of_who_keeps_the_outcomes_ends_it_and_breaks_off_what_is_under_way(
    cluster: Machines, script: Script
) -> None:
    async def full(_: Outcome, __: Sequence[Event]) -> None:
        raise OSError("the disk is full")

    async with carriers(cluster, script(latency_s=1)) as made:
        with pytest.raises(OSError, match="disk is full"):
            await made(lambda: True).map(units(repeats=20), full)
        kept = Kept()
        await made(lambda: True).map(units(), kept)  # the same carriers, free again, know nothing of the others
    assert kept.keys == keys()


async def test_cancelling_breaks_off_what_is_under_way(cluster: Machines, endpoint: Endpoint) -> None:
    async with carriers(cluster, "openai:far", "openai", connections=(_connection(endpoint),)) as made:
        evaluating = asyncio.create_task(made(lambda: True).map(units(repeats=200), Kept()))
        await until(lambda: len(endpoint.requests) > 20)
        evaluating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await evaluating
        seen = -1
        async with asyncio.timeout(60):  # else it goes on until all are asked, which takes minutes
            while seen != len(endpoint.requests):
                seen = len(endpoint.requests)
                await asyncio.sleep(0.5)
        assert seen < len(keys(200))


def _connection(server: Server) -> Connection:
    return Connection(name="far", model="far", base_url=server.url)


async def test_endpoint_gets_no_more_calls_at_once_than_it_takes_from_all_carriers_together(
    cluster: Machines, endpoint: Endpoint
) -> None:
    kept = Kept()
    async with carriers(cluster, "openai:far", "openai", 3, connections=(_connection(endpoint),)) as made:
        await made(lambda: True).map(units(repeats=3), kept)
        assert len(cluster.carriers()) == 2
    assert endpoint.most == 3  # with two carriers, of which one has two calls
    assert kept.keys == keys(3)


async def test_model_that_is_gone_ends_all_with_its_own_error(cluster: Machines, script: Script) -> None:
    kept = Kept()
    async with carriers(cluster, script(error="The server burnt down.")) as made:
        with pytest.raises(ModelUnavailable) as caught:
            await made(lambda: True).map(units(), kept)
    assert caught.value.message.endswith("answers with an error: The server burnt down.")
    assert "It was on the node" in caught.value.hint
    assert not kept.outcomes


async def test_model_that_a_node_lacks_is_said(cluster: Machines) -> None:
    async with carriers(cluster, "scripted:/nowhere/at/all.jsonl") as made:
        with pytest.raises(ModelNotFound, match="/nowhere/at/all"):
            await made(lambda: True).map(units(), Kept())


async def test_joining_leaves_the_signals_of_this_process_alone(cluster: Machines) -> None:
    before = signal.getsignal(signal.SIGTERM)
    nodes = await (await Cluster.joined(cluster.address)).nodes()
    assert signal.getsignal(signal.SIGTERM) == before
    assert {node.cpus for node in nodes} == {0.0, 1.0}


async def test_carrier_too_large_for_every_node_is_refused(cluster: Machines, script: Script) -> None:
    experts = Order(suite=SUITE.model_copy(update={"name": "openagi"}), model=script(), policy=RunPolicy())
    with pytest.raises(ModelUnavailable, match=r"room for a carrier, which takes 1 CPU and 6\.3 GB of memory"):
        async with on_ray(cluster.address, experts, "scripted", 4):
            pass


# -- joining, each in a process of its own
JOIN = (
    "import asyncio, sys; from autoflow.cluster.ray_cluster import Cluster; from autoflow.errors import AutoFlowError\n"
    "try: asyncio.run(Cluster.joined(sys.argv[1]))\n"
    "except AutoFlowError as error: print(type(error).__name__, error)\n"
    "else: print('joined')"
)


def joined(address: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", JOIN, address], env=environment_with(**environment), capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def test_token_opens_the_cluster_and_its_lack_does_not(cluster: Machines) -> None:
    assert joined(cluster.address) == "joined"
    told = joined(cluster.address, RAY_AUTH_TOKEN_PATH="", HOME="/nonexistent")
    assert told.startswith("SettingsError The cluster asks for a token")
    assert "ray get-auth-token --generate" in told


def test_wrong_token_is_refused(cluster: Machines) -> None:
    told = joined(cluster.address, RAY_AUTH_TOKEN="f" * 64, RAY_NUM_REDIS_GET_RETRIES="2")
    assert told.startswith(f"ModelUnavailable The Ray cluster at {cluster.address} cannot be joined")
    assert "with the same token" in told


def test_address_where_nothing_listens_is_said() -> None:
    assert joined("127.0.0.1:1").startswith("ModelUnavailable The Ray cluster at 127.0.0.1:1 cannot be joined: ")


@pytest.mark.parametrize("address", ["nowhere", "ray://head:10001", "head:99999", ":6379", "head:", ""])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(SettingsError, match="is no address of a Ray cluster") as caught:
        check_address(address)
    assert "Write `auto` or HOST:PORT" in caught.value.hint


@pytest.mark.parametrize("address", ["auto", "head:6379", "10.0.0.1:6379", "[fd00::1]:6379"])
def test_what_is_an_address_is_taken(address: str) -> None:
    assert check_address(address) == address


def test_where_ray_is_not_installed_the_command_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match="Ray is not installed") as caught:
        check_address("auto")
    assert "pip install -r requirements-ray.txt" in caught.value.hint
