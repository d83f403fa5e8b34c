"""Whether carrying out plans keeps memory bounded, and gives the same score each time.

    python bench/plans.py [--plans 1000]       prints Markdown; exits 1 where a limit is broken

Plans on the project's own sample, one sample a task, by offline tools: a third right, a third drawn at random of all
fifteen tools, a third broken (right plans with a tool put in that cannot be used or is not there, or cut to the end).
A scripted model in the process answers the tools that ask one. Limits: resident memory after all of them is at most
64 MB above that after the first 100, by which models are loaded; a plan that comes again on a task is carried out
again, and gives the same figures to the last digit.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ["AUTOFLOW_HOME"] = tempfile.mkdtemp(prefix="autoflow-bench-")
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from autoflow.llm.download import get_model  # noqa: E402
from autoflow.llm.scripted import ScriptedLLM  # noqa: E402
from autoflow.metrics.plan import gold_plan  # noqa: E402
from autoflow.study import SuiteSpec  # noqa: E402
from autoflow.suites.openagi_open import open_openagi  # noqa: E402
from autoflow.suites.openagi_run import OpenAGISuite  # noqa: E402
from autoflow.suites.openagi_tasks import OpenAGITask  # noqa: E402
from autoflow.tools.openagi.table import TOOLS  # noqa: E402

TOLD, SEED = (100, 500), 0  # after how many plans memory is told, and at the end
GROWTH_LIMIT_MB = 64.0
MISSING = ("Colorization", "Image Captioning", "Machine Translation", "Object Detection")  # offline nothing does them
Plan = tuple[OpenAGITask, tuple[str, ...]]
Figures = Mapping[str, list[float]]


def suite() -> OpenAGISuite:
    spec = SuiteSpec(name="openagi", train=1, val=1, test=1, options={"provider": "offline", "samples": 1})
    return open_openagi(spec, ScriptedLLM([{"match": "", "reply": "Anna met the baker on Monday."}]))


def plans(there: OpenAGISuite) -> Iterator[Plan]:
    """Right, random and broken in turn, for ever, by seed."""
    chance, names = random.Random(SEED), [tool.name for tool in TOOLS]
    while True:
        task = chance.choice(there.runnable)
        yield task, gold_plan(task.plan)
        task = chance.choice(there.runnable)
        yield task, tuple(chance.choices(names, k=chance.randint(0, 5)))
        task = chance.choice(there.runnable)
        yield task, broken(gold_plan(task.plan), chance)


def broken(plan: tuple[str, ...], chance: random.Random) -> tuple[str, ...]:
    at = chance.randint(0, len(plan))
    return chance.choice([(*plan[:at], chance.choice(MISSING), *plan[at:]), plan[::-1] * 2, plan[at:]])


def resident() -> float:
    """MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


async def run(count: int) -> int:
    for name in ("efficientnet-lite0", "all-minilm-l6-v2"):
        await get_model(name)
    there, began = suite(), time.monotonic()
    memory: dict[int, float] = {}
    failed = again = differing = 0
    known: dict[tuple[int, tuple[str, ...]], Figures] = {}
    for n, (task, plan) in enumerate(islice(plans(there), count), 1):
        await there.score_plan(task, plan)  # as in a run: kept, so carried out only where it is new
        done, figures = await there.judge(task, plan)
        failed += bool(done.failed)
        if (task.number, plan) in known:
            again += 1
            differing += known[task.number, plan] != figures
        known[task.number, plan] = figures
        if n in (*TOLD, count):
            memory[n] = resident()
    took = f"{time.monotonic() - began:.0f} s"
    print(f"{count:,} plans (seed {SEED}, {len(known):,} distinct, {failed} ended by a tool), {took}:\n")
    print("| plans | resident memory |\n|---:|---:|")
    print("\n".join(f"| {n:,} | {found:.1f} MB |" for n, found in memory.items()))
    print(f"\n{again} plans came again and were carried out again: {differing} of them gave other figures.")
    return int(differing > 0 or memory[count] - memory[min(memory)] > GROWTH_LIMIT_MB)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=1_000)
    return asyncio.run(run(parser.parse_args().plans))


if __name__ == "__main__":
    sys.exit(main())
