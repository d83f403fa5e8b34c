"""Evidence: plans carried out by offline tools on the project's own sample: the right plan against none, and against
wrong orders.

Every plan that was carried out is a line of `docs/evidence/execution.jsonl`; the same command goes on where it was
stopped, and begins anew where the tools, the sample or the metrics have changed. The report is
`docs/evidence/execution.md`. Tools that ask a language model ask the embedded default.

    python bench/evidence_execution.py [--report]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ.setdefault("AUTOFLOW_SERVER_DIR", str(ROOT / ".cache" / "server"))
os.environ["AUTOFLOW_HOME"] = str(ROOT / ".cache" / "evidence")  # the shipped prompts, whatever the user's own are
sys.path.insert(0, str(ROOT))

from autoflow.llm.download import get_model  # noqa: E402
from autoflow.llm.registry import open_llm  # noqa: E402
from autoflow.metrics.plan import gold_plan  # noqa: E402
from autoflow.study import SuiteSpec  # noqa: E402
from autoflow.suites.openagi_open import open_openagi  # noqa: E402
from autoflow.suites.openagi_run import OpenAGISuite  # noqa: E402
from autoflow.suites.openagi_tasks import OpenAGITask  # noqa: E402
from autoflow.tools.openagi.experts import ASKED  # noqa: E402
from autoflow.tools.openagi.table import RESTORERS  # noqa: E402
from bench.real.execution_report import report  # noqa: E402

FOLDER = ROOT / "docs" / "evidence"
MODEL = "qwen2.5-coder-1.5b"
SPEC = SuiteSpec(name="openagi", train=1, val=1, test=1, options={"provider": "offline"})
RESTORING = {name for degradation, name in RESTORERS.items() if degradation != "clozed"}
NEEDED = (MODEL, "efficientnet-lite0", "all-minilm-l6-v2")  # of the catalogue
TOOLS = (
    "dataflow", "degrading", "efficientnet", "experts", "images", "plain", "restoring", "shapes", "texts", "table",
    "values",
)  # fmt: skip
CODE = (
    *(f"autoflow/tools/openagi/{name}.py" for name in TOOLS), "autoflow/tools/prompts/*.md", "assets/openagi/*",
    "autoflow/suites/openagi_[rst]*.py", "autoflow/metrics/pictures.py", "autoflow/metrics/bertscore.py",
    "autoflow/metrics/plan.py",
)  # fmt: skip
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """One plan to carry out."""

    task: OpenAGITask
    role: str  # right, empty or wrong
    plan: tuple[str, ...]

    @property
    def key(self) -> tuple[int, tuple[str, ...]]:
        return self.task.number, self.plan

    @property
    def asks(self) -> bool:
        """Whether a tool of it asks the language model."""
        return any(tool in ASKED for tool in self.plan)


def mark() -> str:
    """What the results depend on."""
    files = sorted({file for pattern in CODE for file in ROOT.glob(pattern)})
    content = [file.read_bytes() for file in files]
    return hashlib.sha256(b"\0".join(content) + MODEL.encode()).hexdigest()[:12]


def wrong_orders(plan: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every other order of the restorations, the rest in place; with fewer than two of them, the plan turned round."""
    if len(plan) < 2:
        return []
    restoring = [tool for tool in plan if tool in RESTORING]
    if len(restoring) < 2:
        return [plan[::-1]] if plan[::-1] != plan else []
    others = [list(order) for order in permutations(restoring) if list(order) != restoring]
    return [tuple(order.pop(0) if tool in RESTORING else tool for tool in plan) for order in others]


def works(suite: OpenAGISuite) -> Iterator[Work]:
    """What needs no language model first."""
    every = []
    for task in suite.runnable:
        right = gold_plan(task.plan)
        every += [Work(task, "right", right), Work(task, "empty", ())]
        every += [Work(task, "wrong", plan) for plan in wrong_orders(right)]
    yield from sorted(every, key=lambda work: work.asks)


class Log:
    """The plans that were carried out."""

    def __init__(self) -> None:
        self.path = FOLDER / "execution.jsonl"
        self.mark = mark()
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        self.lines: list[Line] = [line for line in map(json.loads, lines) if line["mark"] == self.mark]
        self._there = {(line["task"], tuple(line["plan"])) for line in self.lines}

    def has(self, work: Work) -> bool:
        return work.key in self._there

    def add(self, line: Line) -> None:
        """Results of other code are dropped from the file with the first new one."""
        line = {"mark": self.mark, "date": time.strftime("%Y-%m-%d", time.gmtime()), **line}
        if not self.lines:
            self.path.write_text("", "utf-8")
        self.lines.append(line)
        self._there.add((line["task"], tuple(line["plan"])))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


async def carry_out(suite: OpenAGISuite, work: Work) -> Line:
    began = time.monotonic()
    done, figures = await suite.judge(work.task, work.plan)
    return {
        "task": work.task.number, "kind": work.task.kind, "role": work.role, "plan": work.plan, "failed": done.failed,
        "asks": work.asks, **{name: [round(value, 6) for value in values] for name, values in figures.items()},
        "seconds": round(time.monotonic() - began, 2),
    }  # fmt: skip


async def run(log: Log) -> None:
    for name in NEEDED:
        await get_model(name)
    llm = open_llm(f"embedded:{MODEL}")
    try:
        suite = open_openagi(SPEC, llm)
        left = [work for work in works(suite) if not log.has(work)]
        for n, work in enumerate(left, 1):
            if log.has(work):
                continue  # the same plan for another reason
            log.add(await carry_out(suite, work))
            print(
                f"{n} of {len(left)}: task {work.task.number}, {work.role}, {', '.join(work.plan) or 'none'}",
                flush=True,
            )
    finally:
        await llm.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", action="store_true", help="only write the report")
    arguments = parser.parse_args()
    log = Log()
    if not arguments.report:
        asyncio.run(run(log))
    if log.lines:
        (FOLDER / "execution.md").write_text(report(log.lines, log.mark, MODEL), "utf-8")
        print(f"Report: {FOLDER / 'execution.md'}")


if __name__ == "__main__":
    main()
