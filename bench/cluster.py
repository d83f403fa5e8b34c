"""What a run costs on a Ray cluster beyond the time of its model.

    python bench/cluster.py            prints a Markdown table; exits 1 where the limit is broken

Runs of a workflow of 6 steps, 64 at a time on a carrier, with a model in the carrier's own process that answers at once
or after 0.1 s. The time of the model is what so many at a time take at best; everything beyond it, divided by the runs,
is what a run costs: its interpretation, its answers in the cache, its outcome and events on their way back. Limit: 5 ms
a run. The first rows are the same without Ray. The start of the carriers is told apart. Medians of 3 rounds.

All nodes are on this machine: no network is measured, and head, nodes and carriers share its processors. CPU is that of
this process and of all processes of the cluster together.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from autoflow.cluster.opening import cluster_for  # noqa: E402
from autoflow.evaluate import Evaluator, LocalEvaluator, Unit  # noqa: E402
from autoflow.llm.scripted import ScriptedLLM  # noqa: E402
from autoflow.llm.wrappers.cache import always_cached  # noqa: E402
from autoflow.records import Event, RunPolicy  # noqa: E402
from autoflow.study import Outcome, SuiteSpec  # noqa: E402
from autoflow.suites.openagi import OpenAGIPlanSuite  # noqa: E402
from autoflow.tools.toolbox import Toolbox  # noqa: E402
from scripts.raycluster import Machines  # noqa: E402

STEPS, PLACES, RUNS, ROUNDS, LIMIT_MS = 6, 64, 640, 3, 5.0
LATENCIES_S = (0.0, 0.1)
ANSWER = "Image Denoising, Image Deblurring, Colorization, Image Captioning, Machine Translation"
CHAIN = "".join(
    f"Step {n}:::process:::Say which models are needed for the objective, and why. ({n}):::next::Step {n + 1}\n"
    for n in range(1, STEPS)
)
WORKFLOW = f"{CHAIN}Step {STEPS}:::terminal:::Name the models in order.:::\n"
SPEC = SuiteSpec(name="openagi-plan", train=0, val=160, test=0)
SUITE = OpenAGIPlanSuite(seed=SPEC.seed, sizes=SPEC.sizes)


def units() -> Iterator[Unit]:
    repeats = RUNS // len(SUITE.tasks("val"))
    return (Unit(0, WORKFLOW, task, repeat) for repeat in range(repeats) for task in SUITE.tasks("val"))


@dataclass(frozen=True, slots=True)
class Took:
    """What all runs took together."""

    wall_s: float
    cpu_s: float  # of this process, and of all processes of the cluster
    start_s: float = 0.0  # of the carriers


async def measured(evaluator: Evaluator, processes: Sequence[psutil.Process] = (), start_s: float = 0.0) -> Took:
    """Every run must be there."""
    runs = 0

    async def done(outcome: Outcome, events: Sequence[Event]) -> None:
        nonlocal runs
        assert outcome.stop == "terminal", outcome
        runs += 1

    began, before = time.perf_counter(), cpu_s(processes)
    await evaluator.map(units(), done)
    assert runs == RUNS
    return Took(time.perf_counter() - began, cpu_s(processes) - before, start_s)


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    return time.process_time() + sum(sum(process.cpu_times()[:2]) for process in processes)


def model(folder: Path, latency_s: float) -> str:
    """A script under a new name, so that none of its answers is in a cache."""
    path = folder / f"{time.monotonic_ns()}.jsonl"
    path.write_text(json.dumps({"match": "", "reply": ANSWER, "latency_s": latency_s}) + "\n")
    return f"scripted:{path}"


async def near(folder: Path, latency_s: float) -> list[Took]:
    async def once() -> Took:
        llm = always_cached(ScriptedLLM.from_file(model(folder, latency_s).removeprefix("scripted:")))
        return await measured(LocalEvaluator(SUITE, llm, Toolbox(), policy=RunPolicy(), concurrency=PLACES))

    return [await once() for _ in range(ROUNDS)]


async def far(folder: Path, latency_s: float, machines: Machines) -> list[Took]:
    return [await far_once(model(folder, latency_s), machines) for _ in range(ROUNDS)]


async def far_once(name: str, machines: Machines) -> Took:
    llm, began = ScriptedLLM.from_file(name.removeprefix("scripted:")), time.perf_counter()
    nothing: Any = None  # the suite and the model are not in a database
    on_cluster = cluster_for(
        machines.address, SPEC, llm, name, "", RunPolicy(), saved=nothing, connections=nothing_of
    )  # fmt: skip
    async with on_cluster as made:
        one = made(lambda: True)
        await one.map(islice(warming(), 4 * PLACES), forget)  # has the carriers open suite and model
        return await measured(one, machines.processes(), time.perf_counter() - began)


def warming() -> Iterator[Unit]:
    """Runs that are not among those that are measured."""
    return (Unit(1, WORKFLOW, task, repeat) for repeat in range(90, 99) for task in SUITE.tasks("val"))


def nothing_of(_: str) -> None:
    return


async def forget(outcome: Outcome, events: Sequence[Event]) -> None:
    return


def row(where: str, carriers: int, latency_s: float, rounds: Sequence[Took]) -> float:
    """Print it; the milliseconds a run beyond the model's time."""
    wall, cpu, start = (
        statistics.median(figures)
        for figures in zip(*((took.wall_s, took.cpu_s, took.start_s) for took in rounds), strict=True)
    )
    ideal = -(-RUNS // (PLACES * carriers)) * STEPS * latency_s
    beyond = 1e3 * (wall - ideal) / RUNS
    figures = f"{ideal:.1f} s | {wall:.2f} s | {beyond:.2f} ms | {1e3 * cpu / RUNS:.2f} ms"
    print(f"| {where} | {latency_s:g} s | {figures} | {f'{start:.1f} s' if start else '–'} |", flush=True)
    return beyond


def main() -> int:
    print(f"{RUNS:,} runs of {STEPS} steps (load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores):\n")
    print("| where | latency | the model's time | wall | beyond it, a run | CPU a run | start of the carriers |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for latency_s in LATENCIES_S:
            row("one process, no Ray", 1, latency_s, asyncio.run(near(folder, latency_s)))
        worst = max(on_nodes(folder))
    print(f"\nWorst: {worst:.2f} ms a run; the limit is {LIMIT_MS:g} ms.")
    return int(worst > LIMIT_MS)


def on_nodes(folder: Path) -> Iterator[float]:
    """With one node, then with two; each has one carrier."""
    machines = Machines(folder, [1])
    try:
        machines.start()
        os.environ.update(machines.environment)
        for carriers in (1, 2):
            for latency_s in LATENCIES_S:
                took = asyncio.run(far(folder, latency_s, machines))
                yield row(f"Ray, {carriers} node{'s' * (carriers > 1)}", carriers, latency_s, took)
            machines.add()
    finally:
        machines.close()


if __name__ == "__main__":
    sys.exit(main())
